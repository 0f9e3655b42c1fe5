import type { VolumeMigration } from '../../api/volume-migration.ts'
import type { TypeQuota } from '../../blockers/quota.ts'
import type { QuotaLine, RetypeAnswer } from '../../openstack/types.ts'
import type { ControllerDeps } from '../deps.ts'
import type { Inventory } from './inventory.ts'
import type { Migrations } from './migrations.ts'

/** What a move takes of the quota of its target type until its end, on top of what its volume has on the old one. */
export type QuotaNeed = { readonly typeId: string; readonly sizeGiB: number }

type Read = {
  /** undefined where the credential may not read them. */
  readonly lines: ReadonlyMap<string, QuotaLine> | undefined
  /** By type id. Keys carry names, and Cinder renames them together with the type. */
  readonly names: ReadonlyMap<string, string>
  readonly begun: number
  /** `clock.monotonic()` */
  readonly begunAt: number
}

/**
 * The whole quota set of the project, together with the types that the project may see: one read serves all moves. Cinder
 * counts a move from the moment it accepts the call; until a read has begun after that, it is subtracted here.
 */
export class Quotas {
  readonly #deps: Pick<ControllerDeps, 'volumes' | 'clock'>
  readonly #inventory: Inventory
  readonly #migrations: Pick<Migrations, 'inFlight'>
  #last: Read | undefined
  #reading: Promise<void> | undefined
  /** Orders reads and answers: two of them may fall into one millisecond. */
  #tick = 0
  /** A read that began earlier lacks something of ours. */
  #changed = 0
  /** When Cinder accepted the call of a move, by uid. */
  readonly #accepted = new Map<string, number>()

  constructor(
    deps: Pick<ControllerDeps, 'volumes' | 'clock'>,
    inventory: Inventory,
    migrations: Pick<Migrations, 'inFlight'>,
  ) {
    this.#deps = deps
    this.#inventory = inventory
    this.#migrations = migrations
  }

  /**
   * Reads unless the last read was begun at most so many ms ago, and after the last call and end of a move. Who asks while
   * one is under way waits for it. True when this call has read them, and the types with them. Throws when Cinder does not
   * answer; a credential that may not read quotas has none.
   */
  async read(maxAgeMs: number): Promise<boolean> {
    if (this.#isFresh(maxAgeMs)) return false
    if (this.#reading !== undefined) {
      await this.#reading
      return this.read(maxAgeMs)
    }
    this.#reading = this.#readNow().finally(() => (this.#reading = undefined))
    await this.#reading
    return true
  }

  /** False before the first read, and where the credential may not read them. */
  get known(): boolean {
    return this.#last?.lines !== undefined
  }

  /** As last read, by Cinder's keys: `gigabytes`, `gigabytes_<type>`, … Empty where they are not known. */
  get lines(): ReadonlyMap<string, QuotaLine> {
    return this.#last?.lines ?? NONE
  }

  /** The call of a move has ended. */
  called({ metadata }: VolumeMigration, answer: Pick<RetypeAnswer, 'kind'>): void {
    this.#changed = ++this.#tick
    if (answer.kind === 'Accepted') this.#accepted.set(metadata.uid ?? '', this.#changed)
  }

  /** A move has ended: its old type is free now, or its new one again. */
  ended(m: VolumeMigration): void {
    this.#changed = ++this.#tick
    this.forget(m)
  }

  /** Forgets what is kept of a finished move. */
  forget({ metadata }: VolumeMigration): void {
    this.#accepted.delete(metadata.uid ?? '')
  }

  /**
   * What a retype to that type counts against now, the moves included that Cinder does not count yet; `planned` ones too.
   * `except`: that move itself. Empty where nothing is known: Cinder itself refuses what exceeds its limits.
   */
  of(typeId: string, more: More = {}): readonly TypeQuota[] {
    const name = this.#last?.names.get(typeId)
    if (name === undefined) return []
    const coming = this.#coming(typeId, more)
    const gib = coming.reduce((sum, need) => sum + need.sizeGiB, 0)
    return [
      ...this.#line(`gigabytes_${name}`, gib),
      ...this.#line(`volumes_${name}`, coming.length),
    ]
  }

  /** Types whose quota has not room for everything that is wanted there. Moves that run already have theirs. */
  shortOf(wanted: Iterable<QuotaNeed & { readonly volumeId: string }>): ReadonlySet<string> {
    if (!this.known) return NO_TYPES
    const running = new Set(this.#migrations.inFlight().map((m) => m.status?.volumeId))
    const needs = Array.from(wanted).filter((need) => !running.has(need.volumeId))
    const short = new Set<string>()
    for (const typeId of new Set(needs.map((need) => need.typeId)))
      if (this.of(typeId, { planned: needs }).some(isOverdrawn)) short.add(typeId)
    return short
  }

  #line(key: string, coming: number): readonly TypeQuota[] {
    const line = this.lines.get(key)
    return line === undefined ? [] : [{ key, ...line, reserved: line.reserved + coming }]
  }

  #coming(typeId: string, { except, planned = [] }: More): readonly QuotaNeed[] {
    const uncounted = this.#migrations
      .inFlight()
      .filter((m) => m.metadata.uid !== except?.metadata.uid && !this.#isCounted(m))
      .map(({ status }) => ({
        typeId: status?.intent?.toTypeId ?? '',
        sizeGiB: status?.sizeGiB ?? 0,
      }))
    return [...uncounted, ...planned].filter((need) => need.typeId === typeId)
  }

  /** What nobody knows of counts here as well: it may reach Cinder yet. */
  #isCounted({ metadata, status }: VolumeMigration): boolean {
    const accepted = this.#accepted.get(metadata.uid ?? '')
    if (accepted !== undefined) return accepted < (this.#last?.begun ?? 0)
    return status?.step !== 'Requested' || status.call?.kind === 'Accepted'
  }

  #isFresh(maxAgeMs: number): boolean {
    if (this.#last === undefined || this.#last.begun < this.#changed) return false
    return this.#deps.clock.monotonic() - this.#last.begunAt <= maxAgeMs
  }

  async #readNow(): Promise<void> {
    const begun = ++this.#tick
    const begunAt = this.#deps.clock.monotonic()
    const [lines] = await Promise.all([
      this.#inventory.optional('quotas', () => this.#deps.volumes.getQuota()),
      // names and quota keys change together
      this.#inventory.readTypes(),
    ])
    const names = new Map(this.#inventory.types.map((t) => [t.id, t.name]))
    this.#last = { lines, names, begun, begunAt }
  }
}

type More = { readonly except?: VolumeMigration; readonly planned?: readonly QuotaNeed[] }

function isOverdrawn({ limit, inUse, reserved }: TypeQuota): boolean {
  return limit >= 0 && inUse + reserved > limit
}

const NO_TYPES: ReadonlySet<string> = new Set()
const NONE: ReadonlyMap<string, QuotaLine> = new Map<string, QuotaLine>()
