import type { EndReason, ReplaceAct, Saved } from './saved.ts'
import type { CinderSeen, KubeSeen, ReplaceSight } from './sight.ts'

/** What a second read has to confirm. */
export type Agreed =
  | 'claimGone'
  | 'detached'
  | 'neverMade'
  | 'absent'
  | 'unchanged'
  | 'reverted'
  | 'verified'
  | 'bound'
  | 'unused'
  | 'again'

export type ReplaceTiming = {
  readonly pollMs: number
  readonly longestPollMs: number
  /** Between two reads while there is nothing to do for days; what happens meanwhile brings one at once. */
  readonly soakPollMs: number
  /** Least time between two reads that have to agree. */
  readonly verifyMs: number
  readonly mostAttempts: number
  /** The soak ends when the copy has been mounted for that long, or at `maxSoakMs`. */
  readonly mountedMs: number
  readonly maxSoakMs: number
}

/** Everything that the machine may know. Times in ms since the epoch. */
export type ReplaceInput = {
  readonly saved: Saved
  /** undefined = not read yet. */
  readonly sight: ReplaceSight | undefined
  readonly now: number
  readonly clusterId: string
  readonly objectUid: string
  /** Until then a call of which nothing is known may still be on its way. */
  readonly quietUntil: number
  /** What a person has asked for. */
  /** `yield`: the workload that was stopped for the move is wanted up by somebody else. */
  readonly wish?: 'cancel' | 'yield' | 'rollback'
  /** Ms since the first of an unbroken series of reads that agree. */
  readonly confirming?: { readonly what: Agreed; readonly ms: number }
  readonly timing: ReplaceTiming
}

export type ReplaceOutcome =
  | { readonly kind: 'rest' }
  | { readonly kind: 'look' }
  | {
      readonly kind: 'wait'
      readonly ms: number
      readonly why: string
      readonly confirm?: Agreed
      /** For as long as the owner of a snapshot likes: nothing is wrong. */
      readonly isKept?: true
      /** For Cinder, which copies: that takes as long as the volume is large, and ends at the deadline. */
      readonly isCopied?: true
    }
  | { readonly kind: 'save'; readonly saved: Saved }
  | { readonly kind: 'act'; readonly act: ReplaceAct }

/** Input of which Kubernetes at least could be read. */
export type Seen = {
  readonly input: ReplaceInput
  readonly saved: Saved
  readonly kube: KubeSeen
  /** undefined = Cinder could not be read. */
  readonly cinder: CinderSeen | undefined
  readonly unread: string
}

export function wait(
  { timing }: ReplaceInput,
  why: string,
): Extract<ReplaceOutcome, { kind: 'wait' }> {
  return { kind: 'wait', ms: timing.pollMs, why }
}

export function save(saved: Saved): ReplaceOutcome {
  return { kind: 'save', saved }
}

/** `then` after a second read that agrees, at least `ms` after the first. */
export function twice(
  { confirming, timing }: ReplaceInput,
  what: Agreed,
  then: () => ReplaceOutcome,
  ms = timing.verifyMs,
): ReplaceOutcome {
  const passed = confirming?.what === what ? confirming.ms : 0
  if (passed >= ms) return then()
  return { kind: 'wait', ms: ms - passed, why: AGREED[what], confirm: what }
}

const AGREED: Readonly<Record<Agreed, string>> = {
  claimGone: 'the claim is gone; reading it a second time',
  detached: 'the volume is held; reading a second time that nothing is attached',
  neverMade: 'nothing of that name is there; reading a second time',
  absent: 'Cinder does not know it any more; reading a second time',
  unchanged: 'the retype never arrived; reading a second time',
  reverted: 'the copy is on its old type again; reading a second time',
  verified: 'the copy is complete; reading a second time',
  bound: 'the claim is bound to the copy; reading a second time',
  unused: 'nothing uses it; reading a second time before it is deleted',
  again: 'it was refused, and is tried again later',
}

/** Waits until no call of which nothing is known can be on its way. */
export function quiet(input: ReplaceInput, then: () => ReplaceOutcome): ReplaceOutcome {
  const ms = input.quietUntil - input.now
  if (ms <= 0) return then()
  return {
    kind: 'wait',
    ms,
    why: 'the answer to a call is unknown; waiting until it cannot be on its way any more',
  }
}

/** An act of Kubernetes: safe to repeat, since everything that it is done to is named; after a refusal only later. */
export function perform({ input, saved }: Seen, act: ReplaceAct): ReplaceOutcome {
  const { intent, answer } = saved
  const isRefused = answer?.kind === 'Rejected' || answer?.kind === 'NotSent'
  const does: ReplaceOutcome = { kind: 'act', act }
  return isRefused && intent?.act === act.act ? twice(input, 'again', () => does) : does
}

/** The original is given back, and what was made is discarded. */
export function giveBack(saved: Saved, reason: EndReason, message: string): ReplaceOutcome {
  return save({ ...saved, phase: 'GivingBack', keeps: 'original', reason, message })
}
