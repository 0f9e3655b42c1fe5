import type { MoveReason } from '../../api/reasons.ts'
import { isFinished } from '../../api/volume-migration.ts'
import type { VolumeMigration, VolumeMigrationStatus } from '../../api/volume-migration.ts'
import { deadlineMs } from '../../migration/retype/machine.ts'
import type { CinderVolume } from '../../openstack/types.ts'
import type { Tier } from '../../policy/types.ts'
import { crowded, refuse } from './admission.ts'
import type { AdmissionInput, EndedMove, Limits, Move, Refusal } from './admission.ts'
import type { ControllerDeps } from '../deps.ts'
import type { Inventory } from '../view/inventory.ts'
import { OF_NO_POLICY } from './gates-room.ts'
import type { Halt, Ledger, LedgerEntry } from './ledger.ts'
import type { Migrations } from '../view/migrations.ts'
import type { MoveTimes } from '../view/move-times.ts'
import type { Pools } from '../view/pools.ts'
import type { Policies, ResolvedPolicy } from '../view/policies.ts'
import { isTarget } from '../view/targets.ts'
import type { Target, Untargeted } from '../view/targets.ts'

const MOST_SWEEPS_MISSED = 3
const HOUR = 3_600_000

/** Counts from the objects what admission wants to know; nothing is remembered, so nothing is forgotten in a crash. */
export class AdmissionFacts {
  readonly #deps: ControllerDeps
  readonly #migrations: Migrations
  readonly #policies: Policies
  readonly #ledger: Ledger
  readonly #inventory: Inventory
  readonly #times: MoveTimes
  readonly #pools: Pools
  /** Moves that have begun nothing, and for which a workload is stopped. */
  readonly #held: () => readonly VolumeMigration[]

  constructor(
    deps: ControllerDeps,
    migrations: Migrations,
    policies: Policies,
    ledger: Ledger,
    inventory: Inventory,
    times: MoveTimes,
    pools: Pools,
    held: () => readonly VolumeMigration[] = () => [],
  ) {
    this.#held = held
    this.#pools = pools
    this.#deps = deps
    this.#times = times
    this.#migrations = migrations
    this.#policies = policies
    this.#ledger = ledger
    this.#inventory = inventory
  }

