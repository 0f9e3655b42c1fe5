import { parseForceUntil } from '../../api/force-until.ts'
import { ANNOTATION } from '../../api/names.ts'
import type { EventReason } from '../../api/event-reasons.ts'
import type { StayReason } from '../../api/reasons.ts'
import type { Judged } from '../planning/decision-inputs.ts'
import type { VerdictReports } from '../planning/verdict-reports.ts'
import { unmanagedReason } from '../view/managed.ts'
import type { ManagedClaim } from '../view/managed.ts'
import type { Reports } from '../view/reports.ts'

/** Stay reasons that a person should hear of, and as what. Everything else is in status and `explain` only. */
const REPORTED: Partial<Record<StayReason, EventReason>> = {
  Snapshots: 'MigrationBlocked',
  CopyTooExpensive: 'MigrationBlocked',
  Group: 'MigrationBlocked',
  Multiattach: 'MigrationBlocked',
  Encrypted: 'MigrationBlocked',
  SizeLimit: 'MigrationBlocked',
  OtherProject: 'MigrationBlocked',
  TypeNotAccessible: 'MigrationBlocked',
  ZoneUnavailable: 'MigrationBlocked',
  QuotaTooSmall: 'MigrationBlocked',
  QuotaExhausted: 'MigrationBlocked',
  QuotaExceeded: 'MigrationBlocked',
  Attached: 'MigrationBlocked',
  ForeignFinalizer: 'MigrationBlocked',
  ForceTierUnknown: 'ForceTierUnknown',
  NoAdmissionPolicy: 'NoAdmissionPolicy',
  UnmanagedType: 'UnmanagedType',
  NoData: 'NoData',
  Observe: 'WouldMigrate',
}

type Staying = Extract<Judged['verdict'], { kind: 'stay' }>

/** Of a forced claim: no object waits for its move, and its owner may not be allowed to read policies. */
const REPORTED_OF_FORCED: Partial<Record<StayReason, EventReason>> = {
  Observe: 'ForceTierObserved',
  PolicyPaused: 'MigrationBlocked',
  Stopped: 'MigrationBlocked',
}

function eventOfForced({ reason, wants }: Staying): EventReason | undefined {
  const event = wants === undefined ? undefined : REPORTED_OF_FORCED[reason]
  if (event !== undefined) return event
  // otherwise it waits in an object of its own, which says the same
  return REPORTED[reason] === 'MigrationBlocked' ? undefined : REPORTED[reason]
}

const PAUSES = new Set(['true', 'false', 'promotion', 'demotion'])

/** For most claims a constant, which is compared without reading its characters. */
function markOf(verdict: Judged['verdict'], forced: string | undefined): string {
  if (verdict.kind === 'move') return 'move'
  if (verdict.wants === undefined && forced === undefined) return verdict.reason
  return `${verdict.reason} ${verdict.wants ?? ''} ${forced ?? ''}`
}

/** Emits an event on a claim when the answer to "why does it stay?" changes; once, not every window. */
export class VerdictEvents implements VerdictReports {
  readonly #reports: Reports
  readonly #last = new Map<string, Marks>()

  constructor(reports: Reports) {
    this.#reports = reports
  }

  verdict(key: string, judged: Judged, nowSeconds: number): void {
    const { managed, verdict } = judged
    const marks = this.#marksOf(key)
    this.#annotations(marks, managed, nowSeconds)
    this.#denied(marks, judged)
    this.#losers(marks, managed)
    this.#attributesClass(marks, managed)
    // a volume that nobody uses, or that has only just come, is not expected to have numbers
    if (verdict.kind === 'stay' && verdict.reason === 'NoData' && !shouldHaveData(judged)) return
    const forced = judged.forced ? managed.claim.annotations[ANNOTATION.forceTier] : undefined
    const mark = markOf(verdict, forced)
    if (!isNew(marks, 'verdict', mark) || verdict.kind === 'move') return
    const event = forced === undefined ? REPORTED[verdict.reason] : eventOfForced(verdict)
    if (event !== undefined) this.#reports.claim(managed.claim, event, verdict.message)
  }

