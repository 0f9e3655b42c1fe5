import type { SimResponse } from '../handler.ts'
import type { Context } from './context.ts'
import { links, section } from './context.ts'
import { findVolume } from './find-volume.ts'
import type { TransferRow } from './model.ts'
import { amountsFor } from './quota.ts'
import { json } from '../json-reply.ts'
import { badRequest, invalidVolume, notFound } from './reply.ts'
import { save } from './state.ts'
import { cinderTime, freshTime } from './times.ts'

/** `/volume-transfers`: a change of owner, detached volumes only. The key is shown once, at creation. */
export const transfers = {
  list: (ctx: Context) => json(200, { transfers: own(ctx).map((t) => summary(ctx, t)) }),
  detail: (ctx: Context) => json(200, { transfers: own(ctx).map((t) => view(ctx, t)) }),
  show: (ctx: Context, id: string) => json(200, { transfer: view(ctx, find(ctx, id)) }),
  create,
  accept,
  remove,
}

const own = (ctx: Context) =>
  [...ctx.state.transfers.values()].filter((t) => t.projectId === ctx.caller.projectId)

function find(ctx: Context, id: string, anyOwner = false): TransferRow {
  const row = ctx.state.transfers.get(id)
  const mine = row && (anyOwner || ctx.caller.isAdmin || row.projectId === ctx.caller.projectId)
  if (!mine) throw notFound(`Transfer ${id} could not be found.`)
  return row
}

function create(ctx: Context): SimResponse {
  const { state } = ctx
  const input = section(ctx, 'transfer')
  const volume = findVolume(ctx, String(input['volume_id']))
  if (volume.status !== 'available') throw invalidVolume('status must be available')
  const row: TransferRow = {
    id: state.ids.uuid(),
    name: typeof input['name'] === 'string' ? input['name'] : null,
    volumeId: volume.id,
    projectId: volume.projectId,
    createdAt: state.clock.now(),
    authKey: state.ids.hex(16),
    noSnapshots: input['no_snapshots'] === true,
  }
  state.transfers.set(row.id, row)
  save(state, volume, { status: 'awaiting-transfer' })
  const created_at = freshTime(row.createdAt)
  return json(202, { transfer: { ...view(ctx, row), created_at, auth_key: row.authKey } })
}

function accept(ctx: Context, id: string): SimResponse {
  const { state, caller } = ctx
  const row = find(ctx, id, true)
  const input = section(ctx, 'accept')
  if (input['auth_key'] !== row.authKey)
    throw badRequest(`Invalid auth key: Attempt to transfer ${id} with invalid auth key.`)
  const volume = state.volumes.get(row.volumeId)!
  const taken = amountsFor('volumes', volume.sizeGiB, volume.typeId)
  const given = amountsFor('volumes', -volume.sizeGiB, volume.typeId, -1)
  state.quota.reserve(caller.projectId, taken, volume.sizeGiB).commit()
  state.quota.add(volume.projectId, given)
  state.volumes.changeOwner(volume, caller.projectId)
  if (!row.noSnapshots)
    for (const snapshot of state.snapshots.of(volume.id)) snapshot.projectId = caller.projectId
  save(state, volume, { userId: caller.userId, status: 'available' })
  state.transfers.delete(id)
  return json(202, { transfer: summary(ctx, row) })
}

function remove(ctx: Context, id: string): SimResponse {
  const row = find(ctx, id)
  ctx.state.transfers.delete(id)
  const volume = ctx.state.volumes.get(row.volumeId)
  if (volume) save(ctx.state, volume, { status: 'available' })
  return { status: 202, body: '' }
}

const summary = (ctx: Context, row: TransferRow) => ({
  id: row.id,
  volume_id: row.volumeId,
  name: row.name,
  links: links(ctx, `os-volume-transfer/${row.id}`),
})

const view = (ctx: Context, row: TransferRow) => ({
  ...summary(ctx, row),
  created_at: cinderTime(row.createdAt),
  ...(ctx.minor >= 55 && { no_snapshots: row.noSnapshots }),
  ...(ctx.minor >= 57 && {
    destination_project_id: null,
    source_project_id: row.projectId,
    accepted: false,
  }),
})
