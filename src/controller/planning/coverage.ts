import type { VolumeState } from '../../policy/types.ts'
import type { Detachments } from '../view/detachments.ts'
import type { BoundManagedClaim as Bound } from '../view/managed.ts'
import type { ResolvedPolicy } from '../view/policies.ts'
import type { PolicyHealth } from './policy-health.ts'
import type { Answer } from './window-walk.ts'

export type CoverageParts = {
  readonly health: PolicyHealth
  readonly detachments: Detachments
}

/** A volume that has had no numbers for longer is one without. */
const LOST_SECONDS = 86_400

/** Counts how many volumes of a policy have numbers, and how many have lost theirs: demotion freezes by that. */
export class Coverage {
  readonly #parts: CoverageParts

  constructor(parts: CoverageParts) {
    this.#parts = parts
  }

  /** `end`: of the window, seconds. */
  count(
    policy: ResolvedPolicy,
    states: ReadonlyMap<string, VolumeState>,
    bound: readonly Bound[],
    end: number,
    { missing, warnings }: Answer,
  ): void {
    const { health } = this.#parts
    let [covered, detached, lost] = [0, 0, 0]
    for (const { bound: b } of bound) {
      const kind = health.observation(b.volume.handle)?.kind
      if (kind === 'Measured') covered += 1
      else if (kind === 'Detached') detached += 1
      else if (this.#hasLostNumbers(policy, b, states.get(b.volume.handle), end)) lost += 1
    }
    const counts = { covered, attached: bound.length - detached, lost }
    health.window(policy.name, end, counts, wasFrozen(policy))
    const reasons = bound.flatMap((b) => missing?.get(b.bound.volume.handle) ?? [])
    health.warn(policy.name, [...summed(reasons), ...warnings])
  }

  /**
   * It had numbers within the last day, and has been attached for the whole window. New volumes, those that are being
   * detached, attached or deleted, and those that nobody ever measured have lost nothing.
   */
  #hasLostNumbers(
    policy: ResolvedPolicy,
    { volume, row }: Bound['bound'],
    state: VolumeState | undefined,
    end: number,
  ): boolean {
    const window = policy.effective.metrics.windowMs / 1000
    if (state === undefined || state.measuredAt === 0 || row?.attached !== true) return false
    if (end - state.measuredAt > Math.max(LOST_SECONDS, 2 * window)) return false
    const { detachedSinceByKubernetes = 0 } = this.#parts.detachments.of(volume.handle)
    return (
      // where numbers came without a VolumeAttachment, its absence says nothing
      detachedSinceByKubernetes <= state.measuredAt &&
      row.attachments.every(
        ({ attachedAt }) => !(Date.parse(attachedAt ?? '') / 1000 > end - window),
      )
    )
  }
}

/** What the last leader wrote into the status: a freeze ends by numbers, not by a restart. */
function wasFrozen({ watched }: ResolvedPolicy): boolean {
  const { conditions = [] } = watched.policy.status ?? {}
  return conditions.some((c) => c.type === 'MetricsHealthy' && c.reason === 'CoverageDropped')
}

/** One of them, and how many more there are: a status is no list of volumes. */
function summed(reasons: readonly string[]): readonly string[] {
  const [first, ...others] = reasons
  if (first === undefined) return []
  return [others.length === 0 ? first : `${first} (and ${others.length} more)`]
}
