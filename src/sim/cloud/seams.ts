import type { Resource } from '../gnocchi/resource.ts'
import type { PolledDisk, Store } from '../gnocchi/store.ts'
import { release } from './attachments-api.ts'
import type { Origin } from './catalog.ts'
import type { Faults, FaultRule, JournalEntry, ServiceName } from './faults.ts'
import type { AppCredentialRow, ProjectRow, UserRow } from './identity.ts'
import type { Migrations, PlannedOutcome } from './migrations.ts'
import type { BackendRow, SnapshotRow, VolumeRow, VolumeTypeRow } from './model.ts'
import type { BackendOptions, VolumeTypeOptions } from './options.ts'
import { amountsFor } from './quota.ts'
import { isMultiattach } from './request-retype.ts'
import { chooseBackend } from './scheduler.ts'
import { dropSnapshot } from './snapshots-api.ts'
import {
  addBackend,
  addVolumeType,
  defaultType,
  dropVolume,
  findType,
  place,
  save,
} from './state.ts'
import type { State } from './state.ts'

export type NewVolume = {
  /** Default: project `couchestor`. */
  readonly projectId?: string
  readonly id?: string
  readonly name?: string
  readonly sizeGiB: number
  /** Id or name. */
  readonly type?: string
  readonly metadata?: Readonly<Record<string, string>>
  /** ms; default now. */
  readonly createdAt?: number
  /** Default: a token made of the id. */
  readonly data?: string
  readonly groupId?: string
  readonly bootable?: boolean
}

export type Account = {
  readonly project: ProjectRow
  readonly user: UserRow
}

/** What a test may do that no client can: seed, inspect, make things fail. */
export type Seams = {
  readonly admin: Account
  readonly couchestor: Account
  readonly other: Account
  /** Application credential of a plain member of project couchestor. */
  readonly operator: AppCredentialRow
  setOrigin(origin: Origin): void

  addProject(name: string): ProjectRow
  addUser(name: string, password: string, project: ProjectRow, roles: readonly string[]): UserRow
  addAppCredential(
    account: Account,
    name: string,
    options?: { readonly expiresAt?: number; readonly unrestricted?: boolean },
  ): AppCredentialRow
  removeAppCredential(id: string): void
  /** Every token is refused from now on; clients can get new ones. */
  expireTokens(): void

  addBackend(options: BackendOptions): BackendRow
  backend(name: string): BackendRow
  addVolumeType(options: VolumeTypeOptions): VolumeTypeRow
  /** By id or name; throws when there is none. */
  volumeType(idOrName: string): VolumeTypeRow
  /** By id or name. A private type is seen by the projects that have access, and by administrators. */
  setTypeAccess(type: string, projectId: string, allowed: boolean): void
  /** Keys as quota sets have them: `gigabytes_<type name>`, `volumes`, … -1 = unlimited. */
  setQuota(projectId: string, limits: Readonly<Record<string, number>>): void
  /** By the same keys. */
  quota(
    projectId: string,
    key: string,
  ): { readonly limit: number; readonly inUse: number; readonly reserved: number }
  /** Cinder forgets an update of what is in use: so much more or less than there is, by keys of the quota set. */
  loseCount(projectId: string, amounts: Readonly<Record<string, number>>): void

  /** A volume that is there, `available` and counted, without asking the API. */
  addVolume(volume: NewVolume): VolumeRow
  volume(id: string): VolumeRow | undefined
  /** As the CSI driver does. True when it is gone; false as long as it has snapshots or is attached. */
  deleteVolume(id: string): boolean
  volumeCount(): number
  /** Newest first, of all projects. */
  volumes(): readonly VolumeRow[]
  snapshots(): readonly SnapshotRow[]
  addSnapshot(volumeId: string, name?: string, createdAt?: number): SnapshotRow
  removeSnapshot(id: string): void
  attach(volumeId: string, serverId: string, device?: string, hostName?: string): void
  /** Throws while the volume is busy, as Nova's detach fails. */
  detach(volumeId: string, serverId?: string): void
  setStatus(volumeId: string, status: string): void

  /** What the volume holds. */
  data(volumeId: string): string
  /** A client's write; lost without an error when the volume was retyped unsafely while attached. */
  write(volumeId: string, data: string): void

  /** undefined = as the cloud does by itself. */
  planRetype(volumeId: string, outcome: PlannedOutcome | undefined): void
  /** cinder-volume dies in mid-copy: the named volumes stay `retyping` for ever. */
  killCopies(): readonly string[]
  retyping(): readonly string[]

  /** A disk that Gnocchi has measures of as time goes on, as if Ceilometer polled it. */
  pollDisk(disk: PolledDisk): Resource

  addFault(rule: FaultRule): () => void
  clearFaults(): void
  setDown(service: ServiceName, down: boolean): void
  journal(): readonly JournalEntry[]
  clearJournal(): void
  /** Retypes Cinder received for a volume, lost replies included. */
  retypesOf(volumeId: string): readonly JournalEntry[]
}

