import type { Histogram } from 'prom-client'
import { sleep } from '../../clock.ts'
import type { Timer } from '../../clock.ts'
import { messageOf } from '../../errors.ts'
import { medianSizeGiB } from '../../policy/rule.ts'
import type { ControllerDeps } from '../deps.ts'
import type { Detachments } from '../view/detachments.ts'
import type { UsageReader } from './usage-reader.ts'
import type { Inventory } from '../view/inventory.ts'
import type { Managed } from '../view/managed.ts'
import type { CheckpointSaves } from './checkpoint-saves.ts'
import type { CheckpointStore } from './checkpoint-store.ts'
import type { Migrations } from '../view/migrations.ts'
import type { Planner } from './planner.ts'
import type { Policies, ResolvedPolicy } from '../view/policies.ts'
import type { PolicyHealth } from './policy-health.ts'
import type { CounterfactualCosts } from './counterfactual-costs.ts'
import { countVolumes } from '../view/volume-counts.ts'
import type { Watches } from '../view/watches.ts'

export type WindowLoopParts = {
  readonly deps: ControllerDeps
  readonly usageReader: UsageReader
  readonly planner: Planner
  readonly policies: Policies
  readonly checkpoints: CheckpointStore
  readonly saves: Pick<CheckpointSaves, 'isPausing'>
  readonly counterfactuals: CounterfactualCosts
  readonly managed: Managed
  readonly health: PolicyHealth
  readonly detachments: Detachments
  readonly watches: Watches
  readonly inventory: Inventory
  readonly migrations: Migrations
  /** Shown soon: something that statuses show has changed. */
  readonly status: { kick(): void }
  readonly metrics: { readonly cycle: Histogram }
}

/** Longest the loop rests: a schedule may open, a clock may jump. */
const LONGEST_REST_MS = 3_600_000
/** New claims and policies come in bunches; one pass serves them all. */
const GATHER_MS = 500
/** Between two passes for the sake of claims alone: some change all the time, and a pass evaluates all. */
const CLAIMS_MS = 30_000

/** Window after window: usage, verdicts, plan, checkpoint, status. */
export class WindowLoop {
  readonly #parts: WindowLoopParts
  #wake: () => void = () => {}
  #wakeForClaims: () => void = () => {}
  /** Something changed since the last pass began: at once, or as soon as claims may ask for a pass again. */
  #due = false
  #dueForClaims = false
  #passedAt = -Infinity

  constructor(parts: WindowLoopParts) {
    this.#parts = parts
  }

  /** Something changed that the next pass should not wait for. */
  kick(): void {
    this.#due = true
    this.#wake()
  }

  /**
   * Claims came or went. Each is judged by itself at once; what concerns all of them, such as counts and the history of
   * those that are new, is brought up to date for all that came within the next while.
   */
  kickForClaims(): void {
    this.#dueForClaims = true
    this.#wakeForClaims()
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      let again: number
      try {
        again = await this.#pass(signal)
      } catch (e) {
        this.#parts.deps.log.error(
          { err: messageOf(e) },
          'a pass over all claims failed; the next one starts over',
        )
        again = this.#parts.deps.timing.recheckMs
      }
      this.#passedAt = this.#parts.deps.processClock.monotonic()
      if (signal.aborted) return
      await this.#rest(again, signal)
    }
  }

  /** Returns the ms until the next pass is due. */
  async #pass(signal: AbortSignal): Promise<number> {
    const { deps, usageReader, planner, policies, checkpoints, counterfactuals } = this.#parts
    const { saves, status, metrics } = this.#parts
    const stop = metrics.cycle.startTimer()
    this.#due = false
    this.#dueForClaims = false
    policies.refresh()
    await this.#count()
    let complete = true
    for (const policy of policies.all())
      complete = (await this.#tryAdvance(policy, signal)) && complete
    if (signal.aborted) return 0
    await planner.all()
    stop()
    for (const policy of policies.all()) {
      if (!saves.isPausing(policy.name, 'memory')) await checkpoints.save(policy)
      if (!saves.isPausing(policy.name, 'shadow')) await counterfactuals.save(policy)
    }
    status.kick()
    const next = policies.all().map((p) => Math.min(usageReader.msToNext(p), this.#msToSchedule(p)))
    const due = Math.min(LONGEST_REST_MS, ...next) + 1
    return complete ? due : Math.min(due, deps.timing.recheckMs)
  }

  /** What goes wrong with one policy is its own affair. */
  async #tryAdvance(policy: ResolvedPolicy, signal: AbortSignal): Promise<boolean> {
    try {
      return await this.#advance(policy, signal)
    } catch (e) {
      this.#parts.deps.log.error(
        { policy: policy.name, err: messageOf(e) },
        'the usage of a policy could not be worked in; it is tried again',
      )
      return false
    }
  }

  async #advance(policy: ResolvedPolicy, signal: AbortSignal): Promise<boolean> {
    const { usageReader, managed, health, counterfactuals } = this.#parts
    if (policy.tiers === undefined) return true
    const bound = await managed.of(policy)
    const sizes = bound.flatMap((m) => m.bound.row?.sizeGiB ?? [])
    // nothing to read, so that nothing is left to catch up with
    if (sizes.length === 0) health.catchingUp(policy.name, false)
    if (sizes.length === 0) return true
    health.noteMedian(policy.name, medianSizeGiB(sizes))
    try {
      await counterfactuals.open(policy)
    } catch (e) {
      // it only compares costs: no reason to stop deciding
      this.#parts.deps.log.warn(
        { policy: policy.name, err: messageOf(e) },
        'shadow costs could not be read; they are not counted until they can be',
      )
    }
    return usageReader.advance(policy, bound, signal)
  }

  async #count(): Promise<void> {
    const { deps, managed, detachments, health } = this.#parts
    const parts = { ...this.#parts, now: deps.clock.now() }
    const seen = await countVolumes(managed.all(), parts)
    detachments.forget((id) => seen.has(id))
    health.forget((id) => seen.has(id))
  }

  #msToSchedule({ effective }: ResolvedPolicy): number {
    const { schedule } = effective.migration
    const now = new Date(this.#parts.deps.clock.now())
    if (schedule === undefined || schedule.isOpen(now)) return LONGEST_REST_MS
    const opens = schedule.nextOpen(now)
    return opens === undefined ? LONGEST_REST_MS : opens.getTime() - now.getTime()
  }

  async #rest(ms: number, signal: AbortSignal): Promise<void> {
    const { deps } = this.#parts
    const woken = new AbortController()
    const stop = () => woken.abort()
    signal.addEventListener('abort', stop, { once: true })
    const { processClock } = deps
    let timer: Timer | undefined
    this.#wake = stop
    this.#wakeForClaims = () => {
      const wait = this.#passedAt + CLAIMS_MS - processClock.monotonic()
      timer ??= processClock.setTimer(Math.max(0, wait), () => {
        this.#due = true
        stop()
      })
    }
    if (this.#due) stop()
    if (this.#dueForClaims) this.#wakeForClaims()
    await sleep(deps.clock, ms, woken.signal)
    timer?.cancel()
    signal.removeEventListener('abort', stop)
    if (this.#due) await sleep(processClock, GATHER_MS, signal)
  }
}
