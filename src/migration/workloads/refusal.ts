/** Why a workload is not stopped for a move. All but the first two are the workload's own. */
export type RefusalReason =
  /** `migration.workloads` is WaitForDetach, or the owner has not opted in. */
  | 'RestartNotAllowed'
  | 'OutsideSchedule'
  /** No Pod uses the claim, or nothing of the workload runs. */
  | 'NotUsed'
  /** Nothing is known that could stop and start it again. */
  | 'WorkloadUnsupported'
  /** Somebody else decides about its replicas. */
  | 'WorkloadOwned'
  /** Claims would be deleted with the Pods. */
  | 'ClaimsDeleted'
  /** A Pod must not be disrupted. */
  | 'DoNotDisrupt'
  | 'DisruptionBudget'
  /** An autoscaler would scale it back. */
  | 'Autoscaled'
  /** Another move has stopped it, or it changes. */
  | 'WorkloadBusy'
  /** Something that has a say could not be read. */
  | 'WorkloadUnknown'

/** The sentence names the field, its value and what to do. */
export type Refusal = { readonly reason: RefusalReason; readonly message: string }

export function refusal(reason: RefusalReason, message: string): Refusal {
  return { reason, message }
}
