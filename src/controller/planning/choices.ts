import type { Strategy } from '../../api/storage-policy.ts'
import type { AttachedSafety } from '../../blockers/attached-safety.ts'
import { detachedOnly } from '../../migration/snapshot-restore/preflight.ts'
import type { Candidate } from '../../policy/candidate.ts'
import { keptOf } from '../../policy/kept-copies.ts'
import type { Copied, Kept } from '../../policy/kept-copies.ts'
import type { Tier } from '../../policy/types.ts'
import type { ControllerDeps } from '../deps.ts'
import { attachedSafetyOf } from '../moving/attached-safety-of.ts'
import { chosenStrategy } from '../view/chosen-strategy.ts'
import type { Choice } from '../view/chosen-strategy.ts'
import type { Inventory } from '../view/inventory.ts'
import type { ManagedClaim } from '../view/managed.ts'
import type { Migrations } from '../view/migrations.ts'
import type { ResolvedPolicy } from '../view/policies.ts'
import { attachmentsOf } from '../view/watches.ts'
import type { Watches } from '../view/watches.ts'

export type ChoicesParts = {
  readonly deps: Pick<ControllerDeps, 'clock' | 'config'>
  readonly watches: Watches
  readonly inventory: Inventory
  readonly migrations: Pick<Migrations, 'ofVolume'>
}

const DAY_MS = 86_400_000

/** What a volume would be moved by, and what follows from that. Reads caches only. */
export class Choices {
  readonly #parts: ChoicesParts

  constructor(parts: ChoicesParts) {
    this.#parts = parts
  }

  /** `to`: without it only what holds for every tier is asked. */
  of({ effective }: ResolvedPolicy, { bound, claim }: ManagedClaim, to: Tier | undefined): Choice {
    const { inventory, migrations } = this.#parts
    const id = bound?.volume.handle ?? ''
    return chosenStrategy(effective.migration.strategy, {
      hasSnapshots: inventory.hasSnapshots(id),
      moves: () => migrations.ofVolume(id, claim),
      toTypeId: to?.typeId,
    })
  }

  /** undefined where a move there is not by a copy. */
  copied(policy: ResolvedPolicy, managed: ManagedClaim, to: Tier | undefined): Copied | undefined {
    const { strategy, because } = this.of(policy, managed, to)
    if (strategy !== 'snapshot-restore') return undefined
    const { deps, inventory } = this.#parts
    const id = managed.bound?.volume.handle ?? ''
    const oldest = inventory.oldestSnapshot(id)
    // who keeps snapshots for a month has one that is a month old
    const age = oldest === undefined ? 0 : deps.clock.now() - oldest
    return {
      days: Math.max(deps.config().migration.soakMaxAgeMs, age) / DAY_MS,
      bySnapshots: inventory.hasSnapshots(id),
      ...(because === undefined ? {} : { because }),
    }
  }

  /** A copy leaves the snapshots where they are. */
  isPinned(policy: ResolvedPolicy, managed: ManagedClaim): boolean {
    const hasSnapshots = this.#parts.inventory.hasSnapshots(managed.bound?.volume.handle ?? '')
    return hasSnapshots && this.of(policy, managed, undefined).strategy !== 'snapshot-restore'
  }

  isAttached({ bound }: ManagedClaim): boolean {
    if (bound?.row === undefined) return false
    return bound.row.attached || attachmentsOf(this.#parts.watches, bound.volume).length > 0
  }

  attachedSafety(
    policy: ResolvedPolicy,
    managed: ManagedClaim,
    to: Tier | undefined,
  ): AttachedSafety {
    const live = this.#liveSafety(policy, managed, to, this.of(policy, managed, to).strategy)
    return live.safe || !isStopped(policy) ? live : BY_RESTART
  }

  /** A workload is stopped for the move, or a Pod that starts meanwhile waits until Cinder has finished. */
  isDisruptive(
    policy: ResolvedPolicy,
    managed: ManagedClaim,
    to: Tier | undefined,
    strategy: Strategy,
  ): boolean {
    const isAttached = this.isAttached(managed)
    const isLive = isAttached && this.#liveSafety(policy, managed, to, strategy).safe
    if (isLive) return false
    return strategy !== 'snapshot-restore' || (isAttached && isStopped(policy))
  }

  #liveSafety(
    policy: ResolvedPolicy,
    { bound }: ManagedClaim,
    to: Tier | undefined,
    strategy: Strategy,
  ): AttachedSafety {
    if (strategy === 'snapshot-restore') return detachedOnly()
    const from = { id: bound?.row?.typeId ?? '', name: bound?.row?.typeName ?? '' }
    const goal = { id: to?.typeId ?? '', name: to?.typeName ?? '' }
    return attachedSafetyOf(this.#parts.inventory, policy.effective.migration, from, goal)
  }
}

/** What the wanted move would leave behind for a while; undefined where it would be nothing. */
export function keptBy(c: Candidate, to: number | undefined): Kept | undefined {
  const from = c.tiers[c.tier]
  const copied = to === undefined ? undefined : c.copied?.(to)
  return copied && from && keptOf(copied, from, c.sizeGiB)
}

function isStopped({ effective }: ResolvedPolicy): boolean {
  return effective.migration.workloads === 'Restart'
}

/** Whether its owner allows that is asked with the cluster's own words right before. */
const BY_RESTART: AttachedSafety = {
  safe: true,
  message:
    'attached; where a live move is not safe its workload is stopped for the move, if it or its namespace allows that (migration.workloads: Restart)',
}
