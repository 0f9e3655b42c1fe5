import { isFinished, isInFlight } from '../api/volume-migration.ts'
import type { VolumeMigration } from '../api/volume-migration.ts'
import { createWorkQueue } from '../kube/workqueue.ts'
import type { QueueResult, WorkQueue } from '../kube/types.ts'
import { Acceptance } from './moving/acceptance.ts'
import { Annotator } from './reporting/annotator.ts'
import type { ControllerMetrics } from './reporting/controller-metrics.ts'
import { CheckpointSaves } from './planning/checkpoint-saves.ts'
import { deafToPeople } from './view/deaf.ts'
import type { ControllerDeps } from './deps.ts'
import { Drift } from './planning/drift.ts'
import { StillWanted } from './planning/still-wanted.ts'
import { tidy } from './planning/tidying.ts'
import { UsageReader } from './planning/usage-reader.ts'
import { fleetOf } from './view/fleet.ts'
import { Halts } from './moving/halts.ts'
import { MoveMaker } from './planning/move-maker.ts'
import { Calls } from './moving/calls.ts'
import { Endings } from './moving/endings.ts'
import { Runner } from './moving/runner.ts'
import { Follower } from './replacing/follower.ts'
import { Records } from './replacing/records.ts'
import { ReplaceAdapter } from './replacing/replace-adapter.ts'
import { stopping } from './stopping/wire.ts'
import { StartGate } from './moving/start-gate.ts'
import { Starting } from './moving/starting.ts'
import { Steps } from './moving/steps.ts'
import { Takeover } from './moving/takeover.ts'
import { bindStrategies } from './moving/strategies.ts'
import { ObservedSaves } from './moving/observed-saves.ts'
import { Orphans } from './moving/orphans.ts'
import { holdsPlace } from './moving/places.ts'
import { Judgements } from './planning/judgements.ts'
import { Planner } from './planning/planner.ts'
import type { Claim } from './view/projections.ts'
import { Refusals } from './moving/refusals.ts'
import { claimAnnotations } from './reporting/claim-annotations.ts'
import { CounterfactualCosts } from './planning/counterfactual-costs.ts'
import { StartSteps } from './moving/start-steps.ts'
import { StatusWriter } from './reporting/status-writer.ts'
import { MoveReporter } from './reporting/move-reporter.ts'
import { Sweep } from './sweep.ts'
import { lead } from './lead.ts'
import type { QueueName } from './lead.ts'
import { createTasks } from './task-table.ts'
import { Triggers } from './triggers.ts'
import { QuotaDriftReporter } from './reporting/quota-drift-reporter.ts'
import { VerdictEvents } from './reporting/verdict-events.ts'
import { keyOf } from './view/watches.ts'
import type { Watches } from './view/watches.ts'
import { wire } from './wire.ts'
import { WindowLoop } from './planning/window-loop.ts'

const MOVERS = 8
const CLAIM_WORKERS = 4

/** Everything a leader does, wired once per term. All collaborators of the controller meet here and nowhere else. */
export class Leadership {
  readonly #deps: ControllerDeps
  readonly #watches: Watches
  readonly #metrics: ControllerMetrics

  constructor(deps: ControllerDeps, watches: Watches, metrics: ControllerMetrics) {
    this.#deps = deps
    this.#watches = watches
    this.#metrics = metrics
  }

