import type { SimResponse } from '../handler.ts'
import type { Context } from './context.ts'
import { limitOf, nextLink, section } from './context.ts'
import { checkMetadata, findVolume } from './find-volume.ts'
import { addMessage } from './messages.ts'
import type { SnapshotRow } from './model.ts'
import { amountsFor } from './quota.ts'
import { accepted, json } from '../json-reply.ts'
import { badRequest, invalidField, invalidVolume, notFound } from './reply.ts'
import type { State } from './state.ts'
import { cinderTime, freshTime } from './times.ts'

const FORCE_REFUSED =
  "Since microversion 3.66 the 'force' flag is invalid for this request.  For backward compatability, however, when the 'force' flag is passed with a value evaluating to True, it is silently ignored."

export const snapshots = {
  list: (ctx: Context) => list(ctx, false),
  detail: (ctx: Context) => list(ctx, true),
  create,
  show: (ctx: Context, id: string) => json(200, { snapshot: view(ctx, find(ctx, id)) }),
  remove,
}

function find(ctx: Context, id: string): SnapshotRow {
  const row = ctx.state.snapshots.get(id)
  if (!row || (!ctx.caller.isAdmin && row.projectId !== ctx.caller.projectId))
    throw notFound(`Snapshot ${id} could not be found.`)
  return row
}

const PAGING = [
  'limit',
  'marker',
  'offset',
  'sort',
  'sort_key',
  'sort_dir',
  'all_tenants',
  'with_count',
]
const FILTERS = ['name', 'status', 'volume_id', 'metadata', 'availability_zone', 'consumes_quota']

function list(ctx: Context, detail: boolean): SimResponse {
  const { query, state, caller } = ctx
  const unknown = [...query.keys()].filter((k) => !PAGING.includes(k) && !FILTERS.includes(k))
  if (unknown.length > 0 && !caller.isAdmin && ctx.minor >= 31)
    throw badRequest(`Invalid filters ${unknown.join(',')} are found in query options.`)
  const volumeId = query.get('volume_id')
  const scope = volumeId === null ? [...state.snapshots.all()] : [...state.snapshots.of(volumeId)]
  const everybody = caller.isAdmin && query.has('all_tenants')
  const found = scope
    .filter((s) => everybody || s.projectId === caller.projectId)
    .filter((s) => !query.has('name') || s.name === query.get('name'))
    .filter((s) => !query.has('status') || s.status === query.get('status'))
    .toSorted(newestFirst)
  const limit = limitOf(ctx)
  const marker = query.get('marker')
  const from = marker === null ? 0 : found.findIndex((s) => s.id === marker) + 1
  if (marker !== null && from === 0) throw notFound(`Snapshot ${marker} could not be found.`)
  const page = found.slice(from, from + limit)
  return json(200, {
    snapshots: page.map((s) => (detail ? view(ctx, s) : core(s))),
    ...(page.length === limit && limit > 0 && { snapshots_links: nextLink(ctx, page.at(-1)!.id) }),
  })
}

const newestFirst = (a: SnapshotRow, b: SnapshotRow) =>
  b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1)

function create(ctx: Context): SimResponse {
  const { state } = ctx
  const input = section(ctx, 'snapshot')
  const volumeId = input['volume_id']
  if (typeof volumeId !== 'string')
    throw invalidField('snapshot', input, "'volume_id' is a required property")
  const { force } = input
  if (ctx.minor >= 66 && force !== undefined && force !== true && force !== 'true')
    throw badRequest(FORCE_REFUSED)
  const volume = findVolume(ctx, volumeId)
  const inUse = ctx.minor >= 66 || force === true || force === 'true'
  const allowed = inUse ? ['available', 'in-use'] : ['available']
  if (!allowed.includes(volume.status))
    throw invalidVolume(
      `Volume ${volumeId} status must be ${allowed.join(', ')}, but current status is: ${volume.status}.`,
    )
  const amounts = amountsFor('snapshots', volume.sizeGiB, volume.typeId)
  state.quota.reserve(volume.projectId, amounts, volume.sizeGiB).commit()
  const row: SnapshotRow = {
    id: state.ids.uuid(),
    volumeId,
    projectId: volume.projectId,
    userId: ctx.caller.userId,
    name: typeof input['name'] === 'string' ? input['name'] : null,
    description: typeof input['description'] === 'string' ? input['description'] : null,
    status: 'creating',
    sizeGiB: volume.sizeGiB,
    createdAt: state.clock.now(),
    updatedAt: null,
    metadata: checkMetadata(input['metadata'] ?? {}),
    data: volume.data,
  }
  state.snapshots.add(row)
  state.clock.setTimer(state.latencies.snapshot, () => setStatus(state, row, 'available'))
  return json(202, { snapshot: { ...core(row, true), ...versioned(ctx, row) } })
}

function remove(ctx: Context, id: string): SimResponse {
  const { state } = ctx
  const row = find(ctx, id)
  if (row.status !== 'available' && row.status !== 'error')
    throw badRequest(
      `Invalid snapshot: Snapshot status must be available or error to delete and must not be part of a group, but the current status is ${row.status}.`,
    )
  setStatus(state, row, 'deleting')
  state.clock.setTimer(state.latencies.snapshot, () => {
    if (isBusy(state, row)) return refuseBusy(ctx, row)
    dropSnapshot(state, row)
  })
  return accepted()
}

/** Takes a snapshot away with what it used. */
export function dropSnapshot(state: State, row: SnapshotRow): void {
  state.snapshots.remove(row.id)
  const typeId = state.volumes.get(row.volumeId)?.typeId
  if (typeId !== undefined)
    state.quota.add(row.projectId, amountsFor('snapshots', -row.sizeGiB, typeId, -1))
}

// a clone shares blocks with its snapshot until it has been migrated
function isBusy(state: State, row: SnapshotRow): boolean {
  for (const volume of state.volumes.newestFirst(undefined))
    if (volume.dependsOnSnapshot === row.id) return true
  return false
}

function refuseBusy(ctx: Context, row: SnapshotRow): void {
  setStatus(ctx.state, row, 'available')
  addMessage(ctx.state, {
    projectId: row.projectId,
    eventId: 'VOLUME_VOLUME_SNAPSHOT_010_015',
    userMessage: 'delete snapshot:Snapshot is busy.',
    requestId: ctx.requestId,
    resourceType: 'VOLUME_SNAPSHOT',
    resourceId: row.id,
  })
}

function setStatus(state: State, row: SnapshotRow, status: string): void {
  row.status = status
  row.updatedAt = state.clock.now()
}

function core(row: SnapshotRow, fresh = false): Record<string, unknown> {
  return {
    id: row.id,
    created_at: fresh ? freshTime(row.createdAt) : cinderTime(row.createdAt),
    updated_at: row.updatedAt === null ? null : cinderTime(row.updatedAt),
    name: row.name,
    description: row.description,
    volume_id: row.volumeId,
    status: row.status,
    size: row.sizeGiB,
    metadata: row.metadata,
  }
}

const versioned = (ctx: Context, row: SnapshotRow) => ({
  ...(ctx.minor >= 14 && { group_snapshot_id: null }),
  ...(ctx.minor >= 41 && { user_id: row.userId }),
  ...(ctx.minor >= 65 && { consumes_quota: true }),
})

function view(ctx: Context, row: SnapshotRow): Record<string, unknown> {
  return {
    ...core(row),
    ...versioned(ctx, row),
    'os-extended-snapshot-attributes:project_id': row.projectId,
    'os-extended-snapshot-attributes:progress': row.status === 'available' ? '100%' : '0%',
  }
}
