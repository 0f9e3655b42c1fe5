import { isManual } from '../../api/volume-migration.ts'
import type { VolumeMigration } from '../../api/volume-migration.ts'
import { yieldToEventLoop, sleep } from '../../clock.ts'
import type { StoragePolicyStatus } from '../../api/storage-policy.ts'
import { messageOf, stable } from '../../errors.ts'
import { STORAGE_POLICY } from '../../kube/resources.ts'
import { ApiError, LostLeaseError } from '../../kube/types.ts'
import { unsupportedOf } from '../../migration/unsupported.ts'
import type { AdmissionFacts } from '../moving/admission-facts.ts'
import { breakerOpenUntil, haltOf } from '../moving/gates-failures.ts'
import type { ApprovalGuard } from '../view/approval-guard.ts'
import type { CheckpointSaves } from '../planning/checkpoint-saves.ts'
import type { ControllerMetrics } from './controller-metrics.ts'
import type { ControllerDeps } from '../deps.ts'
import type { Inventory } from '../view/inventory.ts'
import type { Judged } from '../planning/decision-inputs.ts'
import { mergePatch } from '../view/merge-patch.ts'
import type { Migrations } from '../view/migrations.ts'
import type { Planner } from '../planning/planner.ts'
import type { Policies, ResolvedPolicy } from '../view/policies.ts'
import type { PolicyHealth } from '../planning/policy-health.ts'
import { supportedBy } from '../moving/registered.ts'
import type { MoveReporter } from './move-reporter.ts'
import { conditionNews } from './condition-events.ts'
import type { PolicyFigures } from './policy-gauges.ts'
import { policyStatus } from './policy-status.ts'
import type { StatusFacts } from './policy-status.ts'
import type { Refusals } from '../moving/refusals.ts'
import type { CounterfactualCosts } from '../planning/counterfactual-costs.ts'
import type { StartSteps } from '../moving/start-steps.ts'
import { thrashing } from '../moving/thrashing.ts'
import { allReflectors } from '../view/watches.ts'
import type { WatchedPolicy, Watches } from '../view/watches.ts'

export type StatusWriterParts = {
  readonly deps: ControllerDeps
  readonly watches: Watches
  readonly policies: Policies
  readonly planner: Planner
  readonly migrations: Migrations
  readonly admission: AdmissionFacts
  readonly health: PolicyHealth
  readonly counterfactuals: CounterfactualCosts
  readonly inventory: Inventory
  readonly metrics: ControllerMetrics
  readonly reports: MoveReporter
  readonly approvals: ApprovalGuard
  readonly refusals: Refusals
  readonly saves: CheckpointSaves
  readonly start: Pick<StartSteps, 'done' | 'problem'>
  /** Of the policy's source of usage numbers. */
  readonly lagSeconds: (policy: ResolvedPolicy) => number
}

