import type { Caller, VolumeRow, VolumeTypeRow } from './model.ts'
import type { Amounts, Reservation } from './quota.ts'
import {
  Fault,
  invalidField,
  invalidInput,
  invalidVolume,
  notFound,
  pythonRepr,
  SERVER_ERROR,
} from './reply.ts'
import { findType, save } from './state.ts'
import type { State } from './state.ts'

export type RetypeJob = {
  readonly volume: VolumeRow
  readonly target: VolumeTypeRow
  readonly policy: 'never' | 'on-demand'
  readonly reservation: Reservation
  /** Whose token asked for it. */
  readonly callerProject: string
}

const REFUSED =
  'Retype needs volume to be in available or in-use state, not be part of an active migration or a consistency group, requested type has to be different that the one from the volume, and for in-use volumes front-end qos specs cannot change.'
const IDLE_MIGRATION = [null, 'deleting', 'error', 'success']

/** Cinder's `reservation_expire`. */
export const RESERVATION_MS = 86_400_000

/**
 * The synchronous half of os-retype, in Cinder's order: 404 type, 400 size and multiattach, 404 for a type that the caller
 * may not see, 413 quota, 400 for all else. The volume is `retyping` when this returns; and also where the caller may not see
 * its type any more, after a 500 that leaves the reservation behind.
 */
export function requestRetype(
  state: State,
  caller: Caller,
  volume: VolumeRow,
  newType: string,
  policy: 'never' | 'on-demand',
): RetypeJob {
  const target = findType(state, newType)
  if (!target) throw notFound(`Volume type with name ${newType} could not be found.`)
  checkSize(volume, target)
  checkMultiattach(volume, target)
  if (!maySee(caller, target)) throw notFound(`Volume type ${target.id} could not be found.`)
  const reservation = state.quota.reserve(
    volume.projectId,
    typeDelta(state, volume, target),
    volume.sizeGiB,
  )
  if (!allowed(state, volume, target)) {
    reservation.rollback()
    throw invalidVolume(REFUSED)
  }
  save(state, volume, {
    previousStatus: volume.status,
    status: 'retyping',
    multiattach: isMultiattach(target),
  })
  const current = state.types.get(volume.typeId)
  if (current !== undefined && !maySee(caller, current)) {
    state.clock.setTimer(RESERVATION_MS, () => reservation.rollback())
    throw new Fault(500, SERVER_ERROR)
  }
  return { volume, target, policy, reservation, callerProject: caller.projectId }
}

/** Quota keys are looked up with the rights of the caller, unlike the type itself. */
const maySee = (caller: Caller, type: VolumeTypeRow) =>
  caller.isAdmin || type.isPublic || type.access.has(caller.projectId)

export const isMultiattach = (type: VolumeTypeRow) => type.extraSpecs['multiattach'] === '<is> True'

/** Throws 400 when the type forbids volumes of this size. */
export function checkSize(volume: { readonly sizeGiB: number }, type: VolumeTypeRow): void {
  const min = type.extraSpecs['provisioning:min_vol_size']
  const max = type.extraSpecs['provisioning:max_vol_size']
  if (min !== undefined && volume.sizeGiB < Number(min))
    throw invalidInput(
      `Specified volume size of '${volume.sizeGiB}' GB is less than the minimum required size of '${min}' GB for volume type '${type.name}'.`,
    )
  if (max !== undefined && volume.sizeGiB > Number(max))
    throw invalidInput(
      `Specified volume size of '${volume.sizeGiB}' GB is greater than the maximum allowable size of '${max}' GB for volume type '${type.name}'.`,
    )
}

function checkMultiattach(volume: VolumeRow, target: VolumeTypeRow): void {
  if (volume.multiattach !== isMultiattach(target) && volume.status !== 'available')
    throw invalidInput(
      `Invalid volume_type passed, retypes affecting multiattach are only allowed on available volumes, the specified volume however currently has a status of: ${volume.status}.`,
    )
  if (isMultiattach(target) && target.encrypted)
    throw invalidInput('Retype requested both encryption and multi-attach, which is not supported.')
}

function allowed(state: State, volume: VolumeRow, target: VolumeTypeRow): boolean {
  const attached = volume.status === 'in-use'
  const qos = (id: string) => state.types.get(id)?.frontEndQos ?? null
  return (
    (volume.status === 'available' || attached) &&
    IDLE_MIGRATION.includes(volume.migrationStatus) &&
    volume.groupId === null &&
    volume.typeId !== target.id &&
    !(attached && qos(volume.typeId) !== target.frontEndQos)
  )
}

/** Only the per-type lines move: one more of the new type, one less of the old; snapshots go along. */
function typeDelta(state: State, volume: VolumeRow, target: VolumeTypeRow): Amounts {
  if (volume.typeId === target.id) return {}
  const snapshots = state.snapshots.of(volume.id)
  const size = volume.sizeGiB + snapshots.reduce((sum, s) => sum + s.sizeGiB, 0)
  const of = (typeId: string, sign: 1 | -1) => ({
    [`volumes/${typeId}`]: sign,
    [`gigabytes/${typeId}`]: sign * size,
    ...(snapshots.length > 0 && { [`snapshots/${typeId}`]: sign * snapshots.length }),
  })
  return { ...of(target.id, 1), ...of(volume.typeId, -1) }
}

/** Reads the body of os-retype as Cinder's schema does. */
export function parseRetype(input: unknown): { newType: string; policy: 'never' | 'on-demand' } {
  const body = (input ?? {}) as Record<string, unknown>
  const extra = Object.keys(body).find((k) => k !== 'new_type' && k !== 'migration_policy')
  if (extra !== undefined)
    throw invalidField(
      'os-retype',
      body,
      `Additional properties are not allowed ('${extra}' was unexpected)`,
    )
  if (typeof body['new_type'] !== 'string')
    throw invalidField('os-retype', body, "'new_type' is a required property")
  const policy = 'migration_policy' in body ? body['migration_policy'] : 'never'
  if (policy !== 'never' && policy !== 'on-demand')
    throw invalidField(
      'migration_policy',
      policy,
      `${pythonRepr(policy)} is not one of ['on-demand', 'never']`,
    )
  return { newType: body['new_type'], policy }
}
