import type { Block, Candidate, Want } from './candidate.ts'

/** Cinder retypes a volume that rests, and no other. */
export function busy(c: Candidate): Block | undefined {
  const status = c.volume?.status ?? 'unknown'
  if (status === 'available' || status === 'in-use') return undefined
  return {
    reason: 'Busy',
    message: `the volume is "${status}" in Cinder; it waits for available or in-use`,
  }
}

/** One change at a time. */
export function resizing(c: Candidate): Block | undefined {
  return c.claim.resizing
    ? { reason: 'Resizing', message: 'the claim is being resized; the move waits for its end' }
    : undefined
}

/** Between backends Cinder moves no volume with snapshots. */
export function snapshots(c: Candidate): Block | undefined {
  const count = c.volume?.snapshots ?? 0
  if (count === 0) return undefined
  const has = count === 1 ? 'a snapshot' : `${count} snapshots`
  return {
    reason: 'Snapshots',
    message:
      `the volume has ${has}; it moves in the gap when the last one is gone: delete the VolumeSnapshots, ` +
      'or keep backups instead (CSI type "backup" does not block)',
  }
}

/** Cinder retypes no volume in a group. */
export function group(c: Candidate): Block | undefined {
  const id = c.volume?.groupId ?? ''
  return id === ''
    ? undefined
    : { reason: 'Group', message: `the volume is in Cinder group ${id}; take it out of the group` }
}

/** A volume that several servers write to is never moved. */
export function multiattach(c: Candidate): Block | undefined {
  return c.volume?.multiattach
    ? { reason: 'Multiattach', message: 'the volume is multiattach; such volumes are not moved' }
    : undefined
}

/** A retype may shrink an encrypted volume by its header, or Nova refuses it. */
export function encrypted(c: Candidate): Block | undefined {
  return c.volume?.encrypted
    ? { reason: 'Encrypted', message: 'the volume is encrypted; such volumes are not moved' }
    : undefined
}

/** What a preflight found and is remembered. */
export function blocks(c: Candidate, want: Want): Block | undefined {
  return c.blocks(want.to)[0]
}

/** Only a retype that is proven safe, or that the administrator answers for, runs under an attached volume. */
export function attached(c: Candidate, want: Want): Block | undefined {
  if (!c.volume?.attached) return undefined
  const { safe, message } = c.attachedSafety(want.to)
  return safe ? undefined : { reason: 'Attached', message }
}