/** The seams of a cloud, with its three projects, their users and one application credential. */
export function createSeams(
  state: State,
  migrations: Migrations,
  faults: Faults,
  gnocchi: Store,
): Seams {
  const accounts = createAccounts(state)
  const { identity } = state
  return {
    ...accounts,
    setOrigin: (origin) => void (state.origin = { ...origin }),
    addProject: (name) => identity.addProject(name),
    addUser: (...user) => identity.addUser(...user),
    addAppCredential: (account, name, options = {}) =>
      identity.addAppCredential({
        name,
        userId: account.user.id,
        projectId: account.project.id,
        roles: account.user.roles.get(account.project.id) ?? [],
        expiresAt: options.expiresAt,
        unrestricted: options.unrestricted ?? false,
      }),
    removeAppCredential: (id) => identity.removeAppCredential(id),
    expireTokens: () => identity.revokeAll(),
    addBackend: (options) => addBackend(state, options),
    backend: (name) =>
      must(
        state.backends.find((b) => b.name === name),
        `backend ${name}`,
      ),
    addVolumeType: (options) => addVolumeType(state, options),
    volumeType: (idOrName) => must(findType(state, idOrName), `volume type ${idOrName}`),
    setTypeAccess: (type, projectId, allowed) => {
      const row = must(findType(state, type), `volume type ${type}`)
      row.isPublic = false
      if (allowed) row.access.add(projectId)
      else row.access.delete(projectId)
    },
    setQuota: (projectId, limits) => setQuota(state, projectId, limits),
    quota: (projectId, key) => {
      const of = [projectId, resourceOf(state, key)] as const
      const { quota } = state
      return {
        limit: quota.limit(...of),
        inUse: quota.inUse(...of),
        reserved: quota.reserved(...of),
      }
    },
    loseCount: (projectId, amounts) => {
      for (const [key, by] of Object.entries(amounts))
        state.quota.add(projectId, { [resourceOf(state, key)]: by })
    },
    addVolume: (volume) => addVolume(state, accounts.couchestor, volume),
    volume: (id) => state.volumes.get(id),
    deleteVolume: (id) => deleteVolume(state, id),
    volumeCount: () => state.volumes.size,
    volumes: () => Array.from(state.volumes.newestFirst(undefined)),
    snapshots: () => Array.from(state.snapshots.all()),
    addSnapshot: (volumeId, ...rest) => addSnapshot(state, existing(state, volumeId), ...rest),
    removeSnapshot: (id) => dropSnapshot(state, must(state.snapshots.get(id), `snapshot ${id}`)),
    attach: (volumeId, ...rest) => attach(state, existing(state, volumeId), ...rest),
    detach: (volumeId, serverId) => detach(state, existing(state, volumeId), serverId),
    setStatus: (volumeId, status) => save(state, existing(state, volumeId), { status }),
    data: (volumeId) => existing(state, volumeId).data,
    write: (volumeId, data) => {
      const row = existing(state, volumeId)
      if (!state.dangling.has(volumeId)) row.data = data
    },
    planRetype: (volumeId, outcome) => migrations.planNext(volumeId, outcome),
    killCopies: () => migrations.killCopies(),
    retyping: () => migrations.running(),
    addFault: (rule) => faults.add(rule),
    clearFaults: () => faults.clear(),
    pollDisk: (disk) => {
      const { user, project } = accounts.couchestor
      return gnocchi.poll(disk, { userId: user.id, projectId: project.id })
    },
    setDown: (service, down) => faults.setDown(service, down),
    journal: () => faults.journal(),
    clearJournal: () => faults.clearJournal(),
    retypesOf: (volumeId) =>
      faults
        .journal()
        .filter((e) => e.path.endsWith(`/volumes/${volumeId}/action`) && e.dropped !== 'before')
        .filter((e) => typeof e.body === 'object' && e.body !== null && 'os-retype' in e.body),
  }
}

function createAccounts(state: State) {
  const { identity } = state
  const account = (name: string, roles: readonly string[]): Account => {
    const project = identity.addProject(name)
    for (const what of ['volumes', 'snapshots', 'gigabytes'])
      state.quota.setLimit(project.id, what, -1)
    return { project, user: identity.addUser(name, state.ids.secret(24), project, roles) }
  }
  const admin = account('admin', ['member', 'admin', 'reader'])
  const couchestor = account('couchestor', ['member', 'reader'])
  const operator = identity.addAppCredential({
    name: 'operator',
    userId: couchestor.user.id,
    projectId: couchestor.project.id,
    roles: ['member'],
    expiresAt: undefined,
    unrestricted: false,
  })
  return { admin, couchestor, other: account('other', ['member', 'reader']), operator }
}

