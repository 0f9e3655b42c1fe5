import type { Config } from '../../api/config.ts'
import { momentOf, realSince } from '../../kube/elapsed.ts'
import type { Moment } from '../../kube/elapsed.ts'
import { CinderError } from '../../openstack/errors.ts'
import type { CinderVolumeType, StoragePool } from '../../openstack/types.ts'
import type { ControllerDeps } from '../deps.ts'
import type { Inventory } from './inventory.ts'

/** Free space on the best pool of a type, GiB, as of `shownAt` (ms); or why it is not known, which holds moves back. */
export type FreeSpace =
  | {
      readonly freeGiB: number
      readonly shownAt: number
      /** Ids of all types whose volumes may come into these pools. */
      readonly typeIds: ReadonlySet<string>
    }
  | { readonly unknown: string }

type Reading = {
  readonly pools: readonly StoragePool[] | undefined
  /** When it was begun. */
  readonly at: Moment
}

const MOST_TURNS_MISSED = 3
/** Cinder shows what a backend reported last, by default once a minute; a report may be lost, or take its time. */
const LONGEST_REPORTED_MS = 3 * 60_000

/** Free space of Cinder's pools, read only where config.yaml has a use for it. */
export class Pools {
  readonly #deps: Pick<ControllerDeps, 'volumes' | 'config' | 'clock'>
  readonly #inventory: Pick<Inventory, 'types' | 'optional' | 'forgetUnreadable'>
  #reading: Reading | undefined
  /** What the inventory has noted as unreadable. */
  #noted: string | undefined

  constructor(
    deps: Pick<ControllerDeps, 'volumes' | 'config' | 'clock'>,
    inventory: Pick<Inventory, 'types' | 'optional' | 'forgetUnreadable'>,
  ) {
    this.#deps = deps
    this.#inventory = inventory
  }

  /** Throws when Cinder does not answer; what was read before stays until it is too old. */
  async read(signal?: AbortSignal): Promise<void> {
    const { config, volumes, clock } = this.#deps
    const tiers = tiersWithMinimum(config())
    const what = `storage pools (min_capacity_gb of tiers ${tiers.join(', ')} has no effect)`
    if (this.#noted !== undefined && this.#noted !== what)
      this.#inventory.forgetUnreadable(this.#noted)
    this.#noted = what
    if (tiers.length === 0) {
      this.#reading = undefined
      return
    }
    const at = momentOf(clock)
    const pools = await this.#inventory.optional(what, async () => {
      const found = await legible(() => volumes.listPools(signal))
      return this.#inventory.types.some((t) => t.extraSpecs !== undefined) ? found : undefined
    })
    this.#reading = { pools, at }
  }

  /** undefined: Cinder does not show it to this credential, and moves go on without. */
  freeFor(type: CinderVolumeType | undefined): FreeSpace | undefined {
    const { clock, config } = this.#deps
    const { types } = this.#inventory
    if (this.#reading === undefined)
      return { unknown: 'the pools have not been read since the controller started' }
    const { pools, at } = this.#reading
    if (pools === undefined) return undefined
    const age = realSince(at, clock)
    if (age > MOST_TURNS_MISSED * config().tasks.pools.everyMs)
      return { unknown: `the pools could not be read for ${Math.round(age / 60_000)} min` }
    // without extra specs it is not known which pools are meant
    if (type?.extraSpecs === undefined) return undefined
    const name = backendOf(type)
    const own = pools.filter((p) => name === undefined || p.backendName === name)
    if (own.length === 0)
      return { unknown: `Cinder shows no pool with volume_backend_name ${name ?? ''}` }
    const free = own.flatMap((p) => p.freeGiB ?? [])
    if (free.length === 0)
      return { unknown: `the driver of pool ${own[0]?.name} does not report its free space` }
    const sharing = types.filter((t) => {
      const other = backendOf(t)
      return name === undefined || other === undefined || other === name
    })
    return {
      freeGiB: Math.max(...free),
      shownAt: at.wall - LONGEST_REPORTED_MS,
      typeIds: new Set(sharing.map((t) => t.id)),
    }
  }
}

/** undefined: any. */
function backendOf({ extraSpecs }: CinderVolumeType): string | undefined {
  return extraSpecs?.['volume_backend_name']
}

/** An answer that nobody can read does not say that this credential may not read the pools. */
async function legible<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (e) {
    if (!(e instanceof CinderError) || e.status === undefined || e.status >= 300) throw e
    throw new Error(e.message, { cause: e })
  }
}

function tiersWithMinimum({ tiers }: Config): readonly string[] {
  return Object.entries(tiers).flatMap(([name, t]) => (t.minCapacityGb === undefined ? [] : name))
}