const STATUS = 'storagepolicies/status'
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
      if (signal.aborted) return
      await sleep(this.#parts.deps.processClock, GATHER_MS, signal)
      if (signal.aborted) return
      this.#due = false
      await this.#writeAll()
    }
  }

  /** Until something changes, or a refused write is due. */
  async #woken(signal: AbortSignal): Promise<void> {
    const { processClock } = this.#parts.deps
    const woken = new AbortController()
    const wake = () => woken.abort()
    this.#wake = wake
    signal.addEventListener('abort', wake, { once: true })
    const now = processClock.monotonic()
    const waits = Array.from(
      this.#parts.refusals.all(STATUS).values(),
      (r) => r.until - now,
    ).filter((ms) => ms > 0)
    await sleep(processClock, Math.min(Number.MAX_SAFE_INTEGER, ...waits), woken.signal)
    signal.removeEventListener('abort', wake)
  }

  async #writeAll(): Promise<void> {
    const { policies, planner, metrics, refusals } = this.#parts
    const byPolicy = Map.groupBy(planner.verdicts.values(), (judged) => judged.policy.name)
    const all: PolicyReport[] = []
    for (const policy of policies.all()) {
      const report = this.#figures(policy, byPolicy.get(policy.name) ?? [])
      if (report !== undefined) all.push(report)
      await yieldToEventLoop()
    }
    // before the first pass there are no figures, and zeros would be taken for some
    if (this.#parts.start.done) metrics.policies.show(all)
    await metrics.forgetUnknown()
    this.#gauges()
    for (const name of refusals.all(STATUS).keys())
      if (policies.get(name) === undefined) refusals.clear(STATUS, name)
    this.#parts.saves.forget((name) => policies.get(name) !== undefined)
    for (const name of this.#reported.keys())
      if (policies.get(name) === undefined) this.#reported.delete(name)
    // side by side: a webhook that hangs for one policy delays no other
    await Promise.all(all.map((report) => this.#write(report)))
  }

  /** undefined when the policy has just been deleted. */
  #figures(policy: ResolvedPolicy, verdicts: readonly Judged[]): PolicyReport | undefined {
    const { deps, health, migrations, inventory, watches } = this.#parts
    const current = watches.policies.store.get(policy.name)
    if (current === undefined) return undefined
    const troubles = this.#troubles(policy)
    const status = policyStatus({
      policy: { ...policy, watched: current },
      verdicts,
      moving: migrations.inFlight().filter((m) => m.spec.policy === policy.name).length,
      health: health.state(policy.name),
      week: this.#parts.counterfactuals.week(policy.name),
      cinderProblem: inventory.problem,
      auditProblem: deps.audit.problem,
      unreadFor: unreadFor(migrations.open(), policy.name),
      unreadable: inventory.unreadable,
      startProblem: this.#parts.start.problem,
      stopped: deps.config().migration.paused,
      unsupported: unsupportedOf(policy.effective.migration.strategy, supportedBy(deps)),
      unguarded: this.#parts.approvals.refusal,
      ...troubles,
      openBreakers: troubles.openBreakers.map(({ from, to }) => `${from} to ${to}`),
      unsaved: this.#parts.saves.problems(policy.name).map(stable),
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

  async #write({ policy, status, current }: PolicyReport): Promise<void> {
    const { deps, reports, refusals } = this.#parts
    if (refusals.pausing(STATUS, policy.name) !== undefined) return
    const before = current.policy.status ?? {}
    const change = mergePatch(before, this.#parts.start.done ? status : onlyReady(before, status))
    // the refusals count on: the next change would be refused as well
    if (change === undefined) return
    const news = conditionNews(before.conditions ?? [], status.conditions ?? [])
    const mark = JSON.stringify(news)
    if (mark !== this.#reported.get(policy.name))
      for (const { event, message } of news) reports.policy(policy, event, message)
    try {
      await deps.kube.patch(
        STORAGE_POLICY,
        policy.name,
        { status: change },
        { type: 'merge', subresource: 'status', fence: () => deps.elector.fence() },
      )
      refusals.clear(STATUS, policy.name)
      this.#reported.delete(policy.name)
    } catch (e) {
      // the process ends: nothing was refused
      if (e instanceof LostLeaseError) return
      if (e instanceof ApiError && e.reason === 'NotFound')
        return refusals.clear(STATUS, policy.name)
      this.#reported.set(policy.name, mark)
      const isReported = refusals.note(STATUS, policy.name, e)
      const waitMs = refusals.pauseMs(STATUS, policy.name)
      deps.log.warn(
        { policy: policy.name, err: messageOf(e), waitMs },
        'policy status could not be written; will be tried again',
      )
      if (isReported)
        reports.policy(policy, 'WriteRefused', `its status is refused: ${messageOf(e)}`)
    }
  }
  /** By policy: the news of its conditions that were reported but not saved. */
  readonly #reported = new Map<string, string>()

  #troubles(policy: ResolvedPolicy) {
    const { admission, deps } = this.#parts
    const ended = admission.ended()
    const tiers = (policy.tiers ?? []).map((t) => t.name)
    const now = deps.clock.now()
    const held = thrashing(ended, policy.name, this.#parts.policies.volumesOf(policy.name), now)
    return {
      thrashing:
        held &&
        `${held.reversals} volumes were moved and moved back within a day; held back until ${new Date(held.until).toISOString()}`,
      halted: haltOf(ended),
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
    const isHalted = haltOf(admission.ended()) !== undefined
    // before the ledger is read, that nothing halts is not known
    if (isHalted || this.#parts.start.done) metrics.halted.set(isHalted ? 1 : 0)
    metrics.unmanagedClaims.reset()
    for (const [reason, claims] of planner.unmanaged)
      metrics.unmanagedClaims.set({ reason }, claims)
  }
}

/** Why a move of the policy waits for reads that its safety needs; a missing right first. */
function unreadFor(open: readonly VolumeMigration[], policy: string): StatusFacts['unreadFor'] {
  const waiting = (reason: 'MissingPermission' | 'CinderDown') => {
    const one = open.find(
      (m) =>
        m.spec.policy === policy &&
        m.status?.step === 'Waiting' &&
        m.status.reason === reason &&
        // that of one move, which the policy does not go by
        !(isManual(m) && m.spec.strategy !== undefined),
    )
    return one && { reason, message: one.status?.message ?? '' }
  }
  return waiting('MissingPermission') ?? waiting('CinderDown')
}

/** What is reported about a policy, in its status and by the gauges. */
type PolicyReport = PolicyFigures & { readonly current: WatchedPolicy }

/** Before the first pass nothing is known but whether the policy is acted on; counts and money stay as they were. */
function onlyReady(before: StoragePolicyStatus, now: StoragePolicyStatus): StoragePolicyStatus {
  const ready = (now.conditions ?? []).filter((c) => c.type === 'Ready')
  const others = (before.conditions ?? []).filter((c) => c.type !== 'Ready')
  return { ...before, conditions: [...others, ...ready] }
}
