/** Our time as leader, and the cluster that we lead in. */
export type Term = {
  readonly epoch: number
  readonly clusterId: string
}
