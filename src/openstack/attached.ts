import type { CinderVolume } from './types.ts'

/** Cinder lists finished attachments only: one that is being made or undone shows in the status alone. */
const USED = new Set(['in-use', 'reserved', 'attaching', 'detaching'])

/** Attached as far as Cinder says, or on the way there or back. */
export function isAttached(v: Pick<CinderVolume, 'status' | 'attachments'>): boolean {
  return v.attachments.length > 0 || USED.has(v.status)
}
