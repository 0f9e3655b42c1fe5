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
      tasks: states.map((state) => reported(state, now)),
    },
  }
  const options = { type: 'apply', force: true, fence } as const
  await kube.patch(TIERING_CHECKPOINT, SCHEDULED_TASKS, object, options)
}

function reported(state: TaskState, now: number): ReportedTask {
  const { name, everyMs, lastRunAt, durationMs, lastSuccessAt, failures, error } = state
  // this very save is no run that people wait for
  const isSave = name === 'report'
  const runningSince = isSave ? undefined : state.runningSince
  const nextRunAt = isSave ? now + everyMs : state.nextRunAt
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
