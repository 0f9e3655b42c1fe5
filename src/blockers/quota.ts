import { stated } from './blocker.ts'

/** One key of Cinder's quota set that a retype to the target type counts against. */
export type TypeQuota = {
  /** As Cinder names it: `gigabytes_<type>` or `volumes_<type>`. */
  readonly key: string
  /** -1 = unlimited. */
  readonly limit: number
  readonly inUse: number
  /** Of moves that are under way, ours and others'. */
  readonly reserved: number
}

type Facts = {
  /** Empty where the credential may not read quotas: Cinder itself refuses what exceeds them, at once and without harm. */
  readonly quotas: readonly TypeQuota[]
  readonly sizeGiB: number
}

/** Both types hold the volume until the end of the retype, so that the target's quota must have room for all of it. */
export const quota = stated(
  {
    QuotaTooSmall:
      'The quota of the target type is smaller than the volume: the move can never start before it is raised.',
    QuotaExhausted:
      'The quota of the target type has no room for the volume now; it starts when others leave the type, or when the quota is raised.',
  },
  ({ quotas, sizeGiB }: Facts) => {
    const limited = quotas.filter((q) => q.limit >= 0)
    const need = ({ key }: TypeQuota) => (key.startsWith('gigabytes_') ? sizeGiB : 1)
    const small = limited.find((q) => q.limit < need(q))
    if (small !== undefined)
      return {
        reason: 'QuotaTooSmall',
        message: `quota ${small.key} is ${small.limit}, and the move needs ${need(small)}: ask the cloud's administrator to raise it to at least ${taken(small) + need(small)}`,
      }
    const full = limited.find((q) => headroom(q) < need(q))
    if (full === undefined) return undefined
    const { key, limit, inUse, reserved } = full
    // not by how much: where more is used than the limit allows, that would not be enough
    return {
      reason: 'QuotaExhausted',
      message: `quota ${key} has ${headroom(full)} of ${limit} left (${inUse} in use, ${reserved} reserved), and the move needs ${need(full)}: free volumes of that type, or ask the cloud's administrator to raise it to at least ${taken(full) + need(full)}`,
    }
  },
)

/** Never negative: a limit may have been set below what is used. */
function headroom(q: TypeQuota): number {
  return Math.max(0, q.limit - taken(q))
}

function taken({ inUse, reserved }: TypeQuota): number {
  return inUse + reserved
}