function must<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`the simulated cloud has no ${what}`)
  return value
}

const existing = (state: State, id: string) => must(state.volumes.get(id), `volume ${id}`)

function setQuota(state: State, projectId: string, limits: Readonly<Record<string, number>>): void {
  for (const [name, limit] of Object.entries(limits))
    state.quota.setLimit(projectId, resourceOf(state, name), limit)
}

function resourceOf(state: State, name: string): string {
  const [, kind, typeName] = /^(volumes|gigabytes|snapshots)_(.+)$/.exec(name) ?? []
  const type = typeName === undefined ? undefined : must(findType(state, typeName), name)
  return type ? `${kind!}/${type.id}` : name
}

function addVolume(state: State, owner: Account, input: NewVolume): VolumeRow {
  const type =
    input.type === undefined
      ? defaultType(state)
      : must(findType(state, input.type), `volume type ${input.type}`)
  const id = input.id ?? state.ids.uuid()
  const createdAt = input.createdAt ?? state.clock.now()
  const zone = state.backends[0]?.availabilityZone ?? 'nova'
  const backend = must(chooseBackend(state, type, input.sizeGiB, zone), `backend for ${type.name}`)
  const row: VolumeRow = {
    id,
    projectId: input.projectId ?? owner.project.id,
    userId: owner.user.id,
    name: input.name ?? null,
    description: null,
    status: 'available',
    previousStatus: null,
    sizeGiB: input.sizeGiB,
    typeId: type.id,
    availabilityZone: backend.availabilityZone,
    host: null,
    createdAt,
    updatedAt: createdAt,
    metadata: { ...input.metadata },
    bootable: input.bootable ?? false,
    encrypted: type.encrypted,
    multiattach: isMultiattach(type),
    groupId: input.groupId ?? null,
    migrationStatus: null,
    nameId: null,
    snapshotId: null,
    dependsOnSnapshot: null,
    sourceVolid: null,
    useQuota: true,
    attachmentsHidden: false,
    data: input.data ?? `data of ${id}`,
  }
  state.volumes.add(row)
  place(state, row, backend.host)
  state.quota.add(row.projectId, amountsFor('volumes', row.sizeGiB, type.id))
  return row
}

function addSnapshot(
  state: State,
  volume: VolumeRow,
  name?: string,
  createdAt = state.clock.now(),
): SnapshotRow {
  const row: SnapshotRow = {
    id: state.ids.uuid(),
    volumeId: volume.id,
    projectId: volume.projectId,
    userId: volume.userId,
    name: name ?? null,
    description: null,
    status: 'available',
    sizeGiB: volume.sizeGiB,
    createdAt,
    updatedAt: createdAt,
    metadata: {},
    data: volume.data,
  }
  state.snapshots.add(row)
  state.quota.add(volume.projectId, amountsFor('snapshots', volume.sizeGiB, volume.typeId))
  return row
}

function attach(
  state: State,
  volume: VolumeRow,
  serverId: string,
  device = '/dev/vdb',
  hostName?: string,
): void {
  const free = volume.status === 'available' || (volume.status === 'in-use' && volume.multiattach)
  if (!free) throw new Error(`volume ${volume.id} is ${volume.status}, it cannot be attached`)
  state.attachments.add({
    id: state.ids.uuid(),
    volumeId: volume.id,
    projectId: volume.projectId,
    serverId,
    status: 'attached',
    device,
    hostName: hostName ?? null,
    mode: 'rw',
    connected: true,
    attachedAt: state.clock.now(),
  })
  save(state, volume, { status: 'in-use' })
}

function detach(state: State, volume: VolumeRow, serverId?: string): void {
  if (!['in-use', 'detaching', 'available'].includes(volume.status))
    throw new Error(`volume ${volume.id} is ${volume.status}, it cannot be detached`)
  for (const row of state.attachments.of(volume.id))
    if (serverId === undefined || row.serverId === serverId) release(state, row)
}

function deleteVolume(state: State, id: string): boolean {
  const row = state.volumes.get(id)
  if (row === undefined) return true
  if (state.snapshots.of(id).length > 0 || state.attachments.of(id).length > 0) return false
  dropVolume(state, row)
  state.quota.add(row.projectId, amountsFor('volumes', -row.sizeGiB, row.typeId, -1))
  return true
}
