import { yieldToEventLoop } from '../../clock.ts'
import { classify, demandFrom } from '../../policy/demand.ts'
import { observe } from '../../policy/rule.ts'
import type { ShadowSample } from '../../policy/shadow.ts'
import type { Tier, VolumeState } from '../../policy/types.ts'
import type { ControllerDeps } from '../deps.ts'
import type { Migrations } from '../view/migrations.ts'
import type { Detachments } from '../view/detachments.ts'
import type { BoundManagedClaim as Bound } from '../view/managed.ts'
import type { ResolvedPolicy } from '../view/policies.ts'
import { kinOf } from './kin.ts'
import type { PolicyHealth } from './policy-health.ts'
import type { Answer } from './window-walk.ts'

export type WindowFeedParts = {
  readonly deps: ControllerDeps
  readonly health: PolicyHealth
  readonly detachments: Detachments
  readonly migrations: Pick<Migrations, 'ofVolume'>
}

/** Volumes worked through before others get a turn: the lease must be renewed in between. */
const SLICE = 500

/** Lets the engine remember what a window says of each volume. */
export class WindowFeed {
  readonly #parts: WindowFeedParts

  constructor(parts: WindowFeedParts) {
    this.#parts = parts
  }

  /** `end`: of the window, seconds. Changes `states`. */
  async feed(
    policy: ResolvedPolicy,
    tiers: readonly Tier[],
    states: Map<string, VolumeState>,
    bound: readonly Bound[],
    answer: Answer,
    end: number,
  ): Promise<readonly ShadowSample[]> {
    const samples: ShadowSample[] = []
    for (const [i, b] of bound.entries()) {
      if (i > 0 && i % SLICE === 0) await yieldToEventLoop()
      const sample = this.#feedOne(policy, tiers, states, b, answer, end)
      if (sample !== undefined) samples.push(sample)
    }
    return samples
  }

  /** A claim that got a copy has its earlier usage under the id of its former volume. */
  #ofKin(id: string, volumes: Answer['volumes']) {
    for (const other of kinOf(this.#parts.migrations, id)) {
      const activity = volumes.get(other)
      if (activity !== undefined) return activity
    }
    return undefined
  }

  #feedOne(
    policy: ResolvedPolicy,
    tiers: readonly Tier[],
    states: Map<string, VolumeState>,
    { bound }: Bound,
    { volumes, missing }: Answer,
    end: number,
  ): ShadowSample | undefined {
    const { deps, health, detachments } = this.#parts
    const id = bound.volume.handle
    const { metrics } = policy.effective
    const windowSeconds = metrics.windowMs / 1000
    const observation = classify(
      {
        answer: {
          kind: 'Answer',
          activity: volumes.get(id) ?? this.#ofKin(id, volumes),
          missing: missing?.get(id),
        },
        attachment: detachments.of(id),
        windowEnd: end,
        windowSeconds,
      },
      {
        minCoveragePercent: metrics.minCoveragePercent,
        ioUnitKiB: metrics.ioUnitKiB,
        detachedGraceSeconds: deps.timing.detachGraceMs / 1000,
      },
    )
    health.note(id, observation)
    const state = states.get(id)
    const size = bound.row?.sizeGiB
    if (state === undefined || size === undefined) return undefined
    const tier = tiers.findIndex((t) => t.typeId === bound.row?.typeId)
    const demand = demandFrom(observation, tiers[tier], size, policy.constants)
    if (demand === undefined) return undefined
    states.set(
      id,
      observe(
        state,
        tier,
        demand,
        size,
        tiers,
        policy.constants,
        windowSeconds / 3600,
        end,
        observation.kind === 'Measured',
      ),
    )
    return { id, tier, demand, sizeGiB: size }
  }
}
