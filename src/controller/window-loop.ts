import { sleep } from '../clock.ts'
import { messageOf } from '../errors.ts'
import { nextTurn } from '../clock.ts'
import { medianSizeGiB } from '../policy/rule.ts'
import type { ControllerMetrics } from './controller-metrics.ts'
import type { ControllerDeps } from './deps.ts'
import type { Detachments } from './detachments.ts'
import type { Feeder } from './feeder.ts'
import type { Managed } from './managed.ts'
import type { Memory } from './memory.ts'
import type { Planner } from './planner.ts'
import type { Policies, ResolvedPolicy } from './policies.ts'
import type { PolicyHealth } from './policy-health.ts'
import type { Shadows } from './shadows.ts'
import type { StatusWriter } from './status-writer.ts'
import type { Watches } from './watches.ts'

export type WindowLoopParts = {
  readonly deps: ControllerDeps
  readonly feeder: Feeder
  readonly planner: Planner
  readonly policies: Policies
  readonly memory: Memory
  readonly shadows: Shadows
  readonly managed: Managed
  readonly health: PolicyHealth
  readonly detachments: Detachments
  readonly watches: Watches
  readonly status: StatusWriter
  readonly metrics: ControllerMetrics
}

/** Longest the loop rests: a schedule may open, a clock may jump. */
const LONGEST_REST_MS = 3_600_000
const TIDY_MS = 6 * 3_600_000
/** New claims and policies come in bunches; one pass serves them all. */
const GATHER_MS = 500

/** Claims looked at between two turns: some milliseconds. */
const SLICE = 500

/** Window after window: usage, verdicts, plan, checkpoint, status. */
export class WindowLoop {
  readonly #parts: WindowLoopParts
  #tidiedAt: number | undefined
  #wake: () => void = () => {}

  constructor(parts: WindowLoopParts) {
    this.#parts = parts
  }

  /** Something changed that the next pass should not wait for. */
  kick(): void {
    this.#wake()
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      let again: number
      try {
        again = await this.#pass(signal)
      } catch (e) {
        this.#parts.deps.log.error(
          { err: messageOf(e) },
          'a pass over all claims failed; the next one starts anew',
        )
        again = this.#parts.deps.timing.recheckMs
      }
      if (signal.aborted) return
      await this.#rest(again, signal)
    }
  }

  /** Returns the ms until the next pass is due. */
  async #pass(signal: AbortSignal): Promise<number> {
    const { deps, feeder, planner, policies, memory, shadows, status, metrics } = this.#parts
    const stop = metrics.cycle.startTimer()
    policies.refresh()
    await this.#lookAround()
    let complete = true
    for (const policy of policies.all())
      complete = (await this.#advance(policy, signal)) && complete
    if (signal.aborted) return 0
    await planner.all()
    stop()
    for (const policy of policies.all()) {
      await memory.save(policy)
      await shadows.save(policy)
    }
    await this.#tidy()
    status.kick()
    const next = policies.all().map((p) => Math.min(feeder.msToNext(p), this.#msToSchedule(p)))
    const due = Math.min(LONGEST_REST_MS, ...next) + 1
    return complete ? due : Math.min(due, deps.timing.recheckMs)
  }

  /** Seldom: it reads all checkpoints. */
  async #tidy(): Promise<void> {
    const { deps, memory, watches } = this.#parts
    const now = deps.clock.now()
    if (this.#tidiedAt !== undefined && now - this.#tidiedAt < TIDY_MS) return
    this.#tidiedAt = now
    const names = Array.from(watches.policies.store.values(), (p) => p.policy.metadata.name)
    try {
      await memory.tidy(new Set(names), now)
    } catch (e) {
      deps.log.warn({ err: messageOf(e) }, 'checkpoints of policies that are gone stay for now')
    }
  }

  async #advance(policy: ResolvedPolicy, signal: AbortSignal): Promise<boolean> {
    const { feeder, managed, health, shadows } = this.#parts
    if (policy.tiers === undefined) return true
    const bound = await managed.of(policy)
    const sizes = bound.flatMap((m) => m.bound.row?.sizeGiB ?? [])
    if (sizes.length === 0) return true
    health.noteMedian(policy.name, medianSizeGiB(sizes))
    await shadows.open(policy)
    return feeder.advance(policy, bound, signal)
  }

  /** Who is attached, and how much lies on each tier. */
  async #lookAround(): Promise<void> {
    const { deps, managed, watches, detachments, policies, health } = this.#parts
    const now = Math.floor(deps.clock.now() / 1000)
    const at = deps.clock.now()
    const gib = new Map<string, number>()
    const volumes = new Map<string, number>()
    const seen = new Set<string>()
    let looked = 0
    for (const { match, bound } of managed.all()) {
      if (++looked % SLICE === 0) await nextTurn()
      if (bound?.row === undefined || match.policy === undefined) continue
      const { volume, row } = bound
      seen.add(volume.handle)
      const kubernetes = watches.attachments.store.byIndex('volumeName', volume.name).length > 0
      detachments.note(volume.handle, { kubernetes, cinder: row.attached }, now)
      const tier = match.policy.tiers?.find((t) => t.typeId === row.typeId)?.name
      const key = `${match.policy.name}/${tier}`
      gib.set(key, (gib.get(key) ?? 0) + row.sizeGiB)
      volumes.set(match.policy.name, (volumes.get(match.policy.name) ?? 0) + 1)
    }
    policies.setCounts({ gib, volumes, at })
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
    let kicked = false
    this.#wake = () => {
      kicked = true
      stop()
    }
    await sleep(deps.clock, ms, woken.signal)
    signal.removeEventListener('abort', stop)
    if (kicked) await sleep(deps.processClock, GATHER_MS, signal)
  }
}
