import { aborted } from '../clock.ts'
import { OptionalRight } from '../kube/missing-right.ts'
import type { WorkQueue } from '../kube/types.ts'
import { clusterIdOf } from './cluster-id.ts'
import type { ControllerDeps } from './deps.ts'
import { epochAfter } from './moving/epoch.ts'
import type { Ledger } from './moving/ledger.ts'
import type { Orphans } from './moving/orphans.ts'
import type { Follower } from './replacing/follower.ts'
import type { Records } from './replacing/records.ts'
import type { StopFollower } from './stopping/follower.ts'
import type { Stops } from './stopping/stop.ts'
import type { Strays } from './stopping/strays.ts'
import type { StartSteps } from './moving/start-steps.ts'
import type { Takeover } from './moving/takeover.ts'
import type { CheckpointStore } from './planning/checkpoint-store.ts'
import type { Planner } from './planning/planner.ts'
import type { WindowLoop } from './planning/window-loop.ts'
import type { ControllerMetrics } from './reporting/controller-metrics.ts'
import type { StatusWriter } from './reporting/status-writer.ts'
import type { Sweep } from './sweep.ts'
import type { TaskRunner } from './tasks/task-runner.ts'
import type { Triggers } from './triggers.ts'
import type { Inventory } from './view/inventory.ts'
import type { Migrations } from './view/migrations.ts'
import type { Policies } from './view/policies.ts'
import { allReflectors, keyOf } from './view/watches.ts'
import type { Watches } from './view/watches.ts'

export type QueueName = 'moves' | 'replacements' | 'stops' | 'claims' | 'annotations'

export type LeadParts = {
  readonly deps: ControllerDeps
  readonly watches: Watches
  readonly metrics: ControllerMetrics
  readonly start: StartSteps
  /** Filled in before anything is followed. */
  readonly term: { epoch: number; clusterId: string; leaseUid?: string }
  readonly checkpoints: CheckpointStore
  readonly ledger: Ledger
  readonly records: Records
  readonly stops: Stops
  readonly stopFollower: Pick<StopFollower, 'open'>
  readonly strays: Pick<Strays, 'count'>
  readonly follower: Pick<Follower, 'open'>
  readonly inventory: Inventory
  readonly policies: Policies
  readonly planner: Planner
  readonly migrations: Migrations
  readonly takeover: Takeover
  readonly orphans: Orphans
  readonly triggers: Triggers
  readonly sweep: Sweep
  readonly tasks: TaskRunner
  readonly windows: WindowLoop
  readonly status: StatusWriter
  readonly queues: Readonly<Record<QueueName, WorkQueue>>
}

/**
 * The order in which a leader begins. Works until `signal` is aborted, then lets every running step reach its next saved
 * state.
 */
export async function lead(parts: LeadParts, signal: AbortSignal): Promise<void> {
  const { deps, watches, metrics, start, term, checkpoints, ledger, inventory, policies } = parts
  const { planner, migrations, takeover, orphans, triggers, sweep, tasks, windows, status } = parts
  const { queues, records, follower, stops, stopFollower, strays } = parts
  const right = new OptionalRight(deps.processClock)

  const reporting = Promise.race([start.news(), aborted(signal)]).then(() => {
    policies.refresh()
    return status.run(signal)
  })
  const recorded = start.untilDone('replacements', signal, () => records.load())
  const stopped = start.untilDone('stops', signal, () => stops.load())
  const reading = Promise.all([
    ...allReflectors(watches).map((r) => start.listed(r, signal)),
    start.untilDone('checkpoints', signal, () => checkpoints.load()),
    start.untilDone('ledger', signal, () => ledger.load()),
    recorded,
    stopped,
    start.untilDone('cinder', signal, async () => {
      await inventory.sweep(signal)
    }),
  ])
  const listed = start.listed(watches.migrations, signal)
  const begunUnder = async () => {
    await Promise.all([listed, recorded])
    const intents = migrations.open().flatMap((m) => m.status?.intent?.clusterId ?? [])
    return new Set([...intents, ...records.all().map((r) => r.saved.origin.clusterId)])
  }
  await Promise.all([
    listed,
    start.untilDone('cluster-id', signal, async () => {
      term.clusterId = await clusterIdOf({ deps, right, begunUnder })
    }),
  ])
  if (signal.aborted) {
    await Promise.all([reading, reporting])
    return
  }
  if (deps.elector.leaseUid !== undefined) term.leaseUid = deps.elector.leaseUid
  term.epoch = epochAfter(watches.migrations.store.values(), deps.elector.epoch)
  metrics.moves.show({
    all: () => migrations.all(),
    unreadable: () => migrations.unreadable().length,
    now: () => deps.clock.now(),
    tiers: () => policies.tierNames(),
  })
  metrics.replacements.show({
    open: () => follower.open().map((r) => ({ ...r, policy: metrics.moves.policyOf(r.move) })),
    now: () => deps.clock.now(),
  })
  metrics.workloads.show({
    open: () =>
      stopFollower.open().map((s) => ({ ...s, policy: metrics.moves.policyOf({ spec: s.move }) })),
    unreadable: () => stops.unreadable().size + strays.count,
    now: () => deps.clock.now(),
  })
  takeover.report()
  const stopWatching = triggers.start()
  const stopHearing = deps.audit.subscribe((problem) => {
    status.kick()
    // what could not be planned is planned now
    if (problem === undefined) windows.kick()
  })
  // what runs in Cinder is followed whatever else cannot be read; nothing new is started until all of it is
  const following = Promise.all([
    queues.moves.run(signal),
    recorded.then(() => {
      for (const { move } of records.all()) records.follow(move.uid)
      return queues.replacements.run(signal)
    }),
    // whether a replacement is under way decides about the workload that was stopped for it
    Promise.all([recorded, stopped]).then(() => {
      for (const book of [records, stops])
        for (const [checkpoint, why] of book.unreadable())
          deps.log.error({ checkpoint, why }, 'a record of a move cannot be read; nothing is done')
      for (const { move } of stops.all()) stops.follow(move.uid)
      return queues.stops.run(signal)
    }),
  ])
  await reading
  await start.untilDone('orphans', signal, () => orphans.firstLook(signal))
  if (!signal.aborted) {
    await tasks.once('approvals', signal)
    policies.refresh()
    metrics.volumes.show(() => planner.verdicts.values())
    deps.log.info(
      { epoch: term.epoch, volumes: inventory.size, policies: policies.all().length },
      'leading',
    )
    start.finish()
    for (const m of migrations.open()) queues.moves.add(keyOf(m))
  }
  await Promise.all([
    following,
    reporting,
    queues.claims.run(signal),
    queues.annotations.run(signal),
    sweep.annotateAll(),
    tasks.run(signal),
    windows.run(signal),
  ])
  stopHearing()
  stopWatching()
}
