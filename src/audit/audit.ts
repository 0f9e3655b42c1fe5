import { sleep } from '../clock.ts'
import type { Clock, Timer } from '../clock.ts'
import { messageOf } from '../errors.ts'
import type { Change, Finding } from './change.ts'
import { endLine, outcomeLine, pendingLine, resumedLine } from './line.ts'
import type { Observer } from './line.ts'

/** Where the lines go: a file, or standard output. */
export interface AuditSink {
  /** Whole lines. Resolves once they outlive the process; rejects when they are not known to. */
  write(lines: string): Promise<void>
}

/** The line that has to come before a call could not be written, so that the call is not made. */
export class AuditUnavailableError extends Error {
  override readonly name = 'AuditUnavailableError'
  /** By this it is known where nobody may import it. */
  readonly unaudited = true
  constructor(why: string) {
    super(`the audit cannot be written: ${why}`)
  }
}

/** A call that may be made now. */
export interface OpenCall {
  /** Never throws: what cannot be written is kept, and written first once lines can be written again. */
  ended(finding: Finding): Promise<void>
}

export type AuditParts = {
  readonly sink: AuditSink
  /** Time of the lines. */
  readonly clock: Clock
  /** Time of the process. */
  readonly processClock: Clock
  readonly observer: Observer
}

/** A write that hangs for longer counts as failed. */
const LONGEST_WRITE_MS = 5_000
const RETRY_MS = 10_000
/** Outcomes that are kept while nothing can be written; of those beyond it only the number is known. */
const MOST_KEPT = 10_000

type Queued = {
  /** Made when it is written. */
  readonly line: () => string
  readonly done: (why: string | undefined) => void
}

/** Two lines for each call that changes something, in the order of the calls: one before it, one after. */
export class Audit {
  readonly #parts: AuditParts
  readonly #listeners = new Set<(problem: string | undefined) => void>()
  readonly #queue: Queued[] = []
  #kept: string[] = []
  #lost = 0
  #isWriting = false
  #isHanging = false
  #problem: { readonly why: string; readonly since: number } | undefined
  #retryAt = 0
  #retry: Timer | undefined
  #resuming: Promise<unknown> | undefined
  #isClosed = false

  constructor(parts: AuditParts) {
    this.#parts = parts
  }

  /** Why the last line could not be written. */
  get problem(): string | undefined {
    return this.#problem?.why
  }

