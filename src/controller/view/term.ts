/** Our time as leader, and the cluster that we lead in. */
export type Term = {
  readonly epoch: number
  readonly clusterId: string
  /** By what the cluster is known to a controller whose role is smaller. */
  readonly leaseUid?: string
}

/** The id under which something was begun, when it is ours: the role may have grown since. Else the present one. */
export function ownIdOf({ clusterId, leaseUid }: Term, begunUnder: string | undefined): string {
  return begunUnder !== undefined && begunUnder === leaseUid ? leaseUid : clusterId
}
