import type { StayReason } from '../api/reasons.ts'

/** One reason against a move, in one sentence with the numbers. */
export type Block<R extends StayReason = StayReason> = {
  readonly reason: R
  readonly message: string
}

/** What reasons mean, for docs/reference-reasons.md, which is made of these. */
export type Meanings = Readonly<Partial<Record<StayReason, string>>>

/** A check together with the meaning of every reason that it may give. */
export type Stated<Asked extends readonly unknown[], R extends StayReason = StayReason> = ((
  ...asked: Asked
) => Block<R> | undefined) & {
  readonly meanings: Meanings
}

/**
 * What may stand against a move, stated once. Guards, preflight and admission ask it with the facts that they have, each
 * in its own order.
 */
export type Blocker<Facts> = Stated<[facts: Facts]>

export function stated<R extends StayReason, Asked extends readonly unknown[]>(
  meanings: Readonly<Record<R, string>>,
  check: (...asked: Asked) => Block<R> | undefined,
): Stated<Asked, R> {
  return Object.assign(check, { meanings })
}

/** The same check, with its facts taken from a larger input; skipped where they are absent. */
export function withFacts<Facts, Asked extends readonly unknown[]>(
  blocker: Blocker<Facts>,
  factsOf: (...asked: Asked) => Facts | undefined,
): Stated<Asked> {
  const check = (...of: Asked) => {
    const facts = factsOf(...of)
    return facts === undefined ? undefined : blocker(facts)
  }
  return Object.assign(check, { meanings: blocker.meanings })
}

/** Unknown, and why. That is never taken for a "no": who must know waits. */
export type Unknown = { readonly unknown: string }

export function isUnknown(fact: boolean | Unknown): fact is Unknown {
  return typeof fact !== 'boolean'
}

/**
 * A block whose sentence is made when it is read: every pass makes a verdict for each of thousands of claims, and few of
 * them are ever read. `text` must not hold the candidate.
 */
export function blockOf<R extends StayReason>(reason: R, text: () => string): Block<R> {
  return {
    reason,
    get message() {
      return text()
    },
  }
}

/** What all of these blockers have to know. */
export type AllOf<B extends readonly unknown[]> = B extends readonly [
  Blocker<infer F>,
  ...infer Rest,
]
  ? F & AllOf<Rest>
  : unknown
