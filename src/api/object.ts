/** The part of `metadata` that we read or write; everything else stays on the server. */
export type ObjectMeta = {
  readonly name: string
  readonly namespace?: string
  readonly uid?: string
  readonly resourceVersion?: string
  readonly generation?: number
  readonly creationTimestamp?: string
  readonly deletionTimestamp?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
}

export type Condition = {
  readonly type: string
  readonly status: 'True' | 'False' | 'Unknown'
  readonly reason: string
  readonly message: string
  readonly lastTransitionTime: string
  readonly observedGeneration?: number
}

/** Of every message in a status: what others say is passed on, whatever its length. The CRDs allow more. */
const LONGEST_MESSAGE = 4096

/** The message, cut with an ellipsis when it is too long to be read. */
export function clipped(message: string, most = LONGEST_MESSAGE): string {
  return message.length <= most ? message : `${message.slice(0, most - 1).toWellFormed()}…`
}

/**
 * `conditions` with `next` set: the transition time moves only when the status flips,
 * and the very same array comes back when nothing changed.
 */
export function withCondition(
  conditions: readonly Condition[],
  given: Omit<Condition, 'lastTransitionTime'>,
  now: string,
): readonly Condition[] {
  const next = { ...given, message: clipped(given.message) }
  const old = conditions.find((c) => c.type === next.type)
  if (
    old &&
    old.status === next.status &&
    old.reason === next.reason &&
    old.message === next.message &&
    old.observedGeneration === next.observedGeneration
  )
    return conditions
  const lastTransitionTime = old?.status === next.status ? old.lastTransitionTime : now
  const set = { ...next, lastTransitionTime }
  return old ? conditions.map((c) => (c === old ? set : c)) : [...conditions, set]
}
