import type { VolumeMigration } from '../../api/volume-migration.ts'
import { quota } from '../../blockers/quota.ts'
import type { Answer } from '../../migration/unsent.ts'
import type { ControllerDeps } from '../deps.ts'
import type { Quotas } from '../view/quotas.ts'
import type { Target } from '../view/targets.ts'
import { unread, waiting } from './unread.ts'

/**
 * Read for each intent. Others may fill the quota at any moment up to the call, which Cinder then refuses at once, but a move that
 * it has refused waits for ten minutes, whatever room there is meanwhile.
 */
const INTENT_AGE_MS = 0

const QUOTA_REASONS: ReadonlySet<string> = new Set(Object.keys(quota.meanings))

/** What the quotas of the project have against a move, from the one read that all moves share. */
export class QuotaGate {
  readonly #parts: { readonly deps: Pick<ControllerDeps, 'timing'>; readonly quotas: Quotas }

  constructor(parts: { readonly deps: Pick<ControllerDeps, 'timing'>; readonly quotas: Quotas }) {
    this.#parts = parts
  }

  /** undefined = nothing. */
  async refusal(
    m: VolumeMigration,
    target: Target,
    sizeGiB: number,
    maxAgeMs = INTENT_AGE_MS,
  ): Promise<Answer | undefined> {
    const { quotas } = this.#parts
    try {
      await quotas.read(maxAgeMs)
    } catch (e) {
      return unread(e)
    }
    return waiting(quota({ quotas: quotas.of(target.to.typeId, { except: m }), sizeGiB }))
  }

  /**
   * What is left of `before`, which stood against the move when Cinder was last asked. Quotas are asked about again each time:
   * one read serves all that wait for them, and the next one goes on soon after another has made room.
   */
  async again(m: VolumeMigration, target: Target, before: Answer): Promise<Answer | undefined> {
    if (!QUOTA_REASONS.has(before.reason) || target.row === undefined) return before
    return this.refusal(m, target, target.row.sizeGiB, this.#parts.deps.timing.recheckMs)
  }
}
