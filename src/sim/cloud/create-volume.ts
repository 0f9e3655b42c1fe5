import type { SimResponse } from '../handler.ts'
import type { Context } from './context.ts'
import { section } from './context.ts'
import { addMessage } from './messages.ts'
import { findBackup, restore } from './backups-api.ts'
import type { BackupRow, SnapshotRow, VolumeRow, VolumeTypeRow } from './model.ts'
import { amountsFor } from './quota.ts'
import { json } from '../json-reply.ts'
import { badRequest, invalidField, invalidInput, notFound, overLimit } from './reply.ts'
import { checkSize, isMultiattach } from './request-retype.ts'
import { chooseBackend } from './scheduler.ts'
import { backendAt, defaultType, findType, place, save } from './state.ts'
import { checkMetadata, findVolume } from './find-volume.ts'
import { volumeCore } from './volume-view.ts'

type Source = {
  readonly snapshot?: SnapshotRow
  readonly volume?: VolumeRow
  readonly backup?: BackupRow
  readonly sizeGiB: number
  /** What is made of a backup may be of any type, and anywhere. */
  readonly typeId?: string
  readonly host?: string | null
  readonly availabilityZone?: string
  readonly data: string
  readonly bootable: boolean
}

const KEYS =
  'name description display_name display_description volume_type metadata snapshot_id source_volid consistencygroup_id size availability_zone multiattach image_id imageRef backup_id group_id'.split(
    ' ',
  )
const MALFORMED =
  'The server could not comply with the request since it is either malformed or otherwise incorrect.'

/** POST /volumes: empty, from a snapshot, from a backup, or a clone. 202; the volume is `creating`. */
export function createVolume(ctx: Context): SimResponse {
  const { state, caller } = ctx
  const input = section(ctx, 'volume')
  checkKeys(ctx, input)
  const source = sourceOf(ctx, input)
  const type = typeOf(ctx, input, source)
  const sizeGiB = sizeOf(input, source)
  checkSize({ sizeGiB }, type)
  const zone = zoneOf(ctx, input, source)
  checkVolumeLimit(ctx, sizeGiB)
  const reservation = state.quota.reserve(
    caller.projectId,
    amountsFor('volumes', sizeGiB, type.id),
    sizeGiB,
  )
  const row = newRow(ctx, input, source, type, sizeGiB, zone)
  state.volumes.add(row)
  reservation.commit()
  if (source?.backup) source.backup.status = 'restoring'
  state.clock.setTimer(state.latencies.create, () => schedule(ctx, row, source, type))
  return json(202, { volume: volumeCore(ctx, row, true) })
}

function checkKeys(ctx: Context, input: Readonly<Record<string, unknown>>): void {
  const extra = Object.keys(input).find((k) => !KEYS.includes(k))
  if (extra !== undefined && ctx.minor >= 53)
    throw invalidField(
      'volume',
      input,
      `Additional properties are not allowed ('${extra}' was unexpected)`,
    )
  const size = input['size']
  if (typeof size === 'number' && size < 1)
    throw invalidField('size', size, `${size} is less than the minimum of 1`)
}

function sourceOf(ctx: Context, input: Readonly<Record<string, unknown>>): Source | undefined {
  const { state, caller } = ctx
  const snapshotId = input['snapshot_id']
  if (typeof snapshotId === 'string') {
    const snapshot = state.snapshots.get(snapshotId)
    if (!snapshot || (snapshot.projectId !== caller.projectId && !caller.isAdmin))
      throw notFound(`Snapshot ${snapshotId} could not be found.`)
    if (snapshot.status !== 'available')
      throw badRequest(
        `Invalid snapshot: Originating snapshot status must be one of 'available' values`,
      )
    const parent = state.volumes.get(snapshot.volumeId)!
    return { ...fromVolume(parent), snapshot, sizeGiB: snapshot.sizeGiB, data: snapshot.data }
  }
  const backupId = input['backup_id']
  if (typeof backupId === 'string') return fromBackup(findBackup(ctx, backupId))
  const sourceId = input['source_volid']
  if (typeof sourceId !== 'string') return undefined
  const volume = findVolume(ctx, sourceId)
  return { ...fromVolume(volume), volume }
}

function fromBackup(backup: BackupRow): Source {
  if (backup.status !== 'available')
    throw badRequest(`Invalid backup: Originating backup status must be one of 'available' values`)
  // what it holds comes later
  return { backup, sizeGiB: backup.sizeGiB, data: '', bootable: false }
}

const fromVolume = (row: VolumeRow): Source => ({
  sizeGiB: row.sizeGiB,
  typeId: row.typeId,
  host: row.host,
  availabilityZone: row.availabilityZone,
  data: row.data,
  bootable: row.bootable,
})

