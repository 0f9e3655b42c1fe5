import type { StayReason } from '../../api/reasons.ts'
import type { VolumeMigration } from '../../api/volume-migration.ts'
import { unwritten } from '../../blockers/unwritten.ts'
import { messageOf } from '../../errors.ts'
import type { ControllerDeps } from '../deps.ts'
import type { Refusal } from '../moving/admission.ts'
import type { Managed, ManagedClaim } from '../view/managed.ts'
import type { DecisionInputs, Judged } from './decision-inputs.ts'
import type { MoveMaker } from './move-maker.ts'
import type { VerdictReports } from './verdict-reports.ts'

export type JudgementsParts = {
  readonly deps: ControllerDeps
  readonly managed: Managed
  readonly decisionInputs: DecisionInputs
  readonly maker: MoveMaker
  readonly verdictReports: VerdictReports
}

/** A move that gave way to others is planned again after this. */
const ASIDE_MS = 3_600_000

/** The last verdict about each managed claim, with what keeps its move from being made for now. */
export class Judgements {
  readonly #parts: JudgementsParts
  readonly #verdicts = new Map<string, Judged>()
  /** Claims whose planned move could not start and gave way, until when (monotonic) and why. */
  readonly #aside = new Map<string, Refusal & { readonly until: number }>()

  constructor(parts: JudgementsParts) {
    this.#parts = parts
  }

  /** By claim key. */
  get all(): ReadonlyMap<string, Judged> {
    return this.#verdicts
  }

  /** Its planned move has given way: the claim leaves its turn to others for an hour. */
  setAside({ metadata, spec, status }: VolumeMigration): void {
    const { reason = 'Busy', message = '' } = status ?? {}
    this.#aside.set(`${metadata.namespace}/${spec.claim.name}`, {
      reason: reason as Refusal['reason'],
      message,
      until: this.#parts.deps.clock.monotonic() + ASIDE_MS,
    })
  }

  /** The verdict as of now: a move of the same volume may have ended since the last one, and its claim be evaluated later. */
  again(key: string): Judged | undefined {
    const managed = this.#parts.managed.claim(key)
    return managed && this.judge(key, managed)
  }

  judge(key: string, managed: ManagedClaim): Judged | undefined {
    const fresh = this.#evaluate(key, managed)
    const judged = fresh && this.#heldBack(key, fresh)
    const now = Math.floor(this.#parts.deps.clock.now() / 1000)
    if (judged === undefined) {
      this.#parts.maker.forget(key)
      this.#verdicts.delete(key)
      this.#parts.verdictReports.unmatched(key, managed, now)
      return undefined
    }
    this.#verdicts.set(key, judged)
    this.#parts.verdictReports.verdict(key, judged, now)
    return judged
  }

  /** A claim that cannot be evaluated keeps no other from it. */
  #evaluate(key: string, managed: ManagedClaim): Judged | undefined {
    try {
      return this.#parts.decisionInputs.judge(managed)
    } catch (e) {
      this.#parts.deps.log.error(
        { claim: key, err: messageOf(e) },
        'a claim could not be evaluated; it stays where it is',
      )
      return undefined
    }
  }

  /** A wanted move that cannot be made or started for now leaves its turn to others. */
  #heldBack(key: string, judged: Judged): Judged {
    const { maker, deps } = this.#parts
    const { verdict } = judged
    if (verdict.kind === 'stay') {
      if (verdict.wants === undefined) maker.forget(key)
      return judged
    }
    const stay = (reason: StayReason, message: string): Judged => ({
      ...judged,
      verdict: { kind: 'stay', reason, message, wants: verdict.to, numbers: verdict.numbers },
    })
    const refused = unwritten({ object: 'its VolumeMigration', why: maker.refused(key) })
    if (refused !== undefined) return stay(refused.reason, refused.message)
    const aside = this.#aside.get(key)
    if (aside === undefined || verdict.why === 'Forced') return judged
    if (deps.clock.monotonic() < aside.until) return stay(aside.reason as StayReason, aside.message)
    this.#aside.delete(key)
    return judged
  }

  forget(key: string): void {
    this.#parts.maker.forget(key)
    this.#aside.delete(key)
    this.#verdicts.delete(key)
    this.#parts.verdictReports.forget(key)
  }
}
