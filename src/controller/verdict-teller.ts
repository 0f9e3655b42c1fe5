import { ANNOTATION } from '../api/names.ts'
import type { EventReason, StayReason } from '../api/reasons.ts'
import type { Judged } from './judgement.ts'
import type { ManagedClaim } from './managed.ts'
import type { Teller } from './teller.ts'

/** Stay reasons that a person should hear of, and as what. Everything else is in status and `explain` only. */
const TOLD: Partial<Record<StayReason, EventReason>> = {
  Snapshots: 'MigrationBlocked',
  Group: 'MigrationBlocked',
  Multiattach: 'MigrationBlocked',
  Encrypted: 'MigrationBlocked',
  SizeLimit: 'MigrationBlocked',
  TypeNotAccessible: 'MigrationBlocked',
  ZoneUnavailable: 'MigrationBlocked',
  QuotaExceeded: 'MigrationBlocked',
  Attached: 'MigrationBlocked',
  ForceTierUnknown: 'ForceTierUnknown',
  ForceTierDenied: 'ForceTierDenied',
  UnmanagedType: 'UnmanagedType',
  NoData: 'NoData',
  Observe: 'WouldMigrate',
}

const PAUSES = new Set(['true', 'false', 'promotion', 'demotion'])

/** For most claims a constant, which is compared without a look at its characters. */
function markOf(verdict: Judged['verdict'], forced: string | undefined): string {
  if (verdict.kind === 'move') return 'move'
  if (verdict.wants === undefined && forced === undefined) return verdict.reason
  return `${verdict.reason} ${verdict.wants ?? ''} ${forced ?? ''}`
}

/** Tells a claim's owner when the answer to "why does it stay?" changes; once, not every window. */
export class VerdictTeller {
  readonly #teller: Teller
  readonly #last = new Map<string, string>()

  constructor(teller: Teller) {
    this.#teller = teller
  }

  verdict(key: string, judged: Judged, nowSeconds: number): void {
    const { managed, verdict } = judged
    this.#annotations(key, managed, nowSeconds)
    this.#losers(key, managed)
    // a volume that nobody uses, or that has only just come, is not expected to have numbers
    if (verdict.kind === 'stay' && verdict.reason === 'NoData' && !shouldHaveData(judged)) return
    const forced = managed.claim.annotations[ANNOTATION.forceTier]
    const mark = markOf(verdict, forced)
    if (!this.#isNew(key, mark) || verdict.kind === 'move') return
    const event =
      verdict.reason === 'Observe' && forced !== undefined
        ? 'ForceTierObserved'
        : TOLD[verdict.reason]
    // a forced move waits in an object of its own, which tells the same
    if (event === undefined || (event === 'MigrationBlocked' && forced !== undefined)) return
    this.#teller.claim(managed.claim, event, verdict.message)
  }

  unmatched(key: string, { claim, match }: ManagedClaim): void {
    const forced = claim.annotations[ANNOTATION.forceTier]
    const reason = unmanagedReason({ match })
    // nothing is told, and most claims of a cluster may be nobody's
    if (reason === 'NoPolicy' && forced === undefined) return this.forget(key)
    if (!this.#isNew(key, `${reason} ${forced ?? ''}`)) return
    if (match.policy !== undefined) return
    if (reason === 'PolicyNotFound' || reason === 'PolicyConflict')
      this.#teller.claim(claim, reason, match.message)
    else if (reason === 'NoPolicy')
      this.#teller.claim(
        claim,
        'ForceTierNoPolicy',
        'couchestor.io/force-tier is set, but no policy manages the claim; add couchestor.io/policy',
      )
  }

  /** What was written on the claim and cannot be read, or has come to its end. */
  #annotations(key: string, { claim }: ManagedClaim, nowSeconds: number): void {
    const { forceTier, forceUntil, paused } = ANNOTATION
    const until = claim.annotations[forceUntil]
    const end = until === undefined ? undefined : Date.parse(until) / 1000
    if (
      this.#isNew(`${key} until`, `${until} ${end !== undefined && end <= nowSeconds}`) &&
      end !== undefined
    ) {
      if (Number.isNaN(end))
        this.#teller.claim(
          claim,
          'InvalidAnnotation',
          `${forceUntil}: "${until}" is no time; write it as 2030-01-31T18:00:00Z`,
        )
      else if (end <= nowSeconds && claim.annotations[forceTier] !== undefined)
        this.#teller.claim(
          claim,
          'ForceTierExpired',
          `${forceUntil} ${until} has passed; the policy decides again`,
        )
    }
    const pause = claim.annotations[paused]
    if (this.#isNew(`${key} paused`, pause ?? '') && pause !== undefined && !PAUSES.has(pause))
      this.#teller.claim(
        claim,
        'InvalidAnnotation',
        `${paused}: "${pause}" is none of true, false, promotion, demotion; the claim is paused altogether`,
      )
  }

  #losers(key: string, { claim, match }: ManagedClaim): void {
    if (match.policy === undefined) return
    const others = match.alsoMatched.join(', ')
    if (this.#isNew(`${key} losers`, others) && others !== '')
      this.#teller.claim(
        claim,
        'PolicyConflict',
        `policies ${match.policy.name} and ${others} select the claim; ${match.policy.name} decides (priority, age, name)`,
      )
  }

  forget(key: string): void {
    for (const mark of ['', ' until', ' paused', ' losers']) this.#last.delete(key + mark)
  }

  #isNew(key: string, mark: string): boolean {
    if (this.#last.get(key) === mark) return false
    this.#last.set(key, mark)
    return true
  }
}

function shouldHaveData({ managed, asked }: Judged): boolean {
  return asked && managed.bound?.row?.attached === true
}

/** Why no policy has a say in the claim. */
export function unmanagedReason({ match }: Pick<ManagedClaim, 'match'>): StayReason {
  return match.policy === undefined ? match.reason : 'TiersUnresolved'
}
