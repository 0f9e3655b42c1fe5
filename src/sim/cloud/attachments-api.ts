import type { SimResponse } from '../handler.ts'
import type { Context } from './context.ts'
import { bodyOf, section } from './context.ts'
import { findVolume } from './find-volume.ts'
import type { AttachmentRow, VolumeRow } from './model.ts'
import { json } from '../json-reply.ts'
import { badRequest, Fault, invalidField, invalidVolume, notFound, SERVER_ERROR } from './reply.ts'
import { save } from './state.ts'
import type { State } from './state.ts'
import { cinderTime } from './times.ts'

/** `/attachments`, from 3.27: what Nova calls, and what members can call themselves. */
export const attachments = {
  list: (ctx: Context) => json(200, { attachments: visible(ctx).map(summary) }),
  detail: (ctx: Context) => json(200, { attachments: visible(ctx).map(full) }),
  show: (ctx: Context, id: string) => json(200, { attachment: full(find(ctx, id)) }),
  create,
  action,
  remove,
}

function visible(ctx: Context): readonly AttachmentRow[] {
  const volumeId = ctx.query.get('volume_id')
  const rows =
    volumeId === null ? [...ctx.state.attachments.all()] : ctx.state.attachments.of(volumeId)
  return rows.filter((a) => a.projectId === ctx.caller.projectId)
}

function find(ctx: Context, id: string): AttachmentRow {
  const row = ctx.state.attachments.get(id)
  if (!row || (!ctx.caller.isAdmin && row.projectId !== ctx.caller.projectId))
    throw notFound(`Volume attachment could not be found with filter: attachment_id = ${id}.`)
  return row
}

function create(ctx: Context): SimResponse {
  const { state } = ctx
  const input = section(ctx, 'attachment')
  const volumeId = input['volume_uuid']
  const serverId = input['instance_uuid']
  if (typeof volumeId !== 'string')
    throw invalidField('attachment', input, "'volume_uuid' is a required property")
  const volume = findVolume(ctx, volumeId)
  checkReservable(state, volume, typeof serverId === 'string' ? serverId : '')
  const connector = input['connector'] as { host?: string; mountpoint?: string } | undefined
  const row: AttachmentRow = {
    id: state.ids.uuid(),
    volumeId,
    projectId: volume.projectId,
    serverId: typeof serverId === 'string' ? serverId : '',
    status: connector ? 'attaching' : 'reserved',
    device: connector?.mountpoint ?? null,
    hostName: null,
    mode: connector ? (typeof input['mode'] === 'string' ? input['mode'] : 'rw') : 'null',
    connected: connector !== undefined,
    attachedAt: null,
  }
  state.attachments.add(row)
  save(state, volume, { status: connector ? 'attaching' : 'reserved' })
  return json(200, { attachment: { ...full(row), status: 'reserved' } })
}

// the same server may hold a second reservation of an attached volume: Nova needs it for a live migration
function checkReservable(state: State, volume: VolumeRow, serverId: string): void {
  const same = state.attachments.of(volume.id).some((a) => a.serverId === serverId)
  const again = volume.status === 'in-use' && (same || volume.multiattach)
  if (volume.status === 'available' || volume.status === 'downloading' || again) return
  throw invalidVolume(
    `Volume ${volume.id} status must be available or downloading to reserve, but the current status is ${volume.status}.`,
  )
}

function action(ctx: Context, id: string): SimResponse {
  const name = Object.keys(bodyOf(ctx))[0]
  if (name !== 'os-complete')
    throw badRequest(
      `There is no such action: ${name ?? ''}. Verify the request body and Content-Type header and try again.`,
    )
  const row = find(ctx, id)
  if (row.connected) row.attachedAt = ctx.state.clock.now()
  row.status = 'attached'
  save(ctx.state, ctx.state.volumes.get(row.volumeId)!, { status: 'in-use' })
  return { status: 204, body: '' }
}

function remove(ctx: Context, id: string): SimResponse {
  const { state } = ctx
  const row = find(ctx, id)
  // the lab's answer for a connected attachment of a server Nova does not know
  if (row.connected && row.status === 'attached') throw new Fault(500, SERVER_ERROR)
  release(state, row)
  return json(200, { attachments: state.attachments.of(row.volumeId).map(summary) })
}

/** Takes an attachment away; the volume is `available` when it was the last. */
export function release(state: State, row: AttachmentRow): void {
  state.attachments.remove(row.id)
  state.dangling.delete(row.volumeId)
  const volume = state.volumes.get(row.volumeId)
  if (!volume) return
  const left = state.attachments.of(row.volumeId)
  const attached = left.some((a) => a.status === 'attached')
  save(state, volume, {
    status: attached ? 'in-use' : left.length > 0 ? 'reserved' : 'available',
  })
}

const summary = (row: AttachmentRow) => ({
  id: row.id,
  status: row.status,
  instance: row.serverId,
  volume_id: row.volumeId,
})

const full = (row: AttachmentRow) => ({
  ...summary(row),
  attached_at: row.attachedAt === null ? '' : cinderTime(row.attachedAt),
  detached_at: '',
  attach_mode: row.mode,
  connection_info: row.connected ? { driver_volume_type: 'rbd', volume_id: row.volumeId } : {},
})
