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

/** Tells a claim's owner when the answer to "why does it stay?" changes; once, not every window. */
export class VerdictTeller {
  readonly #teller: Teller
  readonly #last = new Map<string, string>()

  constructor(teller: Teller) {
    this.#teller = teller
  }

  verdict(key: string, { managed, verdict }: Judged): void {
    const forced = managed.claim.annotations[ANNOTATION.forceTier]
    const mark =
      verdict.kind === 'move' ? 'move' : `${verdict.reason} ${verdict.wants ?? ''} ${forced ?? ''}`
    if (!this.#isNew(key, mark) || verdict.kind === 'move') return
    const event =
      verdict.reason === 'Observe' && forced !== undefined
        ? 'ForceTierObserved'
        : TOLD[verdict.reason]
    if (event !== undefined) this.#teller.claim(managed.claim, event, verdict.message)
  }

  unmatched(key: string, { claim, match }: ManagedClaim): void {
    const forced = claim.annotations[ANNOTATION.forceTier]
    const reason = match.policy === undefined ? match.reason : 'TiersUnresolved'
    if (!this.#isNew(key, `${reason} ${forced ?? ''}`)) return
    if (match.policy !== undefined) return
    if (reason === 'PolicyNotFound' || reason === 'PolicyConflict')
      this.#teller.claim(claim, reason, match.message)
    else if (forced !== undefined && reason === 'NoPolicy')
      this.#teller.claim(
        claim,
        'ForceTierNoPolicy',
        'couchestor.io/force-tier is set, but no policy manages the claim; add couchestor.io/policy',
      )
  }

  forget(key: string): void {
    this.#last.delete(key)
  }

  #isNew(key: string, mark: string): boolean {
    if (this.#last.get(key) === mark) return false
    this.#last.set(key, mark)
    return true
  }
}
