import type { SimResponse } from '../handler.ts'
import type { Context } from './context.ts'
import { limitOf, links, nextLink, section } from './context.ts'
import { checkMetadata, findVolume } from './find-volume.ts'
import type { BackupRow, VolumeRow } from './model.ts'
import { accepted, json } from '../json-reply.ts'
import { badRequest, invalidField, invalidVolume, notFound } from './reply.ts'
import { save } from './state.ts'
import type { State } from './state.ts'
import { cinderTime } from './times.ts'

/** `/backups`: full copies of detached volumes in object storage, made by cinder-backup. */
export const backups = {
  list: (ctx: Context) => list(ctx, false),
  detail: (ctx: Context) => list(ctx, true),
  create,
  show: (ctx: Context, id: string) => json(200, { backup: view(ctx, findBackup(ctx, id)) }),
  remove,
}

export function findBackup(ctx: Context, id: string): BackupRow {
  const row = ctx.state.backups.get(id)
  if (!row || (!ctx.caller.isAdmin && row.projectId !== ctx.caller.projectId))
    throw notFound(`Backup ${id} could not be found.`)
  return row
}

const FILTERS = ['name', 'status', 'volume_id'] as const
const PAGING = ['limit', 'marker', 'offset', 'sort', 'all_tenants', 'with_count']

function list(ctx: Context, detail: boolean): SimResponse {
  const { query, state, caller } = ctx
  const known: readonly string[] = [...FILTERS, ...PAGING]
  const unknown = [...query.keys()].filter((k) => !known.includes(k))
  if (unknown.length > 0 && !caller.isAdmin && ctx.minor >= 31)
    throw badRequest(`Invalid filters ${unknown.join(',')} are found in query options.`)
  const of = (b: BackupRow) => ({ name: b.name, status: b.status, volume_id: b.volumeId })
  const found = [...state.backups.values()]
    .filter((b) => b.projectId === caller.projectId)
    .filter((b) => FILTERS.every((f) => !query.has(f) || of(b)[f] === query.get(f)))
    .toReversed()
  const limit = limitOf(ctx)
  const from = found.findIndex((b) => b.id === query.get('marker')) + 1
  const page = found.slice(from, from + limit)
  return json(200, {
    backups: page.map((b) => (detail ? view(ctx, b) : summary(ctx, b))),
    ...(page.length === limit && limit > 0 && { backups_links: nextLink(ctx, page.at(-1)!.id) }),
  })
}

function create(ctx: Context): SimResponse {
  const { state, minor } = ctx
  const input = section(ctx, 'backup')
  if (minor < 43 && input['metadata'] !== undefined)
    throw invalidField(
      'backup',
      input,
      "Additional properties are not allowed ('metadata' was unexpected)",
    )
  const volume = findVolume(ctx, String(input['volume_id']))
  if (volume.status === 'in-use' && input['force'] !== true)
    throw invalidVolume('Backing up an in-use volume must use the force flag.')
  if (volume.status !== 'available' && volume.status !== 'in-use')
    throw invalidVolume(
      `Volume to be backed up must be available or in-use, but the current status is "${volume.status}".`,
    )
  const amounts = { backups: 1, backup_gigabytes: volume.sizeGiB }
  state.quota.reserve(volume.projectId, amounts, volume.sizeGiB).commit()
  const text = (key: string) => (typeof input[key] === 'string' ? input[key] : null)
  const row: BackupRow = {
    ...backupOf(state, volume, text('name')),
    status: 'creating',
    description: text('description'),
    metadata: checkMetadata(input['metadata'] ?? {}),
  }
  state.backups.set(row.id, row)
  save(state, volume, { previousStatus: volume.status, status: 'backing-up' })
  run(state, row, volume)
  return json(202, { backup: summary(ctx, row) })
}

/** What a backup of the volume has in it. */
export function backupOf(state: State, volume: VolumeRow, name: string | null): BackupRow {
  return {
    id: state.ids.uuid(),
    projectId: volume.projectId,
    userId: volume.userId,
    name,
    description: null,
    volumeId: volume.id,
    status: 'available',
    sizeGiB: volume.sizeGiB,
    createdAt: state.clock.now(),
    updatedAt: null,
    failReason: null,
    metadata: {},
    volumeMetadata: { ...volume.metadata },
    bootable: volume.bootable,
    data: volume.data,
  }
}

