import { limitOf, priceOf } from './policies.ts'
import type { Actor, Stage } from './stage.ts'

/** What the fleet costs, and where it is held back; taken from Cinder's own rows while the day goes by. */
export class Bill {
  readonly #stage: Stage
  #hour = -1
  #over = 0
  #overUnmoved = 0

  constructor(stage: Stage) {
    this.#stage = stage
  }

  /** Per month, with the volumes where they were when the day began. */
  get before(): number {
    return this.#sum((a) => a.tier)
  }

  get now(): number {
    return this.#sum((a) => this.#stage.tierOf(a))
  }

  get allHot(): number {
    return this.#sum(() => 'hot')
  }

  get gib(): number {
    return this.#stage.actors.reduce((sum, a) => sum + a.sizeGiB, 0)
  }

  /** Volume-hours of the first day in which a volume wanted more than its tier can do; the second if none had moved. */
  get hoursOver(): { readonly now: number; readonly unmoved: number } {
    return { now: this.#over, unmoved: this.#overUnmoved }
  }

  count(tier: string): number {
    return this.#stage.actors.filter((a) => this.#stage.tierOf(a) === tier).length
  }

  /** Counts each whole hour of the first day once; `hour` is the hour that has come to its end. */
  note(hour: number): void {
    for (; this.#hour < Math.min(hour, 23); this.#hour++) {
      const of = this.#hour + 1
      for (const a of this.#stage.actors) {
        const wanted = a.load(of + 0.5)
        if (wanted > limitOf(this.#stage.tierOf(a))) this.#over++
        if (wanted > limitOf(a.tier)) this.#overUnmoved++
      }
    }
  }

  #sum(tierOf: (a: Actor) => string): number {
    return this.#stage.actors.reduce((sum, a) => sum + a.sizeGiB * priceOf(tierOf(a)), 0)
  }
}

/** What a move changes per month; positive = saved. */
export function savingPerMonth(sizeGiB: number, from: string, to: string): number {
  return sizeGiB * (priceOf(from) - priceOf(to))
}
