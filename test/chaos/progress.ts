import { setTimeout as sleep } from 'node:timers/promises'
import { isFinished } from '../../src/api/volume-migration.ts'
import type { Step, VolumeMigration } from '../../src/api/volume-migration.ts'

const POLL_MS = 200

/** Which steps moves were seen in, so that something can happen in the middle of one. */
export class Progress {
  readonly #read: () => Promise<readonly VolumeMigration[]>
  readonly #steps = new Map<string, Set<Step>>()
  readonly #ended = new Set<string>()
  #wakeUp = Promise.withResolvers<void>()
  #open = true
  readonly #polling: Promise<void>

  constructor(read: () => Promise<readonly VolumeMigration[]>) {
    this.#read = read
    this.#polling = this.#poll()
  }

  /** The move is or was in that step, or has ended without being seen in it, or nobody polls any more. */
  async reached(move: string, step: Step): Promise<void> {
    while (this.#open && !this.#ended.has(move) && !this.#steps.get(move)?.has(step))
      await this.#wakeUp.promise
  }

  async close(): Promise<void> {
    this.#open = false
    await this.#polling
    this.#wakeUp.resolve()
  }

  async #poll(): Promise<void> {
    while (this.#open) {
      // while the API server is down there is nothing to see
      const moves = await this.#read().catch(() => [])
      for (const m of moves) this.#see(m)
      this.#wakeUp.resolve()
      this.#wakeUp = Promise.withResolvers()
      await sleep(POLL_MS)
    }
  }

  #see(m: VolumeMigration): void {
    const { name } = m.metadata
    const steps = this.#steps.get(name) ?? new Set()
    this.#steps.set(name, steps.add(m.status?.step ?? 'Waiting'))
    if (isFinished(m)) this.#ended.add(name)
  }
}