function run(state: State, row: BackupRow, volume: VolumeRow): void {
  const { clock, latencies } = state
  const { service, fails } = state.backupService
  const ended = (change: Partial<BackupRow>, freeAfterMs: number) => {
    if (row.status !== 'creating') return
    Object.assign(row, change, { updatedAt: clock.now() })
    clock.setTimer(freeAfterMs, () => free(state, volume))
  }
  switch (service) {
    case 'absent':
      clock.setTimer(latencies.schedule, () =>
        ended({ status: 'error', failReason: 'Service not found for creating backup.' }, 0),
      )
      return
    case 'dead':
      return
    case 'up':
      state.backupService.fails = false
      clock.setTimer(latencies.backupPerGiB * row.sizeGiB, () =>
        fails
          ? ended({ status: 'error', failReason: 'Object PUT failed: 413' }, 0)
          : ended({ status: 'available' }, latencies.backupRelease),
      )
  }
}

function free(state: State, volume: VolumeRow): void {
  if (volume.status === 'backing-up')
    save(state, volume, { status: volume.previousStatus ?? 'available' })
}

/** cinder-backup starts: what it was doing when it ended has failed. */
export function restartBackups(state: State): void {
  state.backupService.service = 'up'
  for (const row of state.backups.values()) {
    if (row.status !== 'creating') continue
    Object.assign(row, {
      status: 'error',
      failReason: 'incomplete backup reset on manager restart',
      updatedAt: state.clock.now(),
    })
    const volume = state.volumes.get(row.volumeId)
    if (volume) free(state, volume)
  }
}

/** cinder-backup writes a volume that `POST /volumes` has made of a backup. */
export function restore(state: State, row: BackupRow, volume: VolumeRow): void {
  const { clock, latencies, backupService } = state
  row.status = 'restoring'
  const outcome = backupService.service === 'up' ? backupService.restores : 'error'
  backupService.restores = 'as it was'
  clock.setTimer(latencies.restorePerGiB * row.sizeGiB, () => {
    row.status = 'available'
    if (outcome === 'error') return save(state, volume, { status: 'error_restoring' })
    if (outcome === 'empty') return save(state, volume, { status: 'available' })
    // the metadata of what was backed up take the place of those that were asked for
    save(state, volume, {
      status: 'available',
      data: row.data,
      bootable: row.bootable,
      metadata: { ...row.volumeMetadata, src_backup_id: row.id },
    })
  })
}

function remove(ctx: Context, id: string): SimResponse {
  const { state } = ctx
  const row = findBackup(ctx, id)
  if (row.status !== 'available' && row.status !== 'error')
    throw badRequest('Invalid backup: Backup status must be available or error')
  if (state.backupService.service === 'absent')
    throw notFound('Service cinder-backup could not be found.')
  row.status = 'deleting'
  state.clock.setTimer(state.latencies.delete, () => {
    state.backups.delete(row.id)
    const amounts = { backups: -1, backup_gigabytes: -row.sizeGiB }
    state.quota.add(row.projectId, amounts)
  })
  return accepted()
}

const summary = (ctx: Context, row: BackupRow) => ({
  id: row.id,
  name: row.name,
  links: links(ctx, `backups/${row.id}`),
})

const view = (ctx: Context, row: BackupRow) => ({
  ...summary(ctx, row),
  status: row.status,
  size: row.sizeGiB,
  object_count: row.status === 'creating' ? 0 : 21 * row.sizeGiB,
  availability_zone: null,
  container: 'volumebackups',
  created_at: cinderTime(row.createdAt),
  updated_at: row.updatedAt === null ? null : cinderTime(row.updatedAt),
  description: row.description,
  fail_reason: row.failReason,
  volume_id: row.volumeId,
  is_incremental: false,
  has_dependent_backups: false,
  snapshot_id: null,
  data_timestamp: cinderTime(row.createdAt),
  ...(ctx.minor >= 43 && { metadata: row.metadata }),
  ...(ctx.minor >= 56 && { user_id: row.userId }),
})
