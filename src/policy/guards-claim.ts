import { stated } from '../blockers/blocker.ts'
import { ownType, UNMANAGED } from '../blockers/target-type.ts'
import type { Candidate } from './candidate.ts'

export const optedOut = stated(
  { OptedOut: 'The claim is annotated couchestor.io/policy=none.' },
  ({ claim }: Candidate) =>
    claim.optedOut
      ? {
          reason: 'OptedOut',
          message: 'the claim is annotated couchestor.io/policy=none; remove it to be managed',
        }
      : undefined,
)

export const noUsablePolicy = stated(
  {
    NoPolicy: 'No StoragePolicy names or selects the claim.',
    PolicyNotFound: 'The claim is annotated with a StoragePolicy that does not exist.',
    PolicyConflict: 'The policy that the claim names does not cover the namespace of the claim.',
    PolicyInvalid: 'The policy cannot be used as it stands; its Ready condition says why.',
    StrategyUnsupported:
      'The strategy that is asked for (migration.strategy of the policy, spec.strategy of a VolumeMigration) is one that this version cannot do; nothing else is done in its place.',
    TiersUnresolved: 'A tier of the policy has no volume type that Cinder knows.',
  },
  ({ unmatched }: Candidate) => unmatched,
)

export const unbound = stated(
  {
    Unbound: 'The claim has no bound PersistentVolume yet.',
    NotCinder: 'The volume of the claim is not served by cinder.csi.openstack.org.',
  },
  ({ claim }: Candidate) => {
    if (claim.bound) return undefined
    return claim.otherDriver === true
      ? {
          reason: 'NotCinder',
          message: 'the PersistentVolume of the claim is not served by the Cinder CSI driver',
        }
      : { reason: 'Unbound', message: 'the claim has no bound PersistentVolume yet' }
  },
)

export const shared = stated(
  {
    SharedVolume:
      'Another claim has the same Cinder volume, by another PersistentVolume; it moves when one of the two is gone.',
  },
  ({ claim }: Candidate) =>
    claim.shared === undefined ? undefined : { reason: 'SharedVolume', message: claim.shared },
)

export const volumeGone = stated(
  { VolumeGone: 'Cinder does not know the volume of the PersistentVolume.' },
  ({ volume }: Candidate) =>
    volume
      ? undefined
      : {
          reason: 'VolumeGone',
          message:
            'Cinder does not list the volume of the PersistentVolume, or lists it with a field that cannot be read (the log names it)',
        },
)

export const inFlight = stated(
  { InFlight: 'A move of this volume is under way or waits already.' },
  (c: Candidate) =>
    c.inFlight === undefined ? undefined : { reason: 'InFlight', message: c.inFlight },
)

/** A volume without a known type has no tier either: it is reported as preflight would. */
export const unmanagedType = stated(UNMANAGED, (c: Candidate) => {
  if (c.tiers[c.tier] || c.volume === undefined) return undefined
  return (
    ownType(c.volume) ?? {
      reason: 'UnmanagedType',
      message: `the volume has type "${c.volume.typeName}", which no tier of policy ${c.policy.name} has; retype it to one of them by hand`,
    }
  )
})