  unmatched(key: string, { claim, match }: ManagedClaim, nowSeconds: number): void {
    const now = nowSeconds * 1000
    const end = parseForceUntil(claim.annotations[ANNOTATION.forceUntil] ?? '', now)
    const forced = end.ok && end.at <= now ? undefined : claim.annotations[ANNOTATION.forceTier]
    const reason = unmanagedReason({ match })
    // nothing is reported, and most claims of a cluster may be unmanaged
    if (reason === 'NoPolicy' && forced === undefined) return this.forget(key)
    if (!isNew(this.#marksOf(key), 'verdict', `${reason} ${forced ?? ''}`)) return
    if (match.policy !== undefined) return
    if (reason === 'PolicyNotFound' || reason === 'PolicyConflict')
      this.#reports.claim(claim, reason, match.message)
    else if (reason === 'NoPolicy')
      this.#reports.claim(
        claim,
        'ForceTierNoPolicy',
        'couchestor.io/force-tier is set, but no policy manages the claim; add couchestor.io/policy',
      )
  }

  /** What was written on the claim and cannot be read, or has come to its end. */
  #annotations(marks: Marks, { claim }: ManagedClaim, nowSeconds: number): void {
    const { forceTier, forceUntil, paused } = ANNOTATION
    const until = claim.annotations[forceUntil]
    const end = until === undefined ? undefined : parseForceUntil(until, nowSeconds * 1000)
    const over = end?.ok === true && end.at <= nowSeconds * 1000
    const untilMark = end === undefined ? '' : `${until} ${end.ok} ${over}`
    if (isNew(marks, 'until', untilMark) && end !== undefined) {
      if (!end.ok) this.#reports.claim(claim, 'InvalidAnnotation', end.problem)
      else if (over && claim.annotations[forceTier] !== undefined)
        this.#reports.claim(
          claim,
          'ForceTierExpired',
          `${forceUntil} ${until} has passed; the policy decides again`,
        )
    }
    const pause = claim.annotations[paused]
    if (isNew(marks, 'paused', pause ?? '') && pause !== undefined && !PAUSES.has(pause))
      this.#reports.claim(
        claim,
        'InvalidAnnotation',
        `${paused}: "${pause}" is none of true, false, promotion, demotion; the claim is paused altogether`,
      )
  }

  #attributesClass(marks: Marks, { claim }: ManagedClaim): void {
    const { attributesClass } = claim
    if (!isNew(marks, 'class', attributesClass) || attributesClass === undefined) return
    this.#reports.claim(claim, 'VolumeAttributesClassIgnored', attributesClassNote(attributesClass))
  }

  /** It has no other effect than to be reported. */
  #denied(marks: Marks, { managed: { claim }, policy }: Judged): void {
    if (policy.effective.forceTier !== 'Deny') return
    const tier = claim.annotations[ANNOTATION.forceTier] ?? ''
    if (isNew(marks, 'denied', tier) && tier !== '')
      this.#reports.claim(
        claim,
        'ForceTierDenied',
        `policy ${policy.name} denies ${ANNOTATION.forceTier} (spec.overrides.forceTier), so "${tier}" has no effect; remove the annotation`,
      )
  }

  #losers(marks: Marks, { claim, match }: ManagedClaim): void {
    if (match.policy === undefined) return
    const others = match.alsoMatched.length === 0 ? '' : match.alsoMatched.join(', ')
    if (isNew(marks, 'losers', others) && others !== '')
      this.#reports.claim(
        claim,
        'PolicyConflict',
        `policies ${match.policy.name} and ${others} select the claim; ${match.policy.name} decides (priority, age, name)`,
      )
  }

  forget(key: string): void {
    this.#last.delete(key)
  }

  #marksOf(key: string): Marks {
    let marks = this.#last.get(key)
    if (marks === undefined) {
      marks = {
        verdict: undefined,
        until: undefined,
        denied: undefined,
        paused: undefined,
        losers: undefined,
        class: undefined,
      }
      this.#last.set(key, marks)
    }
    return marks
  }
}

/** What was said last of a claim, by what it is about; undefined = nothing yet. */
type Marks = Record<
  'verdict' | 'until' | 'denied' | 'paused' | 'losers' | 'class',
  string | undefined
>

function isNew(marks: Marks, about: keyof Marks, mark: string | undefined): boolean {
  if (marks[about] === mark) return false
  marks[about] = mark
  return true
}

function shouldHaveData({ managed, asked }: Judged): boolean {
  return asked && managed.bound?.row?.attached === true
}

/** What a claim's owner should know who has asked for a tier in Kubernetes' own way. */
export function attributesClassNote(name: string): string {
  return `spec.volumeAttributesClassName: ${name} is not acted on: the Cinder CSI driver does not implement it (a new claim that names a class stays Pending); the policy decides the tier, and couchestor.io/force-tier pins one`
}
