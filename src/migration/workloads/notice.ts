import { scaleText } from './machine.ts'
import { shown } from './plan.ts'
import type { StopRecord } from './saved.ts'

/** What the owner of the Pods hears. */
export type Notice = { readonly type: 'Normal' | 'Warning'; readonly message: string }

/**
 * The event on the workload after a record was saved; undefined where its owner has nothing new to hear. `before` is the
 * record as it was saved before, undefined for the first notice, ahead of any call. `why` says what moves, and where.
 */
export function noticeOf(
  before: StopRecord | undefined,
  record: StopRecord,
  why: string,
): Notice | undefined {
  if (before?.phase === record.phase) return undefined
  const { pods, after, reason, message = '' } = record
  const at = shown(record.workload)
  const names = pods.map((p) => p.name).join(', ')
  switch (record.phase) {
    case 'Stopping':
      return normal(`${at} is scaled to ${scaleText(after)} for ${why}; ${names} will stop`)
    case 'Stopped':
      return normal(`${names} stopped; ${why} can begin`)
    case 'Restoring':
      return normal(`${at} is scaled back to ${scaleText(record.before)}`)
    case 'Restored':
      // an end that was never begun, or has lost its object, is somebody else's doing
      return reason === 'WorkloadGone' ? { type: 'Warning', message } : normal(message)
    case 'FoughtBack':
      return { type: 'Warning', message }
  }
}

function normal(message: string): Notice {
  return { type: 'Normal', message }
}
