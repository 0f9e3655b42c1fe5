import { AuditUnavailableError } from '../../audit/audit.ts'
import { sleep } from '../../clock.ts'
import { messageOf } from '../../errors.ts'
import { isFinished, routeOf } from '../../api/volume-migration.ts'
import type { VolumeMigration } from '../../api/volume-migration.ts'
import type { ControllerDeps } from '../deps.ts'
import type { Judged } from './decision-inputs.ts'
import type { Migrations } from '../view/migrations.ts'
import { isRefusal } from '../moving/refusals.ts'
import type { Refusals } from '../moving/refusals.ts'
import { counts } from '../view/read-migration.ts'
import type { Reports } from '../view/reports.ts'
import { keyOf } from '../view/watches.ts'

/** How long a pass waits for the API server to take one object; a webhook that hangs goes on without it. */
const PATIENCE_MS = 2_000
/** So many claims of a namespace refused at a time: it is the namespace. */
const REFUSED_NAMESPACE = 3

export type MoveMakerParts = {
  readonly deps: ControllerDeps
  readonly migrations: Migrations
  readonly refusals: Refusals
  readonly reports: Reports
  /** The move of that claim (`namespace/name`) was refused: its place is free. */
  readonly onRefused: (key: string, policy: string) => void
}

/** Creates VolumeMigrations, each on its own: one that is refused, or never answered, costs nobody else anything. */
export class MoveMaker {
  readonly #parts: MoveMakerParts
  /** Policies by volume, of moves that are being made at this moment. */
  readonly #making = new Map<string, string>()

  constructor(parts: MoveMakerParts) {
    this.#parts = parts
  }

  /** Places of the policy taken by moves that are being made. */
  making(policy: string): number {
    let count = 0
    for (const name of this.#making.values()) if (name === policy) count++
    return count
  }

  /** Why the move of that claim (`namespace/name`) is not made now: its own refusal, or that of its namespace. */
  refused(key: string): string | undefined {
    const { refusals } = this.#parts
    const all = refusals.all('volumemigrations')
    if (all.size === 0) return undefined
    const own = refusals.pausing('volumemigrations', key)
    if (own !== undefined) return own
    const prefix = key.slice(0, key.indexOf('/') + 1)
    const others = [...all].filter(([k]) => k.startsWith(prefix)).map(([, refused]) => refused)
    if (others.length < REFUSED_NAMESPACE) return undefined
    const now = this.#parts.deps.processClock.monotonic()
    return others.find(({ until }) => now < until)?.why
  }

  /** Nothing is wanted of that claim any more. */
  forget(key: string): void {
    this.#parts.refusals.clear('volumemigrations', key)
  }

  /** True when the move has a place: it was made, or is being made. Throws what is no refusal. */
  async make(judged: Judged, proposal: VolumeMigration): Promise<boolean> {
    const id = judged.managed.bound?.volume.handle ?? ''
    // a force asks for its object even while the move itself has to wait
    const { namespace, name } = judged.managed.claim
    if (this.refused(`${namespace}/${name}`) !== undefined) return false
    if ((await this.#parts.deps.audit.unavailable()) !== undefined) return false
    // two evaluations may come to the same end at the same time: one of them makes the move, and reports it
    if (this.#making.has(id)) return true
    this.#making.set(id, judged.policy.name)
    const made = this.#create(judged, proposal).finally(() => this.#making.delete(id))
    made.then(
      (end) => {
        if (end === 'refused') this.#parts.onRefused(`${namespace}/${name}`, judged.policy.name)
      },
      () => {},
    )
    const enough = new AbortController()
    const slow = sleep(this.#parts.deps.processClock, PATIENCE_MS, enough.signal).then(() => 'slow')
    try {
      const end = await Promise.race([made, slow])
      if (end !== 'slow') return end === 'made'
    } finally {
      enough.abort()
    }
    made.catch((e: unknown) =>
      this.#parts.deps.log.warn({ err: messageOf(e) }, 'a VolumeMigration could not be created'),
    )
    return true
  }

  async #create(judged: Judged, proposal: VolumeMigration): Promise<'made' | 'over' | 'refused'> {
    const { deps, migrations, refusals, reports } = this.#parts
    const { claim } = judged.managed
    const key = `${claim.namespace}/${claim.name}`
    try {
      // to ask each time would cost a call with its lines in the audit, as often as an owner changes a wish
      const created = migrations.named(keyOf(proposal)) ?? (await migrations.create(proposal))
      refusals.clear('volumemigrations', key)
      // what cannot be read and never began is no move, and its name is taken all the same
      if (isFinished(created) || !counts(created)) return 'over'
      reports.claim(
        claim,
        'MigrationPlanned',
        `${routeOf(created.spec)}: ${judged.verdict.message}`,
      )
      return 'made'
    } catch (e) {
      // that is no refusal of this one, and reported where all of it is
      if (e instanceof AuditUnavailableError) return 'refused'
      if (!isRefusal(e)) throw e
      deps.log.warn({ claim: key, err: messageOf(e) }, 'a VolumeMigration was refused')
      if (refusals.note('volumemigrations', key, e))
        reports.claim(
          claim,
          'WriteRefused',
          `the API server refuses VolumeMigration ${proposal.metadata.name}: ${messageOf(e)}`,
        )
      return 'refused'
    }
  }
}
