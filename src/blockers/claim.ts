import { ANNOTATION } from '../api/names.ts'
import { isUnknown, stated } from './blocker.ts'
import type { Unknown } from './blocker.ts'

export const terminating = stated(
  { Terminating: 'The claim, its PersistentVolume or its namespace is being deleted.' },
  (f: { readonly terminating: boolean }) =>
    f.terminating
      ? {
          reason: 'Terminating',
          message: 'the claim, its PersistentVolume or its namespace is being deleted',
        }
      : undefined,
)

/** What `couchestor.io/paused` holds back. */
export type Pause = 'no' | 'all' | 'promotion' | 'demotion'
/** `unknown`: from a type that is no tier nobody can say whether it goes up or down. */
export type Direction = 'promotion' | 'demotion' | 'none' | 'unknown'

/** Of indexes of tiers, fastest first; -1 = no tier. */
export function directionOf(from: number, to: number): Direction {
  if (from === to) return 'none'
  if (from < 0 || to < 0) return 'unknown'
  return to < from ? 'promotion' : 'demotion'
}

export const paused = stated(
  { Paused: 'The claim is annotated couchestor.io/paused for this direction.' },
  ({ paused: what, direction }: { readonly paused: Pause; readonly direction: Direction }) => {
    const holds =
      what === 'all' || (what !== 'no' && (what === direction || direction === 'unknown'))
    const value = what === 'all' ? 'true' : what
    return holds
      ? {
          reason: 'Paused',
          message: `the claim is annotated ${ANNOTATION.paused}=${value}; it moves when its owner removes that`,
        }
      : undefined
  },
)

/** `unknown`: the claim does not say what size it has or wants. */
export type Resizing = 'yes' | 'no' | 'unknown'

export const resizing = stated(
  { Resizing: 'The claim is being resized.' },
  (f: { readonly resizing: Resizing }) => {
    switch (f.resizing) {
      case 'no':
        return undefined
      case 'yes':
        return { reason: 'Resizing', message: 'the claim is being resized; one change at a time' }
      case 'unknown':
        return { reason: 'Resizing', message: RESIZING_UNKNOWN }
    }
  },
)

const RESIZING_UNKNOWN =
  'the claim does not show both the size it asks for (spec.resources.requests.storage) and the size it has (status.capacity.storage), so a resize may be under way'

export const pods = stated(
  { PodPending: 'A pod waits for the claim, or its node is being drained; a move would delay it.' },
  (f: {
    /** A pod is waiting for this claim. */
    readonly podPending: boolean | Unknown
    /** A node that the volume is attached to drains. */
    readonly nodeDraining: boolean
  }) => {
    if (isUnknown(f.podPending))
      return {
        reason: 'PodPending',
        message: `it is not known whether a pod waits for the claim: ${f.podPending.unknown}. It moves when pods can be read`,
      }
    if (f.podPending)
      return {
        reason: 'PodPending',
        message: 'a pod is waiting for this claim; it could not start while the volume is retyping',
      }
    if (f.nodeDraining)
      return {
        reason: 'PodPending',
        message: 'the node drains; its pod could not move while the volume is retyping',
      }
    return undefined
  },
)
