import { messageOf } from '../../errors.ts'
import { LostLeaseError } from '../../kube/types.ts'
import { MOVES_IN_FLIGHT } from '../../api/tiering-checkpoint.ts'
import type { LedgerSaves } from '../moving/ledger.ts'
import type { ResolvedPolicy } from '../view/policies.ts'
import type { Refusals } from '../moving/refusals.ts'
import type { Reports } from '../view/reports.ts'

const CHECKPOINTS = 'tieringcheckpoints'
/** No policy's name has a slash. */
const LEDGER = `${MOVES_IN_FLIGHT}/ledger`
const shadowOf = (policy: string): string => `${policy}/shadow`

/** What the API server says to each writing of a checkpoint; `e` undefined = it was written. */
export class CheckpointSaves {
  readonly #refusals: Refusals
  readonly #reports: Pick<Reports, 'policy'>

  constructor(refusals: Refusals, reports: Pick<Reports, 'policy'>) {
    this.#refusals = refusals
    this.#reports = reports
  }

  /** The engine's memory of that policy. */
  memory(policy: ResolvedPolicy, e?: unknown): void {
    if (this.#note(policy.name, e))
      this.#reports.policy(policy, 'WriteRefused', `its checkpoint is refused: ${messageOf(e)}`)
  }

  shadow(policy: ResolvedPolicy, e?: unknown): void {
    this.#note(shadowOf(policy.name), e)
  }

  readonly ledger: LedgerSaves = {
    ended: (e) => void this.#note(LEDGER, e),
    isPausing: () => this.#refusals.pausing(CHECKPOINTS, LEDGER) !== undefined,
  }

  /** Every pass would try again, and each try is several requests. */
  isPausing(policy: string, what: 'memory' | 'shadow'): boolean {
    const key = what === 'memory' ? policy : shadowOf(policy)
    return this.#refusals.pausing(CHECKPOINTS, key) !== undefined
  }

  /** What is not on record of that policy, and what follows from that. */
  problems(policy: string): readonly string[] {
    const refused = this.#refusals.all(CHECKPOINTS)
    const ledger = refused.get(LEDGER)
    const memory = refused.get(policy)
    return [
      ...(ledger === undefined
        ? []
        : [`no move starts, because the ledger of moves cannot be saved: ${ledger.why}`]),
      ...(memory === undefined
        ? []
        : [
            `a restart would read history again, because the checkpoint cannot be saved: ${memory.why}`,
          ]),
    ]
  }

  /** A policy that is gone has nothing left to save. */
  forget(isPolicy: (name: string) => boolean): void {
    for (const key of this.#refusals.all(CHECKPOINTS).keys())
      if (key !== LEDGER && !isPolicy(key.replace(/\/shadow$/, '')))
        this.#refusals.clear(CHECKPOINTS, key)
  }

  #note(key: string, e: unknown): boolean {
    if (e instanceof LostLeaseError) return false
    if (e !== undefined) return this.#refusals.note(CHECKPOINTS, key, e)
    this.#refusals.clear(CHECKPOINTS, key)
    return false
  }
}
