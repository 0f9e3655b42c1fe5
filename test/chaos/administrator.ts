import { isReplacing } from '../../src/api/volume-migration.ts'
import type { VolumeMigration } from '../../src/api/volume-migration.ts'
import { cinderRows } from '../lab/cinder-database.ts'
import type { CinderRow } from '../lab/cinder-database.ts'
import { eventually } from '../lab/eventually.ts'
import type { Fleet } from '../lab/fleet.ts'
import { imageOf, POOLS, rbdImages, removeImage } from '../lab/rbd.ts'
import type { Tally } from './figures.ts'

export type AdministratorParts = {
  readonly fleet: Fleet
  readonly metrics: () => Promise<string>
  readonly tally: Tally
}

/** Within that time what is stuck has to be seen everywhere. */
const REPORTED_WITHIN_S = 60
/** Cinder still works on what changes; it has had its time when nothing has for so long. */
const AT_REST_MS = 30_000

/**
 * Does what the runbooks "stuck" and "replacement-stalled" say, and nothing before the controller has reported that it is
 * needed: by the move itself, by an event, and by the metric of the alert.
 */
export class Administrator {
  readonly #parts: AdministratorParts
  readonly #repaired = new Set<string>()
  readonly #waits = new Map<string, { readonly message: string; readonly since: number }>()

  constructor(parts: AdministratorParts) {
    this.#parts = parts
  }

  /** Checks a move that has not ended, while everything runs. */
  async visit(m: VolumeMigration): Promise<void> {
    if (m.status?.step === 'Stuck') await this.#repairRetype(m)
    else if (isReplacing(m)) await this.#repairReplacement(m)
  }

  async #repairRetype(m: VolumeMigration): Promise<void> {
    const { name } = m.metadata
    if (this.#repaired.has(name)) return
    this.#repaired.add(name)
    const { fleet, tally } = this.#parts
    const { reason, message, volumeId = '' } = m.status ?? {}
    await this.#isReported(name, async () => {
      const events = await fleet.events(m.spec.claim.name)
      const metrics = await this.#parts.metrics()
      return (
        (message ?? '').includes('docs/runbooks/stuck.md') &&
        events.some((e) => e.reason === 'MigrationStuck') &&
        /^couchestor_migrations_in_flight\{.*step="Stuck".*\} [1-9]/m.test(metrics)
      )
    })
    note(`${name} is stuck (${reason}); the state of volume ${volumeId} is reset`)
    tally.repaired++
    await this.#removeUnfinished(volumeId)
    await fleet.cinder.resetState(volumeId, 'available', 'none')
  }

  /** Its claim has a volume again; what is left may be anything that Cinder has stopped to work on. */
  async #repairReplacement(m: VolumeMigration): Promise<void> {
    const { step, message = '' } = m.status ?? {}
    if (step !== 'GivingBack' && step !== 'CleaningUp') return
    const waits = /(\S+) is "(?:retyping|creating|deleting)" in Cinder/.exec(message)
    const { name } = m.metadata
    if (waits === null || !this.#isAtRest(name, message)) return
    const { tally } = this.#parts
    const [, id = ''] = waits
    const row = (await cinderRows()).find((r) => r.id === id && !r.isDeleted)
    if (row === undefined) return
    this.#waits.delete(name)
    await this.#isReported(name, async () =>
      /^couchestor_replacement_stalled_seconds\{.*\} [1-9]/m.test(await this.#parts.metrics()),
    )
    note(`${name} waits (${message}); the state of ${row.kind} ${id} is reset`)
    if (!this.#repaired.has(name)) tally.repaired++
    this.#repaired.add(name)
    await this.#reset(row)
  }

  async #reset({ kind, id }: CinderRow): Promise<void> {
    const { cinder } = this.#parts.fleet
    if (kind === 'snapshots') return cinder.resetSnapshot(id, 'error')
    await this.#removeUnfinished(id)
    await cinder.resetState(id, 'error', 'none')
  }

  /** What a copy that was cut has left in the pool of the other type, once it is sure that the volume is in its own. */
  async #removeUnfinished(volumeId: string): Promise<void> {
    const volume = await this.#parts.fleet.cinder.volume(volumeId)
    const { pool: own, image } = imageOf(volume)
    const images = await rbdImages()
    const isThere = POOLS.filter((pool) => images[pool].includes(image))
    // one whose creation was cut has none
    if (isThere.length === 0) return
    if (!isThere.includes(own))
      throw new Error(`${image} is in ${isThere.join(', ')}, not in ${own}`)
    for (const pool of isThere.filter((p) => p !== own)) {
      note(`the unfinished ${pool}/${image} is removed`)
      await removeImage({ pool, image })
    }
  }

  #isAtRest(move: string, message: string): boolean {
    const before = this.#waits.get(move)
    if (before?.message !== message) {
      this.#waits.set(move, { message, since: performance.now() })
      return false
    }
    return performance.now() - before.since > AT_REST_MS
  }

  async #isReported(move: string, check: () => Promise<boolean>): Promise<void> {
    try {
      await eventually(`${move} is reported`, check, REPORTED_WITHIN_S)
    } catch {
      this.#parts.tally.fault('unreportedStuck', move)
    }
  }
}

export function note(text: string): void {
  process.stdout.write(`  ${new Date().toISOString().slice(11, 19)} ${text}\n`)
}
