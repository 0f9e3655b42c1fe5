import { windowEnds } from '../../activity/window.ts'
import type { WindowAnswer } from '../../activity/types.ts'
import type { Clock } from '../../clock.ts'

export type Answer = Extract<WindowAnswer, { kind: 'Answer' }>

export type Walk =
  | { readonly kind: 'Done' }
  | { readonly kind: 'Aborted' }
  /** Not even the newest window can be read. */
  | { readonly kind: 'Down'; readonly why: string }
  /** The source answers, but not for the window that ends then. `through` = end of the last one handed over. */
  | { readonly kind: 'Unread'; readonly why: string; readonly through: number }

export type WalkOptions = {
  /** What patience is remembered by. */
  readonly key: string
  /** Seconds. */
  readonly from: number
  readonly to: number
  readonly window: number
  /** The newest window that is complete. */
  readonly latest: number
  readonly signal: AbortSignal
  ask(end: number): Promise<WindowAnswer>
  onAnswer(answer: Answer, end: number): Promise<void>
}

/** A store behind the source may be restarting: a window that cannot be read is asked for this long. */
const PATIENCE_MS = 10 * 60_000

/**
 * Reads windows one by one, oldest first. One that cannot be read while the newest can (older than what the server
 * keeps, a partial answer of its archive) says nothing about the source: it is asked again for a while, and then it and
 * those beside it are a gap, which adds nothing to any volume's history.
 */
export class WindowWalk {
  readonly #clock: Clock
  /** Since when (monotonic ms) which window cannot be read. */
  readonly #failing = new Map<string, { readonly end: number; readonly since: number }>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  async run(options: WalkOptions): Promise<Walk> {
    const { key, from, to, window, latest, signal, ask } = options
    let through = from
    let skipTo = -Infinity
    let hasRead = false
    for (const end of windowEnds(from, to, window)) {
      if (signal.aborted) return { kind: 'Aborted' }
      if (end < skipTo) continue
      const answer = await ask(end)
      if (signal.aborted) return { kind: 'Aborted' }
      if (answer.kind === 'Answer') {
        await options.onAnswer(answer, end)
        through = end
        hasRead = true
        continue
      }
      const newest = end === latest ? answer : await ask(latest)
      if (newest.kind === 'Down') return { kind: 'Down', why: newest.why }
      if (this.#isPatient(key, end, hasRead)) return { kind: 'Unread', why: answer.why, through }
      skipTo = await firstReadable(options, end)
    }
    this.#failing.delete(key)
    return { kind: 'Done' }
  }

  /** A walk that cannot read its first window waits for the same gap, though that begins elsewhere for other claims. */
  #isPatient(key: string, end: number, hasRead: boolean): boolean {
    const now = this.#clock.monotonic()
    const before = this.#failing.get(key)
    const isSame = before !== undefined && (before.end === end || !hasRead)
    const since = isSame ? before.since : now
    this.#failing.set(key, { end, since })
    return now - since < PATIENCE_MS
  }
}

/** Bisects for the first window after `unreadable` that can be read; the one after `to` when none can. */
async function firstReadable(
  { to, window, signal, ask }: WalkOptions,
  unreadable: number,
): Promise<number> {
  let low = unreadable
  let high = to + window
  while (high - low > window && !signal.aborted) {
    const middle = low + Math.floor((high - low) / window / 2) * window
    if ((await ask(middle)).kind === 'Answer') high = middle
    else low = middle
  }
  return high
}
