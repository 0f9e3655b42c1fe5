import type { Clock } from '../../clock.ts'
import type { Origin } from './catalog.ts'

export type BackendOptions = {
  readonly name: string
  /** Default 1,000,000. */
  readonly totalGiB?: number
  /** Default 200 MiB/s. */
  readonly copyMiBps?: number
  /** Default `nova`. */
  readonly availabilityZone?: string
}

export type VolumeTypeOptions = {
  readonly name: string
  /** Sets the extra spec `volume_backend_name`; left out, the type fits every backend. */
  readonly backend?: string
  readonly extraSpecs?: Readonly<Record<string, string>>
  readonly description?: string
  /** Default true. */
  readonly isPublic?: boolean
  readonly encrypted?: boolean
  readonly frontEndQos?: string
}

/**
 * How this cloud moves data between backends.
 * `detached`: `assisted` copies inside the driver (no second row), `generic` through a twin volume.
 * `attached`: `unsafe` is the affected releases (data written by the client is lost, the answer is success;
 * facts of Launchpad 2019190), `nova` swaps through Nova, `refused` is a cloud without Nova or without the swap right:
 * back to the old type, admin-only `migration_status` = `error`.
 * An extra spec that differs beside `volume_backend_name` takes the generic path, as in the real service.
 */
export type MigrationOptions = {
  readonly detached: 'assisted' | 'generic'
  readonly attached: 'unsafe' | 'nova' | 'refused'
}

/** Durations in ms; data copies come on top. */
export type Latencies = {
  readonly create: number
  readonly delete: number
  readonly snapshot: number
  readonly extend: number
  /** From the 202 of a retype to the scheduler's decision. */
  readonly schedule: number
  /** A retype inside one backend. */
  readonly relabel: number
  /** Time an attached volume shows as `available` with the new type while its migration completes. */
  readonly completion: number
  /** Time the old data stays visible as a second row after a generic migration. */
  readonly sourceRemoval: number
  readonly backupPerGiB: number
  /** From when a backup is there until its volume is free again. */
  readonly backupRelease: number
  readonly restorePerGiB: number
}

export type CloudOptions = {
  readonly clock: Clock
  /** Uniform in [0, 1). Default: a generator with a fixed seed, so that ids repeat from run to run. */
  readonly random?: () => number
  /** Base URLs as the catalog reports them, without a path. Default the usual ports on loopback; see `seams.setOrigin`. */
  readonly origin?: Origin
  /** Names of the regions, the first is the one the volume service lives in. Default `RegionOne`. */
  readonly regions?: readonly string[]
  /** Highest minor of microversion 3. Default 70 (Zed, as the lab). 71 or more = safe attached migrations. */
  readonly maxMinor?: number
  /** Default 3600. */
  readonly tokenLifeSeconds?: number
  /** Default: hot, warm and cold, as the lab. */
  readonly backends?: readonly BackendOptions[]
  /** Default: couchestor-hot, couchestor-warm, couchestor-cold, one per backend, and `__DEFAULT__` for all. */
  readonly volumeTypes?: readonly VolumeTypeOptions[]
  /** Name of the type of a volume created without one. Default `couchestor-hot`, else the first. */
  readonly defaultVolumeType?: string
  /** Default `assisted` and `unsafe`, as the lab's release. */
  readonly migration?: Partial<MigrationOptions>
  readonly latencies?: Partial<Latencies>
  /** Default 1000, as Cinder's `osapi_max_limit`. */
  readonly maxPage?: number
}

export const DEFAULT_LATENCIES: Latencies = {
  create: 300,
  delete: 300,
  snapshot: 500,
  extend: 300,
  schedule: 50,
  relabel: 100,
  completion: 200,
  sourceRemoval: 1000,
  backupPerGiB: 8000,
  backupRelease: 1000,
  restorePerGiB: 4000,
}

export const DEFAULT_BACKENDS: readonly BackendOptions[] = ['hot', 'warm', 'cold'].map((name) => ({
  name,
}))

export const DEFAULT_TYPES: readonly VolumeTypeOptions[] = [
  { name: '__DEFAULT__', description: 'Default Volume Type' },
  ...['warm', 'hot', 'cold'].map((tier) => ({
    name: `couchestor-${tier}`,
    backend: tier,
    description: `${tier} tier`,
  })),
]
