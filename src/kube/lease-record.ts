import type { Clock } from '../clock.ts'
import type { KubeObject } from './types.ts'

/** `spec` of a coordination.k8s.io/v1 Lease; every field may be missing in one that another tool made. */
export type LeaseSpec = {
  readonly holderIdentity?: string
  readonly leaseDurationSeconds?: number
  readonly acquireTime?: string
  readonly renewTime?: string
  readonly leaseTransitions?: number
}

export type Lease = KubeObject & { readonly spec?: LeaseSpec }

/** Wall time as the MicroTime of a Lease: always six digits of fraction. */
export function microTime(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000Z')
}

/** As client-go writes it at the end of a term: free at once, the number of terms kept. */
export function releasedSpec(spec: LeaseSpec | undefined, now: number): LeaseSpec {
  return {
    ...spec,
    holderIdentity: '',
    leaseDurationSeconds: 1,
    acquireTime: microTime(now),
    renewTime: microTime(now),
  }
}

/** Nobody holds it, and the last holder said so itself: one that a person emptied may still be believed by its holder. */
function isReleased(spec: LeaseSpec | undefined): boolean {
  return !spec?.holderIdentity && (spec?.leaseDurationSeconds ?? Infinity) <= 1
}

/**
 * Judges when a Lease that is not ours may be taken: released, or unchanged for its whole duration by our own monotonic
 * clock. Clocks of different machines are never compared. A Lease that is missing counts like one that does not change:
 * it may have been deleted under a leader that does not know yet.
 */
export function createExpiry(clock: Clock, leaseDurationMs: number) {
  let seen: string | undefined
  let seenAt = 0
  let terms = 0
  return {
    /** Looks at what was just read; true when it may be taken. */
    mayTake: (lease: Lease | undefined): boolean => {
      const record = lease ? `${lease.metadata.uid} ${JSON.stringify(lease.spec)}` : 'missing'
      terms = Math.max(terms, lease?.spec?.leaseTransitions ?? 0)
      if (record !== seen) {
        seen = record
        seenAt = clock.monotonic()
      }
      if (lease && isReleased(lease.spec)) return true
      const claimed = (lease?.spec?.leaseDurationSeconds ?? 0) * 1000
      return clock.monotonic() - seenAt >= Math.max(leaseDurationMs, claimed)
    },
    /** The most terms this process has seen, so that a Lease made anew goes on counting. */
    terms: () => terms,
  }
}
