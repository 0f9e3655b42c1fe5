import type { VolumeMigration } from '../api/volume-migration.ts'
import { sleep } from '../clock.ts'
import { messageOf } from '../errors.ts'
import { NAMESPACE } from '../kube/resources.ts'
import { createWorkQueue } from '../kube/workqueue.ts'
import type { QueueResult, WorkQueue } from '../kube/types.ts'
import { ApiError } from '../kube/types.ts'
import { AdmissionFacts } from './admission-facts.ts'
import { Annotator } from './annotator.ts'
import { Caller } from './caller.ts'
import type { ControllerMetrics } from './controller-metrics.ts'
import type { ControllerDeps } from './deps.ts'
import { Detachments } from './detachments.ts'
import { Drift } from './drift.ts'
import { epochAfter } from './epoch.ts'
import { Feeder } from './feeder.ts'
import { fleetOf } from './fleet.ts'
import { Inventory } from './inventory.ts'
import { Judgement } from './judgement.ts'
import { Ledger } from './ledger.ts'
import { Managed } from './managed.ts'
import { Memory } from './memory.ts'
import { Migrations } from './migrations.ts'
import { Mover } from './mover.ts'
import type { Term } from './mover.ts'
import { Orphans } from './orphans.ts'
import { Planner } from './planner.ts'
import { Policies } from './policies.ts'
import { PolicyHealth } from './policy-health.ts'
import { PreflightGatherer } from './preflight-facts.ts'
import { shownOn } from './shown.ts'
import { Shadows } from './shadows.ts'
import { Starter } from './starter.ts'
import { StatusWriter } from './status-writer.ts'
import { Targets } from './targets.ts'
import { Teller } from './teller.ts'
import { Triggers } from './triggers.ts'
import { allReflectors } from './watches.ts'
import type { Watches } from './watches.ts'
import { WindowLoop } from './window-loop.ts'

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
    await Promise.all(allReflectors(watches).map((r) => r.ready()))
    if (signal.aborted) return
    let clusterId = ''
    await this.#untilDone('tell this cluster from others', signal, async () => {
      clusterId = await this.#clusterId()
    })
    if (signal.aborted) return
    const epoch = epochAfter(watches.migrations.store.values(), deps.elector.epoch)
    const term: Term = { epoch, clusterId }
    const inventory = new Inventory(deps)
    const policies = new Policies(deps, watches, inventory)
    const targets = new Targets(watches, policies, inventory)
    const managed = new Managed(watches, policies, targets)
    const fence = () => deps.elector.fence()
    const migrations = new Migrations(deps.kube, watches.migrations.store, {
      epoch: term.epoch,
      fence,
    })
    const memory = new Memory(deps.kube, deps.log)
    const shadows = new Shadows(deps.kube, deps.log, this.#metrics)
    const ledger = new Ledger(deps.kube, fence)
    const health = new PolicyHealth()
    const detachments = new Detachments()
    const claim = (key: string) => watches.claims.store.get(key)
    const queues: Record<'moves' | 'claims' | 'annotations', WorkQueue> = {
      moves: this.#queue('moves', MOVERS, (key) => mover.reconcile(key)),
      claims: this.#queue('claims', CLAIM_WORKERS, (key) => triggers.reconcile(key)),
      annotations: this.#queue('annotations', CLAIM_WORKERS, (key) => annotator.reconcile(key)),
    }
    const teller = new Teller({
      events: deps.events,
      metrics: this.#metrics,
      log: deps.log,
      claim,
      onStep: (m) => triggers.stepTaken(m),
    })
    const judgement = new Judgement({ deps, watches, inventory, memory, migrations, health })
    const admission = new AdmissionFacts(deps, migrations, policies, ledger)
    const limits = (m: VolumeMigration) => admission.refusal(m, targets.of(m))
    const planner = new Planner({
      deps,
      watches,
      managed,
      policies,
      judgement,
      migrations,
      teller,
      limits,
    })
    const gatherer = new PreflightGatherer(deps, watches, inventory)
    const stillWanted = planner.stillWanted.bind(planner)
    const caller = new Caller({ deps, migrations, inventory, gatherer, ledger, teller })
    const starter = new Starter({
      caller,
      deps,
      migrations,
      inventory,
      targets,
      admission,
      gatherer,
      ledger,
      teller,
      term,
      stillWanted,
    })
    const mover = new Mover({ deps, migrations, inventory, starter, caller, ledger, teller, term })
    const fleet = fleetOf({ managed, inventory }, 'Gnocchi', deps.processClock)
    const feeder = new Feeder({
      deps,
      sources: deps.sources(fleet),
      onNewcomers: () => fleet.forget(),
      memory,
      health,
      detachments,
      onWindow: shadows.window.bind(shadows),
    })
    const status = new StatusWriter({
      deps,
      watches,
      policies,
      planner,
      migrations,
      admission,
      health,
      shadows,
      teller,
      inventory,
      metrics: this.#metrics,
      lagSeconds: (policy) => feeder.lagSeconds(policy),
    })
    const drift = new Drift({ deps, managed, memory, shadows, migrations, teller })
    const annotator = new Annotator(deps.kube, claim, (c) =>
      shownOn(managed.claim(`${c.namespace}/${c.name}`), migrations),
    )
    const windows = new WindowLoop({
      deps,
      feeder,
      planner,
      policies,
      memory,
      shadows,
      managed,
      health,
      detachments,
      watches,
      status,
      metrics: this.#metrics,
    })
    const orphans = new Orphans({ deps, ledger, migrations, inventory })
    const triggers = new Triggers({
      deps,
      watches,
      inventory,
      managed,
      migrations,
      policies,
      planner,
      drift,
      status,
      windows,
      orphans,
      queues,
    })

    await this.#untilDone('read checkpoints', signal, () =>
      Promise.all([memory.load(), ledger.load()]),
    )
    await this.#untilDone('take over moves in flight', signal, () => mover.takeOver())
    await this.#untilDone('read Cinder', signal, async () => {
      if (!(await inventory.sweep(signal))) throw new Error(inventory.problem)
    })
    if (signal.aborted) return
    policies.refresh()
    this.#metrics.moves.show({ all: () => migrations.all(), now: () => deps.clock.now() })
    this.#metrics.volumes.show(() => planner.verdicts.values())
    const stopWatching = triggers.start()
    deps.log.info(
      { epoch: term.epoch, volumes: inventory.size, policies: policies.all().length },
      'leading',
    )
    await Promise.all([
      queues.moves.run(signal),
      queues.claims.run(signal),
      queues.annotations.run(signal),
      triggers.sweepLoop(signal),
      windows.run(signal),
      status.run(signal),
    ])
    stopWatching()
  }

  #queue(
    name: string,
    concurrency: number,
    handler: (key: string) => Promise<QueueResult>,
  ): WorkQueue {
    const { clock, log, metrics } = this.#deps
    return createWorkQueue({ name, concurrency, handler, clock, log, metrics })
  }

  /**
   * The uid of kube-system; with a smaller role, the uid of our own Lease. Any other trouble is no reason for another
   * id: our own moves would look like those of another cluster.
   */
  async #clusterId(): Promise<string> {
    try {
      return (await this.#deps.kube.get(NAMESPACE, 'kube-system')).metadata.uid ?? ''
    } catch (e) {
      if (!(e instanceof ApiError) || e.status !== 403) throw e
      return this.#deps.elector.leaseUid ?? ''
    }
  }

  async #untilDone(what: string, signal: AbortSignal, work: () => Promise<unknown>): Promise<void> {
    for (let tries = 0; !signal.aborted; tries++) {
      try {
        await work()
        return
      } catch (e) {
        this.#deps.log.warn({ err: messageOf(e), tries }, `cannot ${what} yet`)
        await sleep(this.#deps.processClock, Math.min(30_000, 1000 * 2 ** tries), signal)
      }
    }
  }
}