  /** Called whenever lines cannot be written any more, or can again. Returns the unsubscribe. */
  subscribe(listener: (problem: string | undefined) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Why no call can be made now. After a failure it is tried again, every ten seconds at most. */
  async unavailable(): Promise<string | undefined> {
    if (this.#problem === undefined) return undefined
    if (this.#parts.processClock.monotonic() >= this.#retryAt) await this.#resume()
    return this.problem
  }

  /** Writes the first line of a call. Throws `AuditUnavailableError` when it cannot be: then the call must not be made. */
  async begin(change: Change): Promise<OpenCall> {
    const unavailable = await this.unavailable()
    if (unavailable !== undefined) throw new AuditUnavailableError(unavailable)
    const why = await this.#put(pendingLine(this.#written(change)))
    if (why !== undefined) {
      // the line may be there all the same
      const reason = { type: 'couchestor.io', code: 'AuditUnavailable' } as const
      this.#keep(outcomeLine(this.#written(change), { outcome: 'failure', reason }))
      throw new AuditUnavailableError(why)
    }
    return this.#opened(change)
  }

  /**
   * The same for a call that gives back what somebody is without: it does not wait for the audit. Lines that cannot be
   * written are kept, as those of calls that were made before.
   */
  async beginNow(change: Change): Promise<OpenCall> {
    await this.#note(pendingLine(this.#written(change)))
    return this.#opened(change)
  }

  #opened(change: Change): OpenCall {
    const { processClock } = this.#parts
    const startedAt = processClock.monotonic()
    return {
      ended: (finding) => {
        const took = processClock.monotonic() - startedAt
        return this.#note(outcomeLine(this.#written(change), finding, took))
      },
    }
  }

  /** What became of a call that was made, now or by an earlier leader. Never throws. */
  end(change: Change, finding: Finding): Promise<void> {
    return this.#note(endLine(this.#written(change), finding))
  }

  /** Writes what is kept, if that can be done at once. No further try is made by itself. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#retry?.cancel()
    if (this.#problem !== undefined || this.#kept.length > 0) await this.#resume()
  }

  #written(change: Change) {
    return { change, at: this.#parts.clock.now(), observer: this.#parts.observer }
  }

  async #note(line: string): Promise<void> {
    if (this.#problem !== undefined) return this.#keep(line)
    if ((await this.#put(line)) !== undefined) this.#keep(line)
  }

  #keep(line: string): void {
    if (this.#kept.length < MOST_KEPT) this.#kept.push(line)
    else this.#lost++
  }

  /** What was kept before; what came meanwhile is younger. */
  #keepAgain(kept: readonly string[]): void {
    const younger = this.#kept
    this.#kept = [...kept]
    for (const line of younger) this.#keep(line)
  }

  #resume(): Promise<unknown> {
    const { clock, observer } = this.#parts
    const since = this.#problem?.since ?? clock.now()
    // how many were lost is known when it is written: a write before it may hang
    this.#resuming ??= this.#put(() =>
      resumedLine(clock.now(), observer, since, this.#lost),
    ).finally(() => (this.#resuming = undefined))
    return this.#resuming
  }

  /** Resolves to why the line is not known to be written. */
  #put(line: string | (() => string)): Promise<string | undefined> {
    return new Promise((resolve) => {
      this.#queue.push({ line: typeof line === 'string' ? () => line : line, done: resolve })
      if (!this.#isWriting) void this.#writeAll()
    })
  }

  /** One write at a time, of all that waits: calls that are made together share its cost. */
  async #writeAll(): Promise<void> {
    this.#isWriting = true
    while (this.#queue.length > 0) {
      const kept = this.#kept
      const queued = this.#queue.splice(0)
      const lost = this.#lost
      this.#kept = []
      const why = await this.#write([...kept, ...queued.map((q) => q.line())].join(''))
      if (why === undefined) this.#lost -= lost
      else this.#keepAgain(kept)
      this.#is(why)
      for (const { done } of queued) done(why)
    }
    this.#isWriting = false
  }

  async #write(lines: string): Promise<string | undefined> {
    if (this.#isHanging) return 'an earlier write has not ended yet'
    const work = this.#parts.sink.write(lines).then(
      () => undefined,
      (e: unknown) => messageOf(e),
    )
    const enough = new AbortController()
    const late = sleep(this.#parts.processClock, LONGEST_WRITE_MS, enough.signal).then(
      () => `a write has not ended within ${LONGEST_WRITE_MS / 1000} s`,
    )
    const result = await Promise.race([
      work.then((why) => ({ why, isLate: false })),
      late.then((why) => ({ why, isLate: true })),
    ])
    enough.abort()
    if (result.isLate) {
      this.#isHanging = true
      void work.then(() => (this.#isHanging = false))
    }
    return result.why
  }

  #is(why: string | undefined): void {
    const { clock, processClock } = this.#parts
    const before = this.problem
    this.#retry?.cancel()
    if (why === undefined) this.#problem = undefined
    else {
      this.#problem = { why, since: this.#problem?.since ?? clock.now() }
      this.#retryAt = processClock.monotonic() + RETRY_MS
      if (!this.#isClosed) this.#retry = processClock.setTimer(RETRY_MS, () => void this.#resume())
    }
    if ((why === undefined) !== (before === undefined))
      for (const listener of this.#listeners) listener(why)
  }
}
