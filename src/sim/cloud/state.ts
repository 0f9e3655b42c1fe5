import type { Clock } from '../../clock.ts'
import type { Origin } from './catalog.ts'
import { createByVolume } from './by-volume.ts'
import type { ByVolume } from './by-volume.ts'
import { createIdentity } from './identity.ts'
import type { Identity } from './identity.ts'
import { createIds, seededRandom } from './ids.ts'
import type { Ids } from './ids.ts'
import type {
  AttachmentRow,
  BackendRow,
  BackupRow,
  BackupService,
  MessageRow,
  SnapshotRow,
  TransferRow,
  VolumeRow,
  VolumeTypeRow,
} from './model.ts'
import { DEFAULT_BACKENDS, DEFAULT_LATENCIES, DEFAULT_TYPES } from './options.ts'
import type {
  BackendOptions,
  CloudOptions,
  Latencies,
  MigrationOptions,
  VolumeTypeOptions,
} from './options.ts'
import { createQuota } from './quota.ts'
import type { Quota } from './quota.ts'
import { createVolumeStore } from './volume-store.ts'
import type { VolumeStore } from './volume-store.ts'

/** Everything the simulated cloud knows. */
export type State = {
  readonly clock: Clock
  readonly ids: Ids
  readonly identity: Identity
  readonly volumes: VolumeStore
  readonly snapshots: ByVolume<SnapshotRow>
  readonly attachments: ByVolume<AttachmentRow>
  readonly types: Map<string, VolumeTypeRow>
  readonly backends: BackendRow[]
  readonly messages: MessageRow[]
  readonly transfers: Map<string, TransferRow>
  readonly backups: Map<string, BackupRow>
  readonly backupService: BackupService
  readonly quota: Quota
  readonly latencies: Latencies
  readonly migration: MigrationOptions
  readonly maxMinor: number
  readonly maxPage: number
  readonly defaultTypeName: string
  origin: Origin
  /** Volumes whose client still writes to an image that is gone (an unsafe retype while attached). */
  readonly dangling: Set<string>
}

/** The state of a fresh cloud, with its backends and types and nobody in it. */
export function createState(options: CloudOptions): State {
  const ids = createIds(options.random ?? seededRandom(1))
  const life = (options.tokenLifeSeconds ?? 3600) * 1000
  const types = new Map<string, VolumeTypeRow>()
  const state: State = {
    clock: options.clock,
    ids,
    identity: createIdentity(options.clock, ids, life),
    volumes: createVolumeStore(),
    snapshots: createByVolume(),
    attachments: createByVolume(),
    types,
    backends: [],
    messages: [],
    transfers: new Map(),
    backups: new Map(),
    backupService: { service: 'up', fails: false, restores: 'as it was' },
    quota: createQuota((resource) => resourceName(types, resource)),
    latencies: { ...DEFAULT_LATENCIES, ...options.latencies },
    migration: { detached: 'assisted', attached: 'unsafe', ...options.migration },
    maxMinor: options.maxMinor ?? 70,
    maxPage: options.maxPage ?? 1000,
    defaultTypeName: options.defaultVolumeType ?? 'couchestor-hot',
    origin: options.origin ?? {
      identity: 'http://127.0.0.1:5000',
      volume: 'http://127.0.0.1:8776',
    },
    dangling: new Set(),
  }
  for (const backend of options.backends ?? DEFAULT_BACKENDS) addBackend(state, backend)
  for (const type of options.volumeTypes ?? DEFAULT_TYPES) addVolumeType(state, type)
  return state
}

function resourceName(types: ReadonlyMap<string, VolumeTypeRow>, resource: string): string {
  const [kind, typeId] = resource.split('/')
  return typeId === undefined ? kind! : `${kind!}_${types.get(typeId)?.name ?? typeId}`
}

export function addBackend(state: State, options: BackendOptions): BackendRow {
  const row: BackendRow = {
    name: options.name,
    host: `sim@${options.name}#${options.name}`,
    serviceId: state.ids.uuid(),
    availabilityZone: options.availabilityZone ?? 'nova',
    totalGiB: options.totalGiB ?? 1_000_000,
    allocatedGiB: 0,
    copyMiBps: options.copyMiBps ?? 200,
    up: true,
  }
  state.backends.push(row)
  return row
}

export function addVolumeType(state: State, options: VolumeTypeOptions): VolumeTypeRow {
  const backend = options.backend === undefined ? {} : { volume_backend_name: options.backend }
  const row: VolumeTypeRow = {
    id: state.ids.uuid(),
    name: options.name,
    description: options.description ?? null,
    isPublic: options.isPublic ?? true,
    createdAt: state.clock.now(),
    extraSpecs: { ...backend, ...options.extraSpecs },
    access: new Set(),
    encrypted: options.encrypted ?? false,
    frontEndQos: options.frontEndQos ?? null,
    qosSpecsId: options.frontEndQos === undefined ? null : state.ids.uuid(),
  }
  state.types.set(row.id, row)
  return row
}

/** By id, else by name. */
export function findType(state: State, idOrName: string): VolumeTypeRow | undefined {
  const byId = state.types.get(idOrName)
  if (byId) return byId
  for (const type of state.types.values()) if (type.name === idOrName) return type
  return undefined
}

export function defaultType(state: State): VolumeTypeRow {
  return findType(state, state.defaultTypeName) ?? state.types.values().next().value!
}

export const backendAt = (state: State, host: string | null): BackendRow | undefined =>
  state.backends.find((b) => b.host === host)

/** Moves a volume's bytes to another backend's account; null when it is on none. */
export function place(state: State, row: VolumeRow, host: string | null): void {
  const from = backendAt(state, row.host)
  if (from) from.allocatedGiB -= row.sizeGiB
  row.host = host
  const to = backendAt(state, host)
  if (to) to.allocatedGiB += row.sizeGiB
}

/** Saves a change of a row: `updated_at` becomes now. */
export function save(state: State, row: VolumeRow, changes: Partial<VolumeRow>): void {
  Object.assign(row, changes)
  row.updatedAt = state.clock.now()
}

/** Takes a volume away with what it used. */
export function dropVolume(state: State, row: VolumeRow): void {
  place(state, row, null)
  state.volumes.remove(row.id)
  state.dangling.delete(row.id)
}
