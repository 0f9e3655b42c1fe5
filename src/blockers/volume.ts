import type { AttachedSafety } from './attached-safety.ts'
import { isUnknown, stated } from './blocker.ts'
import type { Unknown } from './blocker.ts'

/** Cinder retypes a volume that rests, and no other. */
export const busy = stated(
  { Busy: 'Cinder works on the volume already (status other than available or in-use).' },
  ({ status }: { readonly status: string }) => {
    if (isAtRest(status)) return undefined
    return {
      reason: 'Busy',
      message:
        status === 'retyping'
          ? 'the volume is being retyped outside of CoucheStor; it is left alone until that has ended'
          : `the volume is "${status}" in Cinder; waiting until it is available or in-use`,
    }
  },
)

function isAtRest(status: string): boolean {
  return status === 'available' || status === 'in-use'
}

/** As many as are known of, and what one of them is called. */
export type SnapshotsSeen = { readonly count: number; readonly name?: string }

/** Between backends Cinder moves no volume with snapshots. */
export const snapshots = stated(
  {
    Snapshots:
      'The volume has snapshots, with which Cinder moves no volume between backends; it moves when the last one is gone.',
  },
  (f: { readonly snapshots: SnapshotsSeen }) => {
    if (f.snapshots.count === 0) return undefined
    return {
      reason: 'Snapshots',
      message:
        `the volume has ${snapshotsText(f.snapshots)}; Cinder moves no volume with snapshots between backends. ` +
        'It moves by itself when the last one is gone: delete the VolumeSnapshots, or keep backups instead (CSI type "backup" does not block)',
    }
  },
)

function snapshotsText({ count, name }: SnapshotsSeen): string {
  if (name === undefined) return count === 1 ? 'a snapshot' : `${count} snapshots`
  return `snapshot ${name}${count === 1 ? '' : ` and ${count - 1} more`}`
}

/** Cinder retypes no volume in a group. */
export const group = stated(
  { Group: 'The volume belongs to a Cinder group or consistency group.' },
  ({ groupId }: { readonly groupId?: string }) =>
    groupId === undefined || groupId === ''
      ? undefined
      : {
          reason: 'Group',
          message: `the volume is in group ${groupId}; Cinder retypes no volume in a group. Take it out of the group`,
        },
)

/** A volume that several servers write to is never moved. */
export const multiattach = stated(
  { Multiattach: 'The volume is multiattach; such volumes are never moved.' },
  (f: { readonly multiattach: boolean }) =>
    f.multiattach
      ? { reason: 'Multiattach', message: 'the volume is multiattach; such volumes are not moved' }
      : undefined,
)

export const encrypted = stated(
  { Encrypted: 'The volume is encrypted; such volumes are never moved.' },
  (f: { readonly encrypted: boolean }) =>
    f.encrypted
      ? {
          reason: 'Encrypted',
          message:
            'the volume is encrypted; a retype may shrink it by its header or be refused by Nova. Such volumes are not moved',
        }
      : undefined,
)

/** Only a retype that is proven safe, or that the administrator answers for, runs under an attached volume. */
export const attached = stated(
  {
    Attached:
      'The volume is attached, and a live retype is not proven safe; it moves at its next detach.',
  },
  (f: {
    /** A VolumeAttachment exists, or Cinder shows the volume as attached. */
    readonly attached: boolean | Unknown
    /** Asked only where the volume is attached. */
    readonly attachedSafety: () => AttachedSafety
  }) => {
    if (isUnknown(f.attached))
      return {
        reason: 'Attached',
        message: `it is not known whether a node is about to attach the volume: ${f.attached.unknown}. It moves when VolumeAttachments can be read`,
      }
    if (!f.attached) return undefined
    const { safe, message } = f.attachedSafety()
    return safe ? undefined : { reason: 'Attached', message }
  },
)
