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

/**
 * What a candidate puts where there is no Lease. It may have been deleted under a leader that does not know yet, so the
 * new one belongs to nobody and is taken like any that has not changed for its duration.
 */
export function vacantSpec(leaseDurationMs: number): LeaseSpec {
  return { holderIdentity: '', leaseDurationSeconds: Math.ceil(leaseDurationMs / 1000) }
}

export function isVacant(spec: LeaseSpec | undefined): boolean {
  return !spec?.holderIdentity && spec?.acquireTime === undefined
}

/** Nobody holds it, and the last holder said so itself: one that a person emptied may still be believed by its holder. */
function isReleased(spec: LeaseSpec | undefined): boolean {
  return !spec?.holderIdentity && (spec?.leaseDurationSeconds ?? Infinity) <= 1
}

/**
 * Judges when a Lease that is not ours may be taken: released, or unchanged for its whole duration by our own monotonic
 * clock. Clocks of different machines are never compared.
 */
export function createExpiry(clock: Clock, leaseDurationMs: number) {
  let seen: string | undefined
  let seenAt = 0
  let terms = 0
  return {
    /** Evaluates what was just read; true when it may be taken. */
    mayTake: ({ metadata, spec }: Lease): boolean => {
      const record = `${metadata.uid} ${JSON.stringify(spec)}`
      terms = Math.max(terms, spec?.leaseTransitions ?? 0)
      if (record !== seen) {
        seen = record
        seenAt = clock.monotonic()
      }
      if (isReleased(spec)) return true
      const claimed = (spec?.leaseDurationSeconds ?? 0) * 1000
      return clock.monotonic() - seenAt >= Math.max(leaseDurationMs, claimed)
    },
    /** The most terms this process has seen, so that a Lease made again goes on counting. */
    terms: () => terms,
  }
}
