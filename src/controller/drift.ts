import { ANNOTATION } from '../api/names.ts'
import { isFinished, isInFlight } from '../api/volume-migration.ts'
import { moved } from '../policy/rule.ts'
import type { VolumeState } from '../policy/types.ts'
import type { ControllerDeps } from './deps.ts'
import type { Managed } from './managed.ts'
import type { Memory } from './memory.ts'
import type { Migrations } from './migrations.ts'
import type { ResolvedPolicy } from './policies.ts'
import type { Shadows } from './shadows.ts'
import type { Teller } from './teller.ts'

export type DriftParts = {
  readonly deps: ControllerDeps
  readonly managed: Managed
  readonly memory: Memory
  readonly shadows: Shadows
  readonly migrations: Migrations
  readonly teller: Teller
}

/** Notices every change of a volume's tier and lets the engine know: ours when verified, other people's when seen. */
export class Drift {
  readonly #parts: DriftParts
  /** Tier name by volume id, as last seen. */
  readonly #seen = new Map<string, string>()

  constructor(parts: DriftParts) {
    this.#parts = parts
  }

  /** Compares what Cinder shows now with what it showed last. */
  check(key: string): void {
    const { managed, migrations, teller } = this.#parts
    const m = managed.claim(key)
    const policy = m?.match.policy
    const bound = m?.bound
    if (m === undefined || policy?.tiers === undefined || bound?.row === undefined) return
    const id = bound.volume.handle
    const now = policy.tiers.find((t) => t.typeId === bound.row?.typeId)?.name
    const before = this.#seen.get(id) ?? m.claim.annotations[ANNOTATION.tier]
    if (now === undefined || migrations.ofVolume(id).some(isInFlight)) return
    this.#seen.set(id, now)
    if (before === undefined || before === now || before === 'unmanaged') return
    this.#remember(policy, id, before, bound.row.sizeGiB)
    const first = m.claim.annotations[ANNOTATION.lastMigration] === undefined
    if (!this.#wasOurs(id, now))
      teller.claim(
        m.claim,
        'TierChangedOutside',
        `${before} to ${now}, not by CoucheStor; it counts as a move`,
      )
    if (first)
      teller.claim(
        m.claim,
        'RestoreNeedsClass',
        `the volume is on ${now} now, but the claim keeps StorageClass ${m.claim.storageClass}: restore snapshots and clones with a StorageClass without "type"`,
      )
  }

  #wasOurs(id: string, tier: string): boolean {
    return this.#parts.migrations
      .ofVolume(id)
      .some((m) => isFinished(m) && m.status?.step === 'Succeeded' && m.spec.to === tier)
  }

  #remember(policy: ResolvedPolicy, id: string, before: string, sizeGiB: number): void {
    const { memory, deps, shadows } = this.#parts
    const remembered = memory.of(policy)
    const state = remembered.states.get(id)
    const index = (name: string | undefined) =>
      policy.tiers?.findIndex((t) => t.name === name) ?? -1
    const at = Math.floor(deps.clock.now() / 1000)
    const [from, to] = [index(before), index(this.#seen.get(id))]
    if (state === undefined) return
    const perHour = leadPerHour(state, from, to)
    shadows.moved(policy, { id, from, to, sizeGiB, perHour, at })
    remembered.states.set(id, moved(state, from, at))
  }
}

/** What the history says the move saves, money per hour; 0 where it says nothing. */
function leadPerHour({ cost, hours }: VolumeState, from: number, to: number): number {
  const [there, here] = [cost[from], cost[to]]
  return hours > 0 && there !== undefined && here !== undefined ? (there - here) / hours : 0
}
