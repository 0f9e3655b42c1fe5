import type { SimResponse } from '../handler.ts'
import type { Context } from './context.ts'
import { bodyOf } from './context.ts'
import { findVolume } from './find-volume.ts'
import type { VolumeRow } from './model.ts'
import { amountsFor } from './quota.ts'
import { badRequest, forbidden, invalidField, invalidInput, invalidVolume } from './reply.ts'
import { parseRetype, requestRetype } from './request-retype.ts'
import { backendAt, dropVolume, place, save } from './state.ts'

type Action = (ctx: Context, row: VolumeRow, input: unknown) => SimResponse

/** POST /volumes/{id}/action: exactly one known action in the body. */
export function volumeAction(ctx: Context, id: string): SimResponse {
  const body = bodyOf(ctx)
  const [name, ...rest] = Object.keys(body)
  if (name === undefined || rest.length > 0) throw badRequest('Malformed request body')
  const action = ACTIONS[name]
  if (!action)
    throw badRequest(
      `There is no such action: ${name}. Verify the request body and Content-Type header and try again.`,
    )
  return action(ctx, findVolume(ctx, id), body[name])
}

const ACCEPTED: SimResponse = { status: 202, body: '' }

const retype: Action = (ctx, row, input) => {
  const { newType, policy } = parseRetype(input)
  ctx.migrations.start(requestRetype(ctx.state, ctx.caller, row, newType, policy))
  return ACCEPTED
}

const extend: Action = (ctx, row, input) => {
  const { state } = ctx
  const size = Number((input as { new_size?: unknown } | null)?.new_size)
  if (!Number.isInteger(size))
    throw invalidField('os-extend', input, "'new_size' is a required property")
  const inUse = row.status === 'in-use' && ctx.minor >= 42
  if (row.status !== 'available' && !inUse)
    throw invalidVolume(
      `Volume ${row.id} status must be '{'status': 'available'}' to extend, currently ${row.status}.`,
    )
  if (size <= row.sizeGiB)
    throw invalidInput(
      `New size for extend must be greater than current size. (current: ${row.sizeGiB}, extended: ${size}).`,
    )
  const more = size - row.sizeGiB
  const amounts = { gigabytes: more, [`gigabytes/${row.typeId}`]: more }
  const reservation = state.quota.reserve(row.projectId, amounts, more)
  save(state, row, { previousStatus: row.status, status: 'extending' })
  state.clock.setTimer(state.latencies.extend, () => {
    reservation.commit()
    const { host } = row
    place(state, row, null)
    row.sizeGiB = size
    place(state, row, host)
    save(state, row, { status: row.previousStatus ?? 'available' })
  })
  return ACCEPTED
}

const setBootable: Action = (ctx, row, input) => {
  const value = (input as { bootable?: unknown } | null)?.bootable
  save(ctx.state, row, { bootable: value === true || value === 'true' })
  return { status: 200, body: '' }
}

const STATUSES =
  'creating available deleting error error_deleting error_managing managing attaching in-use detaching maintenance restoring-backup error_restoring reserved awaiting-transfer backing-up error_backing-up error_extending downloading uploading retyping extending'.split(
    ' ',
  )

// a change of the database and of nothing else: what runs in the background goes on
const resetStatus: Action = (ctx, row, input) => {
  adminOnly(ctx, 'volume_extension:volume_admin_actions:reset_status')
  const { status, attach_status, migration_status } = input as Record<string, string | undefined>
  if (status !== undefined && !STATUSES.includes(status))
    throw badRequest(
      `Volume status: ${status} is invalid, valid statuses are: (${STATUSES.map((s) => `'${s}'`).join(', ')}).`,
    )
  if (attach_status === 'detached')
    for (const a of ctx.state.attachments.of(row.id)) ctx.state.attachments.remove(a.id)
  save(ctx.state, row, {
    ...(status !== undefined && { status }),
    ...(migration_status !== undefined && {
      migrationStatus: migration_status === 'none' ? null : migration_status,
    }),
  })
  return ACCEPTED
}

const migrateVolume: Action = (ctx, row, input) => {
  adminOnly(ctx, 'volume_extension:volume_admin_actions:migrate_volume')
  const { host } = input as { host?: string }
  if (!backendAt(ctx.state, host ?? null))
    throw invalidInput(`No available service named ${host ?? ''}`)
  save(ctx.state, row, { migrationStatus: 'success' })
  place(ctx.state, row, host ?? null)
  return ACCEPTED
}

const forceDelete: Action = (ctx, row) => {
  const { state } = ctx
  adminOnly(ctx, 'volume_extension:volume_admin_actions:force_delete')
  for (const a of state.attachments.of(row.id)) state.attachments.remove(a.id)
  save(state, row, { status: 'deleting' })
  state.clock.setTimer(state.latencies.delete, () => {
    dropVolume(state, row)
    state.quota.add(row.projectId, amountsFor('volumes', -row.sizeGiB, row.typeId, -1))
  })
  return ACCEPTED
}

function adminOnly(ctx: Context, policy: string): void {
  if (!ctx.caller.isAdmin) throw forbidden(policy)
}

const ACTIONS: Readonly<Record<string, Action>> = {
  'os-retype': retype,
  'os-extend': extend,
  'os-set_bootable': setBootable,
  'os-reset_status': resetStatus,
  'os-migrate_volume': migrateVolume,
  'os-force_delete': forceDelete,
}
