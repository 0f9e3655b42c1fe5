import { isFinished } from '../api/volume-migration.ts'
import type { VolumeMigration } from '../api/volume-migration.ts'
import type { AdmissionInput, EndedMove, Limits, Move } from './admission.ts'
import type { ControllerDeps } from './deps.ts'
import type { Inventory } from './inventory.ts'
import type { Ledger } from './ledger.ts'
import type { Migrations } from './migrations.ts'
import type { Policies, ResolvedPolicy } from './policies.ts'
import type { Target } from './targets.ts'

/** Counts from the objects what admission wants to know; nothing is remembered, so nothing is forgotten in a crash. */
export class AdmissionFacts {
  readonly #deps: ControllerDeps
  readonly #migrations: Migrations
  readonly #policies: Policies
  readonly #inventory: Inventory
  readonly #ledger: Ledger

  constructor(
    deps: ControllerDeps,
    migrations: Migrations,
    policies: Policies,
    inventory: Inventory,
    ledger: Ledger,
  ) {
    this.#deps = deps
    this.#migrations = migrations
    this.#policies = policies
    this.#inventory = inventory
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

  get problem(): string | undefined {
    return this.#inventory.problem
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
