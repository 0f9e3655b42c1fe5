export const NAMESPACES = ['shop', 'bank', 'lab'] as const
export const TIERS = ['hot', 'warm', 'cold'] as const
/** Each policy takes the claims that carry its name as label `app`. */
export const POLICY_NAMES = ['tiered', 'second'] as const
/** A policy that nobody edits, for claims of everybody. */
export const COMMON = 'common'
/** A policy that nobody edits, with claims that nobody touches: what happens to others must not hold them up. */
export const PROBE = 'probe'
/** As PROBE, with a strategy that gives a claim another volume. */
export const REPLACED = 'replaced'

/** Begins the keys of what corrects a move that cannot be read. */
export const BROKEN = 'broken move '

/** Key of what makes room for the audit again. */
export const AUDIT = 'audit'

/** Of its StorageClass too. */
export function typeNameOf(tier: string): string {
  return `couchestor-${tier}`
}
