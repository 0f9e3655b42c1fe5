import { dump } from 'js-yaml'
import { formatDuration, tryParseDuration } from '../../api/duration.ts'
import { parseTaskReport } from '../../api/parse.ts'
import { SCHEDULED_TASKS } from '../../api/tiering-checkpoint.ts'
import type { ReportedTask } from '../../api/tiering-checkpoint.ts'
import type { Clock } from '../../clock.ts'
import { TIERING_CHECKPOINT } from '../../kube/resources.ts'
import { ApiError } from '../../kube/types.ts'
import type { KubeClient, KubeObject } from '../../kube/types.ts'
import { oneOf, OUTPUT_FLAG } from '../flags.ts'
import type { Flags, FlagSpec } from '../flags.ts'
import { table } from '../table.ts'
import type { Column } from '../table.ts'
import type { Terminal } from '../terminal.ts'

export const TASKS_FLAGS = {
  output: OUTPUT_FLAG,
} as const satisfies Record<string, FlagSpec>

export type TasksDeps = {
  readonly kube: Pick<KubeClient, 'get'>
  readonly clock: Pick<Clock, 'now'>
  readonly terminal: Terminal
}

const CHECK = 'check with: kubectl -n couchestor-system get pods, and couchestor doctor'
/** What was to be saved by now and was not, times the interval. */
const MISSED = 3

/**
 * Shows the scheduled tasks as the leader last saved them. Resolves to the exit code: 1 when nothing was saved, or nothing
 * for so long that nobody can be leading.
 */
export async function runTasks(
  flags: Flags,
  { kube, clock, terminal }: TasksDeps,
): Promise<number> {
  const output = oneOf(flags, 'output', ['json', 'yaml'])
  const found = await read(kube)
  const report = found && parseTaskReport(found)
  if (report?.tasks === undefined) {
    terminal.note(`${found === undefined ? NOTHING : OLD_CRD}\n`)
    return 1
  }
  const { at, tasks } = report
  if (output === 'json') terminal.out(`${JSON.stringify({ at, tasks }, null, 2)}\n`)
  else if (output === 'yaml') terminal.out(dump({ at, tasks }, { lineWidth: 120, noRefs: true }))
  else terminal.out(`As of ${savedAt(at)}\n\n${table(COLUMNS, tasks, terminal.columns, 'wrap')}`)
  const interval = tasks.find((t) => t.name === 'report')?.every ?? ''
  const everyMs = tryParseDuration(interval) ?? 0
  // of the future too: nobody who leads now has saved it
  if (Math.abs(clock.now() - Date.parse(at)) <= MISSED * everyMs) return 0
  terminal.note(
    `saved every ${formatDuration(everyMs)}, and last at ${savedAt(at)}: no controller leads, or it cannot write TieringCheckpoints; ${CHECK}\n`,
  )
  return 1
}

const NOTHING = `no controller has saved its scheduled tasks yet; one does so within a minute of leading. ${CHECK}`
const OLD_CRD =
  'the saved tasks are empty: the CustomResourceDefinition of TieringCheckpoint is older than the controller; upgrade it with the Helm chart, or with kubectl apply -f deploy/crds/'

async function read(kube: Pick<KubeClient, 'get'>): Promise<KubeObject | undefined> {
  try {
    return await kube.get<KubeObject>(TIERING_CHECKPOINT, SCHEDULED_TASKS)
  } catch (e) {
    if (e instanceof ApiError && e.reason === 'NotFound' && e.byServer) return undefined
    throw e
  }
}

const COLUMNS: readonly Column<ReportedTask>[] = [
  { title: 'TASK', of: (t) => t.name },
  { title: 'EVERY', of: (t) => t.every },
  { title: 'LAST RUN', of: (t) => shown(t.lastRun) },
  { title: 'TOOK', of: (t) => took(t.durationMs), right: true },
  { title: 'LAST SUCCESS', of: (t) => shown(t.lastSuccess) },
  { title: 'FAILURES', of: (t) => String(t.failures), right: true },
  { title: 'NEXT RUN', of: nextOf },
  { title: 'LAST ERROR', of: (t) => t.lastError ?? '' },
]

function nextOf({ runningSince, nextRun }: ReportedTask): string {
  return runningSince === undefined ? shown(nextRun) : `running since ${shown(runningSince)}`
}

/** Text from anyone, outside the table, which would clean it. */
function savedAt(at: string): string {
  const ms = Date.parse(at)
  return Number.isNaN(ms) ? 'a time that is none' : shown(new Date(ms).toISOString())
}

/** To the second. */
function shown(time: string | undefined): string {
  return time?.replace(/\.\d+Z$/, 'Z') ?? 'never'
}

function took(ms: number | undefined): string {
  if (ms === undefined) return ''
  return ms < 1000 ? `${ms} ms` : `${(ms / 1000).toFixed(1)} s`
}
