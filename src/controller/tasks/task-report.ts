import { formatDuration } from '../../api/duration.ts'
import { API_VERSION } from '../../api/names.ts'
import { SCHEDULED_TASKS } from '../../api/tiering-checkpoint.ts'
import type { ReportedTask, TieringCheckpoint } from '../../api/tiering-checkpoint.ts'
import { TIERING_CHECKPOINT } from '../../kube/resources.ts'
import type { KubeClient } from '../../kube/types.ts'
import type { TaskState } from './task.ts'

const MOST_CHARACTERS = 1024

/** Saves what `couchestor tasks` shows. `now`: ms. */
export async function saveTaskReport(
  kube: Pick<KubeClient, 'patch'>,
  states: readonly TaskState[],
  { now, fence }: { readonly now: number; readonly fence: () => void },
): Promise<void> {
  fence()
  const object: TieringCheckpoint = {
    apiVersion: API_VERSION,
    kind: 'TieringCheckpoint',
    metadata: { name: SCHEDULED_TASKS },
    spec: {
      policy: SCHEDULED_TASKS,
      shard: 0,
      rule: 'none',
      windowEnd: timeOf(now),
      volumes: 0,
      data: '',
      tasks: states.map((state) => reported(state.name === 'report' ? saved(state, now) : state)),
    },
  }
  const options = { type: 'apply', force: true, fence } as const
  await kube.patch(TIERING_CHECKPOINT, SCHEDULED_TASKS, object, options)
}

/** The save itself, as it is by the time that somebody reads it. */
function saved({ name, everyMs, failures }: TaskState, now: number): TaskState {
  return {
    name,
    everyMs,
    failures,
    lastRunAt: now,
    lastSuccessAt: now,
    nextRunAt: now + everyMs,
  }
}

function reported(state: TaskState): ReportedTask {
  const { name, everyMs, runningSince, lastRunAt, durationMs, lastSuccessAt } = state
  const { failures, error, nextRunAt } = state
  return {
    name,
    every: formatDuration(everyMs),
    failures,
    ...(runningSince === undefined ? {} : { runningSince: timeOf(runningSince) }),
    ...(lastRunAt === undefined ? {} : { lastRun: timeOf(lastRunAt) }),
    ...(durationMs === undefined ? {} : { durationMs: Math.round(durationMs) }),
    ...(lastSuccessAt === undefined ? {} : { lastSuccess: timeOf(lastSuccessAt) }),
    ...(error === undefined ? {} : { lastError: error.slice(0, MOST_CHARACTERS) }),
    ...(nextRunAt === undefined ? {} : { nextRun: timeOf(nextRunAt) }),
  }
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString()
}