  /** Works until `signal` is aborted, then lets every running step reach its next saved state. */
  async run(signal: AbortSignal): Promise<void> {
    const deps = this.#deps
    const watches = this.#watches
    const start = new StartSteps(deps, this.#metrics)
    // known before anything is followed
    const term = { epoch: 0, clusterId: '' }
    const refusals = new Refusals(deps.processClock, this.#metrics)
    const saves = new CheckpointSaves(refusals, { policy: (...what) => reports.policy(...what) })
    const wired = wire(deps, watches, {
      term,
      onCheckpointSaved: saves.memory.bind(saves),
      ledgerSaves: saves.ledger,
      held: () => stopper.held(),
      onFutureTime: (at) =>
        deps.log.warn({ at }, 'a saved time lies in the future; counting from now on instead'),
    })
    const { inventory, policies, targets, managed, migrations, ledger, health } = wired
    const { checkpoints, detachments, times, approvals, decisionInputs, admission, quotas } = wired
    const fence = () => deps.elector.fence()
    const counterfactuals = new CounterfactualCosts(
      deps.kube,
      deps.log,
      this.#metrics,
      fence,
      saves.shadow.bind(saves),
    )
    const claim = (key: string) => watches.claims.store.get(key)
    const queues: Record<QueueName, WorkQueue> = {
      stops: this.#queue('stops', MOVERS, (uid) => stopFollower.reconcile(uid)),
      replacements: this.#queue('replacements', MOVERS, (uid) => follower.reconcile(uid)),
      moves: this.#queue('moves', MOVERS, (key) => runner.reconcile(key)),
      claims: this.#queue('claims', CLAIM_WORKERS, (key) => triggers.reconcile(key)),
      annotations: this.#queue('annotations', CLAIM_WORKERS, (key) => annotator.reconcile(key)),
    }
    const reports = new MoveReporter({
      events: deps.events,
      metrics: this.#metrics,
      log: deps.log,
      claim,
      onStep: (m) => {
        if (isFinished(m)) quotas.ended(m)
        stops.followClaim(`${m.metadata.namespace}/${m.spec.claim.name}`)
        triggers.stepTaken(m)
      },
    })
    const limits = (m: VolumeMigration) => admission.refusal(m, targets.of(m))
    const isInTurn = (m: VolumeMigration) =>
      holdsPlace(m, inventory.problem !== undefined) &&
      (isInFlight(m) || !refusals.all('volumemigrations/status').has(keyOf(m)))
    const maker = new MoveMaker({
      deps,
      migrations,
      refusals,
      reports,
      onRefused: (key, policy) => triggers.refused(key, policy),
    })
    const judgements = new Judgements({
      deps,
      managed,
      decisionInputs,
      maker,
      verdictReports: new VerdictEvents(reports),
    })
    const planner = new Planner({
      onChange: () => status.kick(),
      deps,
      managed,
      policies,
      decisionInputs,
      migrations,
      quotas,
      judgements,
      limits,
      crowded: (m, planned) => admission.crowded(m, targets.of(m), planned),
      holdsPlace: isInTurn,
      maker,
    })
    const acceptance = new Acceptance({ deps, targets, policies })
    const observed = new ObservedSaves({
      migrations,
      refusals,
      reports,
      onRefused: (m) => planner.fillSoon(m.spec.policy),
    })
    const calls = new Calls(deps.clock)
    const gate = new StartGate({
      deps,
      migrations,
      inventory,
      policies,
      admission,
      quotas,
      ledger,
      approvals,
      calls,
      term,
      times,
      verdicts: new StillWanted({ managed, decisionInputs, watches }),
      deaf: () => deafToPeople(watches, deps),
    })
    const isOwnerGone = (m: VolumeMigration) => {
      const owner = claim(`${m.metadata.namespace}/${m.spec.claim.name}`)
      const uid = m.spec.claim.uid ?? m.status?.claimUid ?? owner?.uid
      return owner === undefined || owner.terminating || owner.uid !== uid
    }
    const halts = new Halts({ deps, ledger, migrations, watches, onLifted: () => windows.kick() })
    const takeover = new Takeover({ deps, migrations, observed, calls, times, term })
    const steps = new Steps({ deps, migrations, observed, ledger, reports })
    const ports = { deps, inventory, gatherer: wired.preflight }
    const strategies = bindStrategies(ports, deps.strategies)
    const records = new Records(deps.kube, fence, deps.clock, (uid) => queues.replacements.add(uid))
    const follower = new Follower({
      deps,
      records,
      port: new ReplaceAdapter(ports),
      migrations,
      takeover,
      steps,
      ledger,
      term,
      isYielding: (uid) => stops.isYielding(uid),
      isFought: (move) => stopFollower.isFought(move),
    })
    const { stops, stopper, stopFollower, strays } = stopping({
      deps,
      policies,
      migrations,
      records,
      term,
      claim,
      onOpen: (uid) => queues.stops.add(uid),
      wakeMove: (key) => queues.moves.add(key),
    })
    const starting = new Starting({
      deps,
      targets,
      acceptance,
      gate,
      strategies,
      records,
      stops: stopper,
      ledger,
      observed,
      steps,
      reports,
      takeover,
      term,
      mayHalt: () => orphans.mayHalt,
    })
    const endings = new Endings({ deps, migrations, ledger, halts, observed, times })
    const runner = new Runner({
      deps,
      migrations,
      targets,
      starting,
      calls,
      quotas,
      strategies,
      records,
      halts,
      observed,
      steps,
      endings,
      takeover,
      reports,
      times,
      isOwnerGone,
      hasRead: () => start.done,
    })
    const fleet = fleetOf({ managed, inventory }, 'Gnocchi', deps.processClock)
    const usageReader = new UsageReader({
      deps,
      sources: deps.sources(fleet),
      onNewcomers: () => fleet.forget(),
      checkpoints,
      health,
      detachments,
      migrations,
      onWindow: counterfactuals.window.bind(counterfactuals),
      onMoved: counterfactuals.moved.bind(counterfactuals),
    })
    const status = new StatusWriter({
      deps,
      watches,
      policies,
      planner,
      migrations,
      admission,
      health,
      counterfactuals,
      approvals,
      reports,
      inventory,
      metrics: this.#metrics,
      lagSeconds: (policy) => usageReader.lagSeconds(policy),
      refusals,
      saves,
      start,
    })
    const drift = new Drift({ deps, managed, checkpoints, counterfactuals, migrations, reports })
    const shown = (c: Claim) =>
      claimAnnotations(managed.claim(`${c.namespace}/${c.name}`), migrations)
    const annotator = new Annotator(deps.kube, claim, shown, deps.processClock, fence)
    const windows = new WindowLoop({
      deps,
      usageReader,
      planner,
      policies,
      checkpoints,
      saves,
      counterfactuals,
      managed,
      health,
      detachments,
      watches,
      inventory,
      migrations,
      status,
      metrics: this.#metrics,
    })
    const orphans = new Orphans({
      deps,
      ledger,
      migrations,
      inventory,
      calls,
      records,
      halts,
      term,
      onHalt: () => status.kick(),
    })
    const triggers = new Triggers({
      onMigrationGone: (m) => {
        runner.forget(m)
        if (records.of(m.metadata.uid ?? '') !== undefined) records.follow(m.metadata.uid ?? '')
        stops.followClaim(`${m.metadata.namespace}/${m.spec.claim.name}`)
        tasks.kick('halts')
      },
      onClaimUsed: (key) => {
        for (const { move } of records.ofName(key)) records.follow(move.uid)
        stops.followClaim(key)
      },
      deps,
      watches,
      inventory,
      managed,
      migrations,
      policies,
      planner,
      drift,
      detachments,
      status,
      windows,
      endings,
      holdsPlace: isInTurn,
      queues,
    })
    const sweep = new Sweep({
      inventory,
      policies,
      watches,
      drift,
      annotator,
      planner,
      windows,
      status,
      queues,
    })
    const tasks = createTasks({
      deps,
      metrics: this.#metrics.tasks,
      sweep,
      pools: wired.pools,
      approvals,
      halts,
      triggers,
      orphans,
      quotas: new QuotaDriftReporter({
        deps,
        inventory,
        migrations,
        quotas,
        metrics: this.#metrics,
      }),
      strays,
      tidy: () => tidy({ deps, watches, checkpoints, counterfactuals, usageReader, health }),
    })

    await lead(
      {
        deps,
        watches,
        metrics: this.#metrics,
        start,
        term,
        checkpoints,
        ledger,
        records,
        follower,
        stops,
        stopFollower,
        strays,
        inventory,
        policies,
        planner,
        migrations,
        takeover,
        orphans,
        triggers,
        sweep,
        tasks,
        windows,
        status,
        queues,
      },
      signal,
    )
  }

  #queue(
    name: string,
    concurrency: number,
    handler: (key: string) => Promise<QueueResult>,
  ): WorkQueue {
    const { clock, log, metrics } = this.#deps
    return createWorkQueue({ name, concurrency, handler, clock, log, metrics })
  }
}
