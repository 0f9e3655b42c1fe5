import { shellWord } from '../shell.ts'
import { stated } from './blocker.ts'

/** The volume type that the move goes to. */
export type TypeFacts = {
  readonly id: string
  readonly name: string
  /** undefined where Cinder shows none to this credential. */
  readonly extraSpecs: Readonly<Record<string, string>> | undefined
}

type Target = { readonly target: TypeFacts | undefined }

/**
 * Cinder counts a retype against both types. It answers 404 where the project may not see the new one; where it may not see
 * the old one, it answers 500, has reserved the new one for a day, and leaves the volume in `retyping`.
 */
export const typeAccess = stated(
  {
    TypeNotAccessible:
      'The project has no access to the target volume type, or has lost that to the type which the volume has now.',
  },
  (
    f: Target & {
      readonly typeId: string
      readonly typeName: string
      /** undefined = the project does not see the type that the volume has. */
      readonly current: TypeFacts | undefined
    },
  ) => {
    if (f.target === undefined)
      return {
        reason: 'TypeNotAccessible',
        message:
          "the target volume type does not exist or this project may not use it; ask the cloud's administrator for access",
      }
    // without an id it is not known which type it is, and `ownType` says so
    if (f.typeId === '' || f.current !== undefined) return undefined
    const name = f.typeName === '' ? f.typeId : f.typeName
    return {
      reason: 'TypeNotAccessible',
      message: `this project may not use ${name}, the type that the volume has now: Cinder would fail half-way, and leave the volume in "retyping". Ask the cloud's administrator for access: openstack volume type set --project <project> ${shellWord(name)}`,
    }
  },
)

/** Also for callers that know the tiers. */
export const UNMANAGED = {
  UnmanagedType:
    'The Cinder volume type of the volume belongs to no tier of the policy, or Cinder does not report it.',
} as const

/** A move whose start is unknown could not be followed: a revert could not be distinguished from a stranger's retype. */
export const ownType = stated(UNMANAGED, ({ typeId }: { readonly typeId: string }) =>
  typeId === ''
    ? {
        reason: 'UnmanagedType',
        message:
          'Cinder does not report which volume type the volume has; give it one, or let this project see its type',
      }
    : undefined,
)

/** Where the limits cannot be seen, Cinder itself refuses the call, at once and without harm. */
export const sizeLimits = stated(
  {
    SizeLimit:
      'The target type, or a copy by way of a backup, does not allow a volume of this size.',
  },
  ({ sizeGiB, target }: Target & { readonly sizeGiB: number }) => {
    const specs = target?.extraSpecs ?? {}
    const least = Number(specs['provisioning:min_vol_size'] ?? 0)
    const most = Number(specs['provisioning:max_vol_size'] ?? Infinity)
    if (sizeGiB >= least && sizeGiB <= most) return undefined
    return {
      reason: 'SizeLimit',
      message: `the volume has ${sizeGiB} GiB; type ${target?.name} takes ${least} to ${most} GiB`,
    }
  },
)

export const zone = stated(
  { ZoneUnavailable: 'The target type is not offered in the availability zone of the volume.' },
  (
    f: Target & {
      readonly availabilityZone: string
      /** undefined = may not be read: Cinder itself refuses the call then. */
      readonly zonesAvailable: readonly string[] | undefined
    },
  ) => {
    const own = f.availabilityZone
    if (own === '')
      return {
        reason: 'ZoneUnavailable',
        message:
          'Cinder does not report the availability zone of the volume, so it is not known whether the move would change it; ask the administrator to set it',
      }
    // every project sees this one spec where it is set, so a type that shows no specs has none
    const wanted = f.target?.extraSpecs?.['RESKEY:availability_zones']
    if (wanted !== undefined && !wanted.split(',').some((z) => z.trim() === own))
      return {
        reason: 'ZoneUnavailable',
        message: `type ${f.target?.name} lives in zones ${wanted}, the volume in ${own}; a PersistentVolume cannot follow into another zone`,
      }
    if (f.zonesAvailable !== undefined && !f.zonesAvailable.includes(own))
      return {
        reason: 'ZoneUnavailable',
        message: `availability zone ${own} is not available in Cinder now`,
      }
    return undefined
  },
)
