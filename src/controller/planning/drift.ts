import { ANNOTATION } from '../../api/names.ts'
import { isFinished, isInFlight } from '../../api/volume-migration.ts'
import { moved } from '../../policy/rule.ts'
import type { ShadowMove } from '../../policy/shadow.ts'
import type { VolumeState } from '../../policy/types.ts'
import type { ControllerDeps } from '../deps.ts'
import type { Managed } from '../view/managed.ts'
import type { CheckpointStore } from './checkpoint-store.ts'
import type { Migrations } from '../view/migrations.ts'
import type { ResolvedPolicy } from '../view/policies.ts'
import type { CounterfactualCosts } from './counterfactual-costs.ts'
import type { Reports } from '../view/reports.ts'

export type DriftParts = {
  readonly deps: ControllerDeps
  readonly managed: Managed
  readonly checkpoints: CheckpointStore
  readonly counterfactuals: CounterfactualCosts
  readonly migrations: Migrations
  readonly reports: Reports
}

/** Notices every change of a volume's tier and lets the engine know: ours when verified, other people's when seen. */
export class Drift {
  readonly #parts: DriftParts
  /** Volume type by volume id, as last seen: a tier may be renamed. */
  readonly #seen = new Map<string, string>()

  constructor(parts: DriftParts) {
    this.#parts = parts
  }

  /** Volumes that are gone leave nothing behind. */
  forget(keep: (volumeId: string) => boolean): void {
    for (const id of this.#seen.keys()) if (!keep(id)) this.#seen.delete(id)
  }

  /** Compares what Cinder shows now with what it showed last. */
  check(key: string): void {
    const { managed, migrations, reports } = this.#parts
    const m = managed.claim(key)
    const policy = m?.match.policy
    const bound = m?.bound
    if (m === undefined || policy?.tiers === undefined || bound?.row === undefined) return
    const id = bound.volume.handle
    const { typeId, sizeGiB } = bound.row
    const to = tierOf(policy, typeId)
    const before = this.#seen.get(id) ?? this.#typeBefore(policy, id, m.claim.annotations)
    if (to < 0 || migrations.ofVolume(id).some(isInFlight)) return
    this.#seen.set(id, typeId)
    if (before === undefined || before === typeId) return
    const from = tierOf(policy, before)
    const ours = this.#endOfOurs(id, typeId)
    const at = ours ?? Math.floor(this.#parts.deps.clock.now() / 1000)
    this.#remember(policy, { id, from, to, sizeGiB, at })
    const now = policy.tiers[to]?.name ?? ''
    if (ours === undefined)
      reports.claim(
        m.claim,
        'TierChangedOutside',
        `${policy.tiers[from]?.name ?? 'another type'} to ${now}, not by CoucheStor; it counts as a move`,
      )
    if (m.claim.annotations[ANNOTATION.lastMigration] === undefined)
      reports.claim(
        m.claim,
        'RestoreNeedsClass',
        `the volume is on ${now} now, but the claim keeps StorageClass ${m.claim.storageClass}: restore snapshots and clones with a StorageClass without "type"`,
      )
  }

  /**
   * The type that an earlier process saw last: by the checkpoint, else by the tier that the claim shows. A name that is no
   * tier's any more says nothing.
   */
  #typeBefore(
    policy: ResolvedPolicy,
    id: string,
    annotations: Readonly<Record<string, string>>,
  ): string | undefined {
    const { states, types, earlier } = this.#parts.checkpoints.of(policy)
    const old = earlier.get(id)
    const known = types[states.get(id)?.tier ?? -1] ?? old?.types?.[old.state.tier]
    return known ?? policy.tiers?.find((t) => t.name === annotations[ANNOTATION.tier])?.typeId
  }

  /** When (seconds) our last move to that type ended; undefined = it was none of ours. */
  #endOfOurs(id: string, typeId: string): number | undefined {
    const ends = this.#parts.migrations
      .ofVolume(id)
      .filter((m) => isFinished(m) && m.status?.step === 'Succeeded')
      .filter((m) => m.status?.intent?.toTypeId === typeId)
      .map((m) => Math.floor(Date.parse(m.status?.completedAt ?? '') / 1000))
      .filter((end) => !Number.isNaN(end))
    return ends.length === 0 ? undefined : Math.max(...ends)
  }

  #remember(policy: ResolvedPolicy, move: Omit<ShadowMove, 'perHour'>): void {
    const { checkpoints, counterfactuals } = this.#parts
    const { states } = checkpoints.of(policy)
    const { id, from, to, at } = move
    const state = states.get(id)
    if (state === undefined) return
    counterfactuals.moved(policy, { ...move, perHour: leadPerHour(state, from, to) })
    states.set(id, moved(state, from, at, to))
  }
}

function tierOf({ tiers = [] }: ResolvedPolicy, typeId: string): number {
  return tiers.findIndex((t) => t.typeId === typeId)
}

/** What the history says the move saves, money per hour; 0 where it says nothing. */
export function leadPerHour({ cost, hours }: VolumeState, from: number, to: number): number {
  const [there, here] = [cost[from], cost[to]]
  return hours > 0 && there !== undefined && here !== undefined ? (there - here) / hours : 0
}
