import { scaleOf } from '../../api/workload-objects.ts'
import type { PodObject, Scale, WorkloadObject } from '../../api/workload-objects.ts'
import { refusal } from './refusal.ts'
import type { Refusal } from './refusal.ts'

/** The scale by which `users` stop, and every Pod that stops with them. */
export function changeOf(
  workload: WorkloadObject,
  users: readonly PodObject[],
  pods: readonly PodObject[],
): { readonly after: Scale; readonly stops: readonly PodObject[] } | Refusal {
  const before = scaleOf(workload)
  const { kind, metadata } = workload
  if (before.replicas < 1)
    return refusal(
      'NotUsed',
      `${kind} ${metadata.name} has spec.replicas: ${before.replicas} and is stopping already`,
    )
  if (kind === 'Deployment') return { after: { replicas: 0 }, stops: pods }
  const ordinals = users.map((p) => ordinalOf(metadata.name, p))
  const lowest = Math.min(...ordinals)
  const { replicas, start = 0 } = before
  if (!ordinals.every((o) => o >= start && o < start + replicas))
    return refusal(
      'WorkloadBusy',
      `StatefulSet ${metadata.name} has Pods outside of its ordinals ${start} to ${start + replicas - 1}; wait until it is scaled`,
    )
  const isFirstAlone = replicas > 1 && ordinals.every((o) => o === start)
  // a later start alone would add a Pod at the end
  const after = isFirstAlone
    ? { replicas: replicas - 1, start: start + 1 }
    : { ...before, replicas: lowest - start }
  const isStopped = (ordinal: number) => (isFirstAlone ? ordinal === start : ordinal >= lowest)
  return { after, stops: pods.filter((p) => isStopped(ordinalOf(metadata.name, p))) }
}

/** NaN for a Pod that is not named as those of the StatefulSet are. */
function ordinalOf(set: string, { metadata: { name } }: PodObject): number {
  const digits = name.startsWith(`${set}-`) ? name.slice(set.length + 1) : ''
  return /^\d+$/.test(digits) ? Number(digits) : NaN
}
