import type { VolumeMigration, VolumeMigrationStatus } from '../../api/volume-migration.ts'
import { messageOf } from '../../errors.ts'
import type { Migrations } from '../view/migrations.ts'
import { isRefusal } from './refusals.ts'
import type { Refusals } from './refusals.ts'
import type { Reports } from '../view/reports.ts'
import { keyOf } from '../view/watches.ts'

/**
 * Saves what was observed of a move that may be running. What the API server refuses to save is so all the same: it is
 * counted with from memory, so that a move that has ended holds nobody's place, and saved later.
 */
export class ObservedSaves {
  readonly #migrations: Migrations
  readonly #refusals: Refusals
  readonly #reports: Reports
  readonly #onRefused: (m: VolumeMigration) => void

  constructor(parts: {
    migrations: Migrations
    refusals: Refusals
    reports: Reports
    /** What cannot be written cannot start: its place is free. */
    onRefused: (m: VolumeMigration) => void
  }) {
    this.#onRefused = parts.onRefused
    this.#migrations = parts.migrations
    this.#refusals = parts.refusals
    this.#reports = parts.reports
  }

  /** The move as it is known now. Saved first, reported after: a repeat never counts or reports twice. */
  async save(m: VolumeMigration, status: VolumeMigrationStatus): Promise<VolumeMigration> {
    const key = keyOf(m)
    const before = this.#migrations.unsaved(key) ?? m
    if (this.#refusals.pausing(STATUS, key) !== undefined)
      return this.#migrations.observe(m, status)
    try {
      const saved = await this.#migrations.save(m, status)
      this.#refusals.clear(STATUS, key)
      this.#reports.stepTaken(before, saved)
      return saved
    } catch (e) {
      if (!isRefusal(e)) throw e
      this.refused(m, e)
      return this.#migrations.observe(m, status)
    }
  }

  /** What was refused waits for its pause; the claim's owner hears of it once. */
  refused(m: VolumeMigration, e: unknown): void {
    if (this.#refusals.note(STATUS, keyOf(m), e))
      this.#reports.onClaim(
        m,
        'WriteRefused',
        `the API server refuses the status of VolumeMigration ${m.metadata.name}: ${messageOf(e)}`,
      )
    this.#onRefused(m)
  }

  /** It was written, or nothing is left to be written of it. */
  forget(m: VolumeMigration): void {
    this.#refusals.clear(STATUS, keyOf(m))
  }
}

const STATUS = 'volumemigrations/status'
