import type { StayReason } from '../api/reasons.ts'

/** All that is asked right before a retype, gathered fresh; `undefined` = could not be asked. Sizes GiB. */
export type PreflightFacts = {
  readonly volume: {
    readonly status: string
    readonly sizeGiB: number
    readonly typeId: string
    readonly availabilityZone: string
    readonly multiattach: boolean
    readonly encrypted: boolean
    readonly groupId?: string
    readonly attached: boolean
  }
  readonly target: TypeFacts | undefined
  readonly source: TypeFacts | undefined
  readonly snapshots: readonly { readonly id: string; readonly name: string }[]
  /** Room that the target type's own quota leaves; Infinity = unlimited, undefined = may not be read. */
  readonly quotaGiBLeft: number | undefined
  readonly quotaVolumesLeft: number | undefined
  readonly zonesAvailable: readonly string[] | undefined
  /** Verdict on retyping while attached, with its reason (policy/attached-safety.ts). */
  readonly attachedSafe: { readonly safe: boolean; readonly message: string }
  /** A pod is waiting for this claim, or the node it is attached to drains. */
  readonly podPending: boolean
  readonly nodeDraining: boolean
  readonly claimResizing: boolean
  readonly terminating: boolean
  /** A VolumeAttachment exists, or Cinder lists an attachment. */
  readonly anyAttachment: boolean
}

export type TypeFacts = {
  readonly id: string
  readonly name: string
  readonly extraSpecs: Readonly<Record<string, string>>
}

export type Block = { readonly reason: StayReason; readonly message: string }

/** One reason against the move, or undefined. */
type Check = (facts: PreflightFacts) => Block | undefined

/** In the order a person would want to hear them: what cannot be waited out first. */
const CHECKS: readonly Check[] = [
  terminating,
  targetType,
  group,
  multiattach,
  encryption,
  sizeLimits,
  zone,
  snapshots,
  attached,
  busy,
  pods,
  resizing,
  quota,
]

/** Every reason why the retype must not start now; empty = it may. */
export function preflight(facts: PreflightFacts): readonly Block[] {
  return CHECKS.flatMap((check) => check(facts) ?? [])
}

function terminating(f: PreflightFacts): Block | undefined {
  return f.terminating
    ? { reason: 'Terminating', message: 'the claim or its volume is being deleted' }
    : undefined
}

function targetType(f: PreflightFacts): Block | undefined {
  return f.target
    ? undefined
    : {
        reason: 'TypeNotAccessible',
        message:
          "the target volume type does not exist or this project may not use it; ask the cloud's administrator for access",
      }
}

function group(f: PreflightFacts): Block | undefined {
  return f.volume.groupId === undefined || f.volume.groupId === ''
    ? undefined
    : {
        reason: 'Group',
        message: `the volume is in group ${f.volume.groupId}; Cinder retypes no volume in a group. Take it out of the group`,
      }
}

function multiattach(f: PreflightFacts): Block | undefined {
  return f.volume.multiattach
    ? { reason: 'Multiattach', message: 'the volume is multiattach; such volumes are not moved' }
    : undefined
}

function encryption(f: PreflightFacts): Block | undefined {
  return f.volume.encrypted
    ? {
        reason: 'Encrypted',
        message:
          'the volume is encrypted; a retype may shrink it by its header or be refused by Nova. Such volumes are not moved',
      }
    : undefined
}

function sizeLimits(f: PreflightFacts): Block | undefined {
  const specs = f.target?.extraSpecs ?? {}
  const least = Number(specs['provisioning:min_vol_size'] ?? 0)
  const most = Number(specs['provisioning:max_vol_size'] ?? Infinity)
  if (f.volume.sizeGiB >= least && f.volume.sizeGiB <= most) return undefined
  return {
    reason: 'SizeLimit',
    message: `the volume has ${f.volume.sizeGiB} GiB; type ${f.target?.name} takes ${least} to ${most} GiB`,
  }
}

function zone(f: PreflightFacts): Block | undefined {
  const own = f.volume.availabilityZone
  const wanted = f.target?.extraSpecs['RESKEY:availability_zones']
  if (wanted !== undefined && !wanted.split(',').some((z) => z.trim() === own))
    return {
      reason: 'ZoneUnavailable',
      message: `type ${f.target?.name} lives in zones ${wanted}, the volume in ${own}; a PersistentVolume cannot follow into another zone`,
    }
  if (f.zonesAvailable !== undefined && own !== '' && !f.zonesAvailable.includes(own))
    return {
      reason: 'ZoneUnavailable',
      message: `availability zone ${own} is not available in Cinder now`,
    }
  return undefined
}

function snapshots(f: PreflightFacts): Block | undefined {
  const [first] = f.snapshots
  if (first === undefined) return undefined
  const more = f.snapshots.length > 1 ? ` and ${f.snapshots.length - 1} more` : ''
  return {
    reason: 'Snapshots',
    message:
      `the volume has snapshot ${first.name || first.id}${more}; Cinder moves no volume with snapshots between backends. ` +
      'It moves by itself when the last one is gone: delete the VolumeSnapshots, or keep backups instead (CSI type "backup" does not block)',
  }
}

function attached(f: PreflightFacts): Block | undefined {
  if (!f.anyAttachment || f.attachedSafe.safe) return undefined
  return { reason: 'Attached', message: f.attachedSafe.message }
}

function busy(f: PreflightFacts): Block | undefined {
  const { status } = f.volume
  if (status === 'available' || status === 'in-use') return undefined
  return {
    reason: 'Busy',
    message:
      status === 'retyping'
        ? 'the volume is being retyped by somebody else; hands off until that has ended'
        : `the volume is "${status}" in Cinder; waiting until it is available or in-use`,
  }
}

function pods(f: PreflightFacts): Block | undefined {
  if (f.podPending)
    return {
      reason: 'PodPending',
      message: 'a pod is waiting for this claim; it could not start while the volume is retyping',
    }
  if (f.nodeDraining && f.anyAttachment)
    return {
      reason: 'PodPending',
      message: 'the node drains; its pod could not move while the volume is retyping',
    }
  return undefined
}

function resizing(f: PreflightFacts): Block | undefined {
  return f.claimResizing
    ? { reason: 'Resizing', message: 'the claim is being resized; one change at a time' }
    : undefined
}

function quota(f: PreflightFacts): Block | undefined {
  const gib = f.quotaGiBLeft ?? Infinity
  const count = f.quotaVolumesLeft ?? Infinity
  if (gib >= f.volume.sizeGiB && count >= 1) return undefined
  return {
    reason: 'QuotaExceeded',
    message:
      `the quota of type ${f.target?.name} leaves ${gib} GiB and ${count} volumes; the move needs ${f.volume.sizeGiB} GiB and 1. ` +
      "Ask the cloud's administrator to raise it",
  }
}