function typeOf(
  ctx: Context,
  input: Readonly<Record<string, unknown>>,
  source: Source | undefined,
): VolumeTypeRow {
  const asked = input['volume_type']
  const old = source?.typeId === undefined ? undefined : ctx.state.types.get(source.typeId)
  if (typeof asked !== 'string') return old ?? defaultType(ctx.state)
  const type = findType(ctx.state, asked)
  if (!type) throw notFound(`Volume type with name ${asked} could not be found.`)
  if (!old || old.id === type.id || compatible(old, type)) return type
  throw invalidInput(
    `Invalid volume_type provided: ${type.id} (requested type is not compatible; recommend omitting the type argument).`,
  )
}

// a copy is made inside the backend of its source, so both types must name the same one
function compatible(a: VolumeTypeRow, b: VolumeTypeRow): boolean {
  const backend = a.extraSpecs['volume_backend_name']
  return (
    backend !== undefined &&
    backend === b.extraSpecs['volume_backend_name'] &&
    a.encrypted === b.encrypted
  )
}

function sizeOf(input: Readonly<Record<string, unknown>>, source: Source | undefined): number {
  const size = input['size']
  if (size === undefined || size === null) {
    if (!source) throw badRequest(MALFORMED)
    return source.sizeGiB
  }
  const what = source?.snapshot ? 'snapshot' : 'backup'
  if (source && Number(size) < source.sizeGiB)
    throw invalidInput(
      source.volume === undefined
        ? `Volume size '${Number(size)}'GB cannot be smaller than the ${what} size ${source.sizeGiB}GB. They must be >= original ${what} size.`
        : `Clones currently disallowed when ${Number(size)} < ${source.sizeGiB}. They must be >= original volume size.`,
    )
  return Number(size)
}

function zoneOf(
  ctx: Context,
  input: Readonly<Record<string, unknown>>,
  source: Source | undefined,
): string {
  const zones = ctx.state.backends.map((b) => b.availabilityZone)
  const asked = input['availability_zone']
  if (typeof asked !== 'string') return source?.availabilityZone ?? zones[0] ?? 'nova'
  if (!zones.includes(asked)) throw badRequest(`Availability zone '${asked}' is invalid.`)
  return asked
}

function checkVolumeLimit(ctx: Context, sizeGiB: number): void {
  const limit = ctx.state.quota.limit(ctx.caller.projectId, 'per_volume_gigabytes')
  if (limit >= 0 && sizeGiB > limit)
    throw overLimit(
      `VolumeSizeExceedsLimit: Requested volume size ${sizeGiB}G is larger than maximum allowed limit ${limit}G.`,
    )
}

function newRow(
  ctx: Context,
  input: Readonly<Record<string, unknown>>,
  source: Source | undefined,
  type: VolumeTypeRow,
  sizeGiB: number,
  zone: string,
): VolumeRow {
  const text = (key: string) => (typeof input[key] === 'string' ? input[key] : null)
  return {
    id: ctx.state.ids.uuid(),
    projectId: ctx.caller.projectId,
    userId: ctx.caller.userId,
    name: text('name'),
    description: text('description'),
    status: 'creating',
    previousStatus: null,
    sizeGiB,
    typeId: type.id,
    availabilityZone: zone,
    host: null,
    createdAt: ctx.state.clock.now(),
    updatedAt: null,
    metadata: checkMetadata(input['metadata'] ?? {}),
    bootable: source?.bootable ?? false,
    encrypted: type.encrypted,
    multiattach: isMultiattach(type),
    groupId: null,
    migrationStatus: null,
    nameId: null,
    snapshotId: source?.snapshot?.id ?? null,
    dependsOnSnapshot: source?.snapshot?.id ?? null,
    sourceVolid: source?.volume?.id ?? null,
    useQuota: true,
    attachmentsHidden: false,
    data: source?.data ?? '',
  }
}

function schedule(
  ctx: Context,
  row: VolumeRow,
  source: Source | undefined,
  type: VolumeTypeRow,
): void {
  const { state } = ctx
  const backend =
    source?.host !== undefined
      ? backendAt(state, source.host)
      : chooseBackend(state, type, row.sizeGiB, row.availabilityZone)
  if (backend?.up) {
    place(state, row, backend.host)
    if (source?.backup) return restore(state, source.backup, row)
    return save(state, row, { status: 'available' })
  }
  save(state, row, { status: 'error' })
  addMessage(state, {
    projectId: row.projectId,
    eventId: 'VOLUME_VOLUME_001_002',
    userMessage: 'schedule allocate volume:Could not find any available weighted backend.',
    requestId: ctx.requestId,
    resourceType: 'VOLUME',
    resourceId: row.id,
  })
}
