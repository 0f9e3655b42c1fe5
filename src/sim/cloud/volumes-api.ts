import type { SimResponse } from '../handler.ts'
import type { Context } from './context.ts'
import { bodyOf, section } from './context.ts'
import { createVolume } from './create-volume.ts'
import { checkMetadata, findVolume } from './find-volume.ts'
import type { VolumeRow } from './model.ts'
import { amountsFor } from './quota.ts'
import { accepted, json } from '../json-reply.ts'
import { badRequest, invalidField, invalidVolume, notFound } from './reply.ts'
import { dropVolume, save } from './state.ts'
import type { State } from './state.ts'
import { listVolumes } from './volume-list.ts'
import { volumeCore, volumeDetail } from './volume-view.ts'

export const volumes = {
  list: (ctx: Context) => listVolumes(ctx, false),
  detail: (ctx: Context) => listVolumes(ctx, true),
  create: createVolume,
  summary,
  show: (ctx: Context, id: string) => json(200, { volume: volumeDetail(ctx, findVolume(ctx, id)) }),
  update,
  remove,
}

function summary(ctx: Context): SimResponse {
  const rows = [...ctx.state.volumes.newestFirst(ctx.caller.projectId)]
  const size = rows.reduce((sum, row) => sum + row.sizeGiB, 0)
  return json(200, { 'volume-summary': { total_count: rows.length, total_size: size } })
}

const UPDATABLE = ['name', 'description', 'metadata', 'display_name', 'display_description']

function update(ctx: Context, id: string): SimResponse {
  const input = section(ctx, 'volume')
  const extra = Object.keys(input).find((k) => !UPDATABLE.includes(k))
  if (extra !== undefined && ctx.minor >= 53)
    throw invalidField(
      'volume',
      input,
      `Additional properties are not allowed ('${extra}' was unexpected)`,
    )
  const row = findVolume(ctx, id)
  save(ctx.state, row, {
    ...(typeof input['name'] === 'string' && { name: input['name'] }),
    ...(typeof input['description'] === 'string' && { description: input['description'] }),
    ...(input['metadata'] !== undefined && { metadata: checkMetadata(input['metadata']) }),
  })
  return json(200, { volume: volumeCore(ctx, row) })
}

const DELETABLE = ['available', 'error', 'error_restoring', 'error_extending', 'error_managing']
const NOT_DELETABLE =
  'Volume status must be available or error or error_restoring or error_extending or error_managing and must not be migrating, attached, belong to a group, have snapshots, awaiting a transfer, or be disassociated from snapshots after volume transfer.'

function remove(ctx: Context, id: string): SimResponse {
  const { state } = ctx
  const row = findVolume(ctx, id)
  const migrating = ![null, 'deleting', 'error', 'success'].includes(row.migrationStatus)
  const attached = state.attachments.of(id).some((a) => a.status === 'attached')
  const cascade = ctx.query.get('cascade')?.toLowerCase() === 'true'
  const snapshots = state.snapshots.of(id)
  const blocked =
    !DELETABLE.includes(row.status) ||
    migrating ||
    attached ||
    row.groupId !== null ||
    (snapshots.length > 0 && !cascade)
  if (blocked) throw invalidVolume(NOT_DELETABLE)
  save(state, row, { status: 'deleting', previousStatus: row.status })
  state.clock.setTimer(state.latencies.delete, () => {
    for (const snapshot of snapshots) {
      state.snapshots.remove(snapshot.id)
      release(state, row, 'snapshots', snapshot.sizeGiB)
    }
    dropVolume(state, row)
    release(state, row, 'volumes', row.sizeGiB)
  })
  return accepted()
}

function release(state: State, row: VolumeRow, kind: 'volumes' | 'snapshots', sizeGiB: number) {
  state.quota.add(row.projectId, amountsFor(kind, -sizeGiB, row.typeId, -1))
}

/** `/volumes/{id}/metadata` and `/volumes/{id}/metadata/{key}`. */
export const metadata = {
  show: (ctx: Context, id: string) => json(200, { metadata: findVolume(ctx, id).metadata }),
  merge: (ctx: Context, id: string) =>
    store(ctx, id, (old) => ({ ...old, ...checkMetadata(bodyOf(ctx)['metadata']) })),
  replace: (ctx: Context, id: string) =>
    store(ctx, id, () => checkMetadata(bodyOf(ctx)['metadata'])),
  showKey: (ctx: Context, id: string, key: string) =>
    json(200, { meta: { [key]: valueOf(ctx, id, key) } }),
  setKey: (ctx: Context, id: string, key: string) => {
    const meta = checkMetadata(bodyOf(ctx)['meta'])
    if (!(key in meta)) throw badRequest('Request body and URI mismatch')
    store(ctx, id, (old) => ({ ...old, ...meta }))
    return json(200, { meta })
  },
  removeKey: (ctx: Context, id: string, key: string): SimResponse => {
    valueOf(ctx, id, key)
    store(ctx, id, (old) => Object.fromEntries(Object.entries(old).filter(([k]) => k !== key)))
    return { status: 200, body: '' }
  },
}

function valueOf(ctx: Context, id: string, key: string): string {
  const value = findVolume(ctx, id).metadata[key]
  if (value === undefined) throw notFound(`Volume ${id} has no metadata with key ${key}.`)
  return value
}

function store(
  ctx: Context,
  id: string,
  change: (old: Readonly<Record<string, string>>) => Record<string, string>,
): SimResponse {
  const row = findVolume(ctx, id)
  // metadata lives in its own table: the volume's updated_at stays
  row.metadata = change(row.metadata)
  return json(200, { metadata: row.metadata })
}
