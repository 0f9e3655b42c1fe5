import type { Clock } from '../clock.ts'

export type Job<T> = { readonly key: string; run(): Promise<T> }

/** `answers` by key. A key in `hanging` was begun and has not returned; any other without an answer waits its turn. */
export type Attempt<T> = {
  readonly answers: ReadonlyMap<string, T>
  readonly hanging: ReadonlySet<string>
}

export type Patience<T> = {
  /** Runs jobs until the deadline. What returns later is the answer of the next attempt that asks for its key. */
  attempt(jobs: readonly Job<T>[]): Promise<Attempt<T>>
  /** Jobs that were begun and have not returned. */
  readonly hanging: number
}

/** A read that hangs holds one of the four threads that Node.js reads files with. */
const MOST_AT_ONCE = 2

/**
 * Runs reads that may never return, for at most `deadlineMs` together, and never more than two at once: those that hang
 * keep their places, and are not begun again before they return. Jobs must not reject.
 */
export function createPatience<T>(clock: Clock, deadlineMs: number): Patience<T> {
  const running = new Set<string>()
  let late = new Map<string, T>()
  return {
    get hanging() {
      return running.size
    },
    attempt: async (jobs) => {
      const answers = new Map<string, T>()
      const queue: Job<T>[] = []
      for (const job of jobs) {
        const answer = late.get(job.key)
        if (answer !== undefined) answers.set(job.key, answer)
        else if (!running.has(job.key)) queue.push(job)
      }
      const later = new Map<string, T>()
      late = later
      let next = 0
      let over = false
      const work = async () => {
        for (let job = queue[next]; job !== undefined && !over; job = queue[next]) {
          next += 1
          running.add(job.key)
          const answer = await job.run()
          running.delete(job.key)
          // an answer that nobody asks for in the next attempt is of a disk that is gone
          if (over) late.set(job.key, answer)
          else answers.set(job.key, answer)
        }
      }
      const free = queue.length === 0 ? 0 : Math.max(0, MOST_AT_ONCE - running.size)
      await within(clock, deadlineMs, Array.from({ length: free }, work))
      over = true
      return { answers, hanging: new Set(running) }
    },
  }
}

async function within(clock: Clock, ms: number, work: readonly Promise<void>[]): Promise<void> {
  if (work.length === 0) return
  const deadline = Promise.withResolvers<void>()
  const timer = clock.setTimer(ms, deadline.resolve)
  await Promise.race([Promise.all(work), deadline.promise])
  timer.cancel()
}