  /** `volume`: as just read from Cinder; without it the size is that of the last read. */
  inputFor(m: VolumeMigration, target: Target, volume?: CinderVolume): AdmissionInput {
    const move: Move = {
      policy: target.policy.name,
      namespace: target.claim.namespace,
      from: tierOf(target.tiers, volume?.typeId ?? target.row?.typeId) ?? '',
      to: target.to.name,
      toTypeId: target.to.typeId,
      sizeGiB: sizeOf(target, volume),
      reason: m.spec.reason ?? 'Manual',
    }
    return {
      move,
      inFlight: [
        ...this.#others(m).map((o) => this.#moveOf(o, target.tiers)),
        ...this.#orphans(target.tiers),
      ],
      ended: this.ended(target.tiers),
      limits: { ...this.#limits(target), pool: this.#pool(target, move.from) },
      now: this.#deps.clock.now(),
    }
  }

  #others({ metadata }: VolumeMigration): readonly VolumeMigration[] {
    const held = this.#held().filter((o) => o.metadata.uid !== metadata.uid)
    return [...this.#migrations.inFlight(), ...held]
  }

  /** What stands against that move now; undefined = nothing, or it has no target yet. */
  refusal(m: VolumeMigration, target: Target | Untargeted): Refusal | undefined {
    return isTarget(target) ? refuse(this.inputFor(m, target)) : undefined
  }

  /** As `refusal`, by the limits of its namespace and its tiers alone, as if `planned` ran already. */
  crowded(
    m: VolumeMigration,
    target: Target | Untargeted,
    planned: readonly VolumeMigration[],
  ): Refusal | undefined {
    if (!isTarget(target)) return undefined
    const input = this.inputFor(m, target)
    const more = planned.map((o) => this.#moveOf(o, target.tiers))
    return crowded({ ...input, inFlight: [...input.inFlight, ...more] })
  }

  /**
   * `tiers`: in whose names the moves are stated; in those of their own policy without it. Counted once for all who ask at
   * about the same time: there are eight days of moves, and every wish of a policy asks.
   */
  ended(tiers?: readonly Tier[]): readonly EndedMove[] {
    const now = Math.floor(this.#deps.clock.now() / 1000)
    const { countedAt } = this.#policies
    const halts = this.#ledger.halts()
    const from = [this.#migrations.revision, this.#policies.all(), countedAt, now, halts]
    if (!from.every((fact, i) => fact === this.#endedFrom[i])) {
      this.#endedFrom = from
      this.#ended.clear()
    }
    let all = this.#ended.get(tiers)
    if (all === undefined) {
      const finished = [...this.#migrations.all()].filter(
        (m) => isFinished(m) || m.status?.step === 'Stuck',
      )
      const there = new Set(Array.from(this.#migrations.all(), (m) => m.metadata.uid))
      const gone = halts.filter((h) => !there.has(h.uid))
      all = [
        ...finished.flatMap((m) => this.#endedMove(m, tiers) ?? []),
        ...gone.map((h) => this.#haltOf(h, tiers)),
      ]
      this.#ended.set(tiers, all)
    }
    return all
  }
  #endedFrom: readonly unknown[] = []
  readonly #ended = new Map<readonly Tier[] | undefined, readonly EndedMove[]>()

  /** Moves whose VolumeMigration went with its namespace still load the pools and fill the tiers of the moves that ask. */
  #orphans(tiers: readonly Tier[]): readonly Move[] {
    const known = new Set(this.#migrations.inFlight().map((m) => m.status?.volumeId))
    return this.#ledger
      .entries()
      .filter((e) => !known.has(e.volumeId))
      .map((e) => {
        const isStuck = this.#isStuck(e)
        return {
          policy: OF_NO_POLICY,
          namespace: e.namespace,
          from: tierOf(tiers, e.fromTypeId) ?? '',
          to: tierOf(tiers, e.toTypeId) ?? '',
          toTypeId: e.toTypeId,
          // one that Cinder does not show for so long is not ours to see: nobody else waits for that
          sizeGiB: this.#inventory.row(e.volumeId)?.sizeGiB ?? (isStuck ? 0 : undefined),
          reason: 'Policy',
          volumeId: e.volumeId,
          startedAt: Date.parse(e.at),
          ...(isStuck ? { isStuck } : {}),
        }
      })
  }

  /** An end that nothing explains, whose VolumeMigration is gone. It halts, and counts for nothing else. */
  #haltOf(h: Halt, tiers?: readonly Tier[]): EndedMove {
    const own = tiers ?? this.#policies.get(h.policy)?.tiers ?? []
    return {
      policy: OF_NO_POLICY,
      namespace: h.namespace,
      from: named(own, h.fromTypeId) ?? '',
      to: named(own, h.toTypeId) ?? '',
      sizeGiB: undefined,
      reason: 'Policy',
      volumeId: h.volumeId,
      endedAt: this.#times.past(h.at),
      ended: 'Unexplained',
      gone: h.uid,
    }
  }

  /** As of a move that is Stuck: an administrator has to repair the volume, and nobody else waits for that. */
  #isStuck({ volumeId, at }: LedgerEntry): boolean {
    const row = this.#inventory.row(volumeId)
    if (row?.status.startsWith('error') === true) return true
    const timeouts = this.#policies.all().map((p) => p.effective.migration.retypeTimeoutMs)
    const mostMs = deadlineMs(row?.sizeGiB ?? 0, Math.max(0, ...timeouts))
    return this.#deps.clock.now() - this.#times.past(at) > mostMs
  }

  #limits(target: Target): Omit<Limits, 'pool'> {
    const { effective } = target.policy
    const config = this.#deps.config()
    return {
      stopped: config.migration.paused,
      policyPaused: effective.paused,
      schedule: this.#schedule(target.policy),
      maxConcurrent: config.migration.concurrentMigrations,
      policyMaxConcurrent: effective.migration.maxConcurrent,
      perNamespace: effective.limits.perNamespace,
      perPool: effective.limits.perPool,
      maxGiBPerSlot: effective.limits.maxGiBPerSlot,
      batch: this.#batch(config.migration.batchSize),
      targetRoomGiB: this.#room(target),
      volumes: this.#policies.volumesOf(target.policy.name),
      countedAt: this.#policies.countedAt,
      staleMinutes: this.#staleMinutes(),
      budget: this.#budget(target.policy),
    }
  }

  /** Passes come as often as the shortest window of all policies: one count for all, so that none waits for the others' window. */
  #batch(size: number | undefined): Limits['batch'] {
    if (size === undefined) return undefined
    const windows = this.#policies.all().map((p) => p.effective.metrics.windowMs)
    const windowMs = Math.min(HOUR, ...windows)
    const startedAt = Math.floor(this.#deps.clock.now() / windowMs) * windowMs
    return { size, startedAt, endsAt: startedAt + windowMs }
  }

  #budget({ name, effective, tiers = [], pricesAssumed }: ResolvedPolicy): Limits['budget'] {
    const { maxMonthlyCost } = effective
    if (maxMonthlyCost === undefined || pricesAssumed) return undefined
    const cost = (t: Tier) => t.pricePerGiBMonth * this.#policies.gibOnTier(name, t.name)
    return {
      maxMonthlyCost,
      monthlyCost: tiers.reduce((sum, t) => sum + cost(t), 0),
      pricePerGiBMonth: new Map(tiers.map((t) => [t.name, t.pricePerGiBMonth])),
    }
  }

  #schedule(policy: ResolvedPolicy): Limits['schedule'] {
    const { schedule } = policy.effective.migration
    if (schedule === undefined) return undefined
    const now = new Date(this.#deps.clock.now())
    const openedAt = schedule.openedAt(now)
    const opensAt = openedAt === undefined ? schedule.nextOpen(now)?.getTime() : undefined
    return {
      open: openedAt !== undefined,
      slotStartedAt: openedAt?.getTime() ?? 0,
      ...(opensAt === undefined ? {} : { opensAt }),
    }
  }

  /** A few sweeps may fail, or take long; after that nobody knows what others have put on the tiers. */
  #staleMinutes(): number | undefined {
    const { age } = this.#inventory
    return age > MOST_SWEEPS_MISSED * this.#deps.config().tasks.resources.everyMs
      ? Math.round(age / 60_000)
      : undefined
  }

  /** Of moves to a cheaper tier only: what a volume needs is not held back for the room of others. */
  #pool({ tiers, to }: Target, from: string): Limits['pool'] {
    const minGiB = this.#deps.config().tiers[to.name]?.minCapacityGb
    const at = tiers.findIndex((t) => t.name === from)
    if (minGiB === undefined || at < 0 || at >= tiers.findIndex((t) => t.name === to.name))
      return undefined
    const free = this.#pools.freeFor(this.#inventory.types.find((t) => t.id === to.typeId))
    return free && { minGiB, free }
  }

  #room(target: Target): number | undefined {
    const { maxGiB, headroomPercent } = target.to
    if (maxGiB === undefined) return undefined
    return maxGiB * (1 - headroomPercent / 100) - this.#policies.gibOfType(target.to.typeId)
  }

  /**
   * The types that were asked of Cinder decide, in the names that the asking policy has for them: other policies may name
   * them otherwise, a tier may have been renamed since, and a move made by hand need not say where it comes from.
   */
  #moveOf(m: VolumeMigration, tiers?: readonly Tier[]): Move {
    const { intent, volumeId, startedAt } = m.status ?? {}
    const own = tiers ?? this.#policies.get(m.spec.policy)?.tiers ?? []
    const isCounted =
      intent !== undefined && this.#policies.isCountedOn(volumeId ?? '', intent.toTypeId)
    return {
      policy: m.spec.policy,
      namespace: m.metadata.namespace ?? '',
      from: named(own, intent?.fromTypeId) ?? m.spec.from ?? '',
      to: named(own, intent?.toTypeId) ?? m.spec.to,
      sizeGiB: this.#sizeOf(m),
      reason: m.spec.reason ?? 'Manual',
      ...(volumeId === undefined ? {} : { volumeId }),
      ...(intent === undefined ? {} : { toTypeId: intent.toTypeId }),
      ...(startedAt === undefined ? {} : { startedAt: Date.parse(startedAt) }),
      ...(isCounted ? { isCounted } : {}),
      ...(m.status?.step === 'Stuck' ? { isStuck: true } : {}),
    }
  }

  /**
   * A move that cannot be read has none of its own. A stuck one whose volume Cinder does not show takes no room: nobody
   * else waits until somebody has looked.
   */
  #sizeOf({ status }: VolumeMigration): number | undefined {
    const known = status?.sizeGiB ?? this.#inventory.row(status?.volumeId ?? '')?.sizeGiB
    return known ?? (status?.step === 'Stuck' ? 0 : undefined)
  }

