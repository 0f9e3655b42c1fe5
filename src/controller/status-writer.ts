import { nextTurn, sleep } from '../clock.ts'
import { messageOf } from '../errors.ts'
import { STORAGE_POLICY } from '../kube/resources.ts'
import { ApiError } from '../kube/types.ts'
import type { AdmissionFacts } from './admission-facts.ts'
import { breakerOpenUntil } from './admission.ts'
import type { ControllerMetrics } from './controller-metrics.ts'
import type { ControllerDeps } from './deps.ts'
import type { Inventory } from './inventory.ts'
import type { Judged } from './judgement.ts'
import { mergePatch } from './merge-patch.ts'
import type { Migrations } from './migrations.ts'
import type { Planner } from './planner.ts'
import type { Policies, ResolvedPolicy } from './policies.ts'
import type { PolicyHealth } from './policy-health.ts'
import type { Teller } from './teller.ts'
import { conditionNews } from './condition-events.ts'
import type { PolicyFigures } from './policy-gauges.ts'
import { policyStatus } from './policy-status.ts'
import type { Shadows } from './shadows.ts'
import { thrashing } from './thrashing.ts'
import { allReflectors } from './watches.ts'
import type { WatchedPolicy, Watches } from './watches.ts'

export type StatusWriterParts = {
  readonly deps: ControllerDeps
  readonly watches: Watches
  readonly policies: Policies
  readonly planner: Planner
  readonly migrations: Migrations
  readonly admission: AdmissionFacts
  readonly health: PolicyHealth
  readonly shadows: Shadows
  readonly inventory: Inventory
  readonly metrics: ControllerMetrics
  readonly teller: Teller
  /** Of the policy's source of usage numbers. */
  readonly lagSeconds: (policy: ResolvedPolicy) => number
}

/** A burst of changes makes one write. */
const GATHER_MS = 1000

/** Keeps the status of every policy and the gauges in line with what is so; writes only what has changed. */
export class StatusWriter {
  readonly #parts: StatusWriterParts
  #wake: () => void = () => {}
  #due = true

  constructor(parts: StatusWriterParts) {
    this.#parts = parts
  }

  kick(): void {
    this.#due = true
    this.#wake()
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if (!this.#due) await this.#woken(signal)
      await sleep(this.#parts.deps.processClock, GATHER_MS, signal)
      if (signal.aborted) return
      this.#due = false
      await this.#writeAll()
    }
  }

  #woken(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve
      signal.addEventListener('abort', () => resolve(), { once: true })
    })
  }

  async #writeAll(): Promise<void> {
    const { policies, planner, metrics } = this.#parts
    const byPolicy = Map.groupBy(planner.verdicts.values(), (judged) => judged.policy.name)
    const all: Told[] = []
    for (const policy of policies.all()) {
      const told = this.#figures(policy, byPolicy.get(policy.name) ?? [])
      if (told !== undefined) all.push(told)
      await nextTurn()
    }
    metrics.policies.show(all)
    this.#gauges()
    for (const told of all) await this.#write(told)
  }

  /** undefined when the policy has just been deleted. */
  #figures(policy: ResolvedPolicy, verdicts: readonly Judged[]): Told | undefined {
    const { deps, health, migrations, inventory, watches } = this.#parts
    const current = watches.policies.store.get(policy.name)
    if (current === undefined) return undefined
    const troubles = this.#troubles(policy)
    const status = policyStatus({
      policy: { ...policy, watched: current },
      verdicts,
      moving: migrations.inFlight().filter((m) => m.spec.policy === policy.name).length,
      health: health.state(policy.name),
      week: this.#parts.shadows.week(policy.name),
      cinderProblem: inventory.problem,
      stopped: deps.config().migration.paused,
      ...troubles,
      openBreakers: troubles.openBreakers.map(({ from, to }) => `${from} to ${to}`),
      missingRules: allReflectors(watches).flatMap((r) => r.health().missingRule ?? []),
      now: deps.clock.now(),
    })
    return {
      policy,
      verdicts,
      status,
      health: health.state(policy.name),
      openBreakers: troubles.openBreakers,
      thrashing: troubles.thrashing !== undefined,
      lagSeconds: this.#parts.lagSeconds(policy),
      current,
    }
  }

  async #write({ policy, status, current }: Told): Promise<void> {
    const { deps, teller } = this.#parts
    const change = mergePatch(current.policy.status ?? {}, status)
    if (change === undefined) return
    for (const { event, message } of conditionNews(
      current.policy.status?.conditions ?? [],
      status.conditions ?? [],
    ))
      teller.policy(policy, event, message)
    try {
      await deps.kube.patch(
        STORAGE_POLICY,
        policy.name,
        { status: change },
        { type: 'merge', subresource: 'status' },
      )
    } catch (e) {
      if (e instanceof ApiError && e.reason === 'NotFound') return
      deps.log.warn(
        { policy: policy.name, err: messageOf(e) },
        'policy status could not be written',
      )
      this.#due = true
    }
  }

  #troubles(policy: ResolvedPolicy) {
    const { admission, deps } = this.#parts
    const ended = admission.ended()
    const strange = ended.find((e) => e.ended === 'Unexplained')
    const tiers = (policy.tiers ?? []).map((t) => t.name)
    const now = deps.clock.now()
    const held = thrashing(ended, policy.name, this.#parts.policies.volumesOf(policy.name), now)
    return {
      thrashing:
        held &&
        `${held.reversals} volumes were moved and moved back within a day; held back until ${new Date(held.until).toISOString()}`,
      halted:
        strange &&
        `a move from ${strange.from} to ${strange.to} in namespace ${strange.namespace} ended in a way nothing explains; look at it, then delete that VolumeMigration`,
      openBreakers: tiers.flatMap((from) =>
        tiers.flatMap((to) =>
          (breakerOpenUntil(ended, policy.name, from, to) ?? 0) > now ? [{ from, to }] : [],
        ),
      ),
    }
  }

  #gauges(): void {
    const { metrics, inventory, planner, admission } = this.#parts
    metrics.cinderUp.set(inventory.problem === undefined ? 1 : 0)
    if (inventory.sweptAt !== undefined) metrics.cinderReadAt.set(inventory.sweptAt / 1000)
    metrics.halted.set(admission.ended().some((e) => e.ended === 'Unexplained') ? 1 : 0)
    metrics.unmanagedClaims.reset()
    for (const [reason, claims] of planner.unmanaged)
      metrics.unmanagedClaims.set({ reason }, claims)
  }
}

/** What is told of a policy, in its status and by the gauges. */
type Told = PolicyFigures & { readonly current: WatchedPolicy }
