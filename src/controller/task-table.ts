import type { ControllerDeps } from './deps.ts'
import type { Halts } from './moving/halts.ts'
import type { Orphans } from './moving/orphans.ts'
import type { QuotaDriftReporter } from './reporting/quota-drift-reporter.ts'
import type { TaskMetrics } from './reporting/task-metrics.ts'
import type { Strays } from './stopping/strays.ts'
import type { Sweep } from './sweep.ts'
import { saveTaskReport } from './tasks/task-report.ts'
import { TaskRunner } from './tasks/task-runner.ts'
import type { Task, TaskName } from './tasks/task.ts'
import type { Triggers } from './triggers.ts'
import type { ApprovalGuard } from './view/approval-guard.ts'
import type { Pools } from './view/pools.ts'

export type TaskTableParts = {
  readonly deps: ControllerDeps
  readonly metrics: Pick<TaskMetrics, 'show'>
  readonly sweep: Pick<Sweep, 'resources' | 'types'>
  readonly pools: Pick<Pools, 'read'>
  readonly approvals: Pick<ApprovalGuard, 'refresh'>
  readonly halts: Pick<Halts, 'check'>
  readonly triggers: Pick<Triggers, 'reportUnreadable' | 'retireOld'>
  readonly orphans: Pick<Orphans, 'check'>
  readonly quotas: Pick<QuotaDriftReporter, 'check'>
  readonly strays: Pick<Strays, 'check'>
  readonly tidy: () => Promise<void>
}

const JITTER = 0.1
const AT_START = { isDoneAtStart: true }

/** All periodic work of a leader. A new row is one line here and one in src/api/config-tasks.ts. */
function taskTable(parts: TaskTableParts, report: () => Promise<void>): readonly Task[] {
  const { deps, sweep, pools, approvals, halts, triggers, orphans, quotas } = parts
  const { strays, tidy } = parts
  const row = (
    name: TaskName,
    run: Task['run'],
    { isDoneAtStart }: Pick<Task, 'isDoneAtStart'> = { isDoneAtStart: false },
  ): Task => ({
    name,
    every: () => deps.config().tasks[name].everyMs,
    jitter: JITTER,
    isDoneAtStart,
    run,
  })
  return [
    row('resources', (signal) => sweep.resources(signal), AT_START),
    row('types', (signal) => sweep.types(signal), AT_START),
    row('pools', (signal) => pools.read(signal)),
    row('approvals', () => approvals.refresh()),
    row('halts', () => halts.check()),
    row('unreadable', () => triggers.reportUnreadable()),
    row('orphans', () => orphans.check(), AT_START),
    row('quotas', (signal) => quotas.check(signal)),
    row('workloads', () => strays.check()),
    row('finished', () => triggers.retireOld()),
    row('checkpoints', tidy),
    row('report', report),
  ]
}

/** The table with its runner. */
export function createTasks(parts: TaskTableParts): TaskRunner {
  const { deps, metrics } = parts
  const { kube, clock, random, log, elector } = deps
  const report = () =>
    saveTaskReport(kube, tasks.states(), { now: clock.now(), fence: () => elector.fence() })
  const tasks: TaskRunner = new TaskRunner({
    tasks: taskTable(parts, report),
    clock,
    random,
    log,
    onRun: (state) => metrics.show(state),
    // what cannot be saved is no reason to save it at once
    onNews: (name) => name !== 'report' && tasks.kick('report'),
  })
  return tasks
}
