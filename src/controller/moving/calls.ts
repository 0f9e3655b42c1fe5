import type { VolumeMigration } from '../../api/volume-migration.ts'
import type { Clock } from '../../clock.ts'
import { isRetryable } from '../../migration/retryable.ts'
import type { ActAnswer } from './adapter.ts'

/** `clock.monotonic()` at the call's end, and for how long it must not be repeated from then on. */
type Call = { readonly endedAt: number; readonly pauseMs: number; readonly streak: number }

const SHORTEST_PAUSE_MS = 30_000
const LONGEST_PAUSE_MS = 600_000

/** The calls that this leader itself has made: which are under way, when they ended, and when to ask again. */
export class Calls {
  readonly #clock: Clock
  readonly #last = new Map<string, Call>()
  readonly #underWay = new Set<string>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /**
   * When the last call of that move was given up or answered (`clock.monotonic()`): from then on nothing of it may be
   * sent any more. undefined when an earlier leader made it.
   */
  endedAt(m: VolumeMigration): number | undefined {
    return this.#last.get(uidOf(m))?.endedAt
  }

  /** A call about that volume may be on its way at this moment. */
  isCalling(volumeId: string): boolean {
    return this.#underWay.has(volumeId)
  }

  /** Ms for which the call must not be repeated, by what its last answers asked for. */
  pauseMs(m: VolumeMigration): number {
    const call = this.#last.get(uidOf(m))
    if (call === undefined) return 0
    return Math.max(0, call.endedAt + call.pauseMs - this.#clock.monotonic())
  }

  /** The volume counts as being called about until `work`, which makes the call and saves its answer, is done. */
  async during<T>(volumeId: string, work: () => Promise<T>): Promise<T> {
    this.#underWay.add(volumeId)
    try {
      return await work()
    } finally {
      this.#underWay.delete(volumeId)
    }
  }

  /** Forgets what is kept of a finished move. */
  forget(m: VolumeMigration): void {
    this.#last.delete(uidOf(m))
  }

  /** To be called as soon as the call has ended. */
  ended(m: VolumeMigration, answer: ActAnswer): void {
    const refused = isLater(answer)
    const streak = refused ? (this.#last.get(uidOf(m))?.streak ?? 0) + 1 : 0
    const asked = 'retryAfterMs' in answer ? (answer.retryAfterMs ?? 0) : 0
    const backOff = Math.min(LONGEST_PAUSE_MS, SHORTEST_PAUSE_MS * 2 ** Math.min(streak - 1, 10))
    this.#last.set(uidOf(m), {
      endedAt: this.#clock.monotonic(),
      pauseMs: refused ? Math.max(asked, backOff) : 0,
      streak,
    })
  }
}

function uidOf(m: VolumeMigration): string {
  return m.metadata.uid ?? ''
}

/** Refused, or not answered, by something that says nothing about this call: it is repeated, after a pause. */
function isLater(answer: ActAnswer): boolean {
  if (answer.kind === 'Rejected')
    return !answer.quota && [401, 413, 429].includes(answer.httpStatus)
  return answer.kind === 'Unknown' && isRetryable(answer)
}
