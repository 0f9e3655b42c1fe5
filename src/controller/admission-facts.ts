import { isFinished } from '../api/volume-migration.ts'
import type { VolumeMigration } from '../api/volume-migration.ts'
import type { Tier } from '../policy/types.ts'
import { refuse } from './admission.ts'
import type { AdmissionInput, EndedMove, Limits, Move, Refusal } from './admission.ts'
import type { ControllerDeps } from './deps.ts'
import type { Ledger } from './ledger.ts'
import type { Migrations } from './migrations.ts'
import type { Policies, ResolvedPolicy } from './policies.ts'
import { isTarget } from './targets.ts'
import type { Target, Untargeted } from './targets.ts'

/** Counts from the objects what admission wants to know; nothing is remembered, so nothing is forgotten in a crash. */
export class AdmissionFacts {
  readonly #deps: ControllerDeps
  readonly #migrations: Migrations
  readonly #policies: Policies
  readonly #ledger: Ledger

  constructor(deps: ControllerDeps, migrations: Migrations, policies: Policies, ledger: Ledger) {
    this.#deps = deps
    this.#migrations = migrations
    this.#policies = policies
    this.#ledger = ledger
  }

  inputFor(m: VolumeMigration, target: Target): AdmissionInput {
    const move: Move = {
      policy: target.policy.name,
      namespace: target.claim.namespace,
      from: target.from?.name ?? '',
      to: target.to.name,
      sizeGiB: target.row?.sizeGiB ?? m.spec.volume?.sizeGiB ?? 0,
      reason: m.spec.reason ?? 'Manual',
    }
    return {
      move,
      inFlight: [...this.#migrations.inFlight().map(moveOf), ...this.#orphans()],
      ended: this.ended(),
      limits: this.#limits(target),
      now: this.#deps.clock.now(),
    }
  }

  /** What stands against that move now; undefined = nothing, or it has no target yet. */
  refusal(m: VolumeMigration, target: Target | Untargeted): Refusal | undefined {
    return isTarget(target) ? refuse(this.inputFor(m, target)) : undefined
  }

  ended(): readonly EndedMove[] {
    return [...this.#migrations.all()].filter(isFinished).flatMap((m) => endedMove(m) ?? [])
  }

  /** Moves whose VolumeMigration went with its namespace still load the pools. */
  #orphans(): readonly Move[] {
    const known = new Set(this.#migrations.inFlight().map((m) => m.status?.volumeId))
    return this.#ledger
      .entries()
      .filter((e) => !known.has(e.volumeId))
      .map((e) => ({
        policy: '',
        namespace: e.namespace,
        from: '',
        to: '',
        sizeGiB: 0,
        reason: 'Policy',
      }))
  }

  #limits(target: Target): Limits {
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
      targetRoomGiB: this.#room(target),
      volumes: this.#policies.volumesOf(target.policy.name),
      countedAt: this.#policies.countedAt,
      budget: this.#budget(target.policy),
    }
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

  #room(target: Target): number | undefined {
    const { maxGiB, headroomPercent } = target.to
    if (maxGiB === undefined) return undefined
    return (
      maxGiB * (1 - headroomPercent / 100) -
      this.#policies.gibOnTier(target.policy.name, target.to.name)
    )
  }
}

function moveOf(m: VolumeMigration): Move {
  return {
    policy: m.spec.policy,
    namespace: m.metadata.namespace ?? '',
    from: m.spec.from ?? '',
    to: m.spec.to,
    sizeGiB: m.status?.sizeGiB ?? 0,
    reason: m.spec.reason ?? 'Manual',
    ...(m.status?.volumeId === undefined ? {} : { volumeId: m.status.volumeId }),
    ...(m.status?.startedAt === undefined ? {} : { startedAt: Date.parse(m.status.startedAt) }),
  }
}

/** Moves that ended before any call say nothing about the clouds' health. */
function endedMove(m: VolumeMigration): EndedMove | undefined {
  const { status } = m
  if (status?.startedAt === undefined || status.completedAt === undefined) return undefined
  return { ...moveOf(m), endedAt: Date.parse(status.completedAt), ended: endOf(status) }
}

function endOf(status: NonNullable<VolumeMigration['status']>): EndedMove['ended'] {
  if (status.step === 'Succeeded') return 'Succeeded'
  return status.reason === 'Unexplained' ? 'Unexplained' : 'Failed'
}