  /** Moves that ended before any call say nothing about the clouds' health. */
  #endedMove(m: VolumeMigration, tiers?: readonly Tier[]): EndedMove | undefined {
    const { status } = m
    if (status?.startedAt === undefined) return undefined
    // one that is stuck has failed by the time that it was due
    const end =
      status.step === 'Stuck' ? stuckSince(status, this.#deps.clock.now()) : status.completedAt
    if (end === undefined) return undefined
    const endedAt = this.#times.past(end)
    return { ...this.#moveOf(m, tiers), endedAt, ended: endOf(status) }
  }
}

/** A type that is none of the tiers goes by its id, which is no tier's name. */
function named(tiers: readonly Tier[], typeId: string | undefined): string | undefined {
  return typeId && (tierOf(tiers, typeId) ?? typeId)
}

function tierOf(tiers: readonly Tier[], typeId: string | undefined): string | undefined {
  return tiers.find((t) => t.typeId === typeId)?.name
}

/**
 * What the move needs room for. Cinder's word counts, and where Kubernetes shows a larger volume, the larger: a resize
 * is under way or was cut short. The size in the object itself is somebody's claim and counts for nothing.
 */
function sizeOf({ row, claim, volume: pv }: Target, volume?: CinderVolume): number | undefined {
  const inCinder = volume?.sizeGiB ?? row?.sizeGiB
  if (inCinder === undefined || !(inCinder > 0)) return undefined
  return Math.max(inCinder, pv.capacityGiB ?? 0, claim.capacityGiB ?? 0)
}

/**
 * Ends that speak against moves between the two tiers. An owner who deletes the claim, a restored backup or a cloud that
 * was away does not.
 */
const TIERS_FAIL = new Set<string>([
  'Reverted',
  'Rejected',
  'OutcomeUnknown',
] satisfies MoveReason[])

function stuckSince({ intent, reason, startedAt }: VolumeMigrationStatus, now: number) {
  const isDue = intent !== undefined && Date.parse(intent.deadline) <= now
  return reason === 'DeadlinePassed' && isDue ? intent.deadline : startedAt
}

function endOf(status: NonNullable<VolumeMigration['status']>): EndedMove['ended'] {
  if (status.step === 'Succeeded') return 'Succeeded'
  if (status.step === 'Stuck') return 'Failed'
  if (status.reason === 'Unexplained') return 'Unexplained'
  if (status.reason === 'AttemptsExhausted')
    return status.call?.kind === 'NotSent' ? 'Other' : 'Failed'
  return TIERS_FAIL.has(status.reason ?? '') ? 'Failed' : 'Other'
}
