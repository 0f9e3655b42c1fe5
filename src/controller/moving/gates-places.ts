import type { StayReason } from '../../api/reasons.ts'
import { stated } from '../../blockers/blocker.ts'
import type { Block } from '../../blockers/blocker.ts'
import type { AdmissionInput } from './admission.ts'

/** A new installation shows on one volume that it works, then on two, then on four. */
export const ramp = stated(
  {
    Ramp: 'A policy shows first that its moves work: one runs at once, and each success doubles that.',
  },
  ({ ended, inFlight, move }: AdmissionInput) => {
    const succeeded = ended.filter(
      (e) => e.policy === move.policy && e.ended === 'Succeeded',
    ).length
    const allowed = 2 ** Math.min(succeeded, 10)
    const running = inFlight.filter((m) => !m.isStuck && m.policy === move.policy).length
    return running < allowed
      ? undefined
      : {
          reason: 'Ramp',
          message: `${succeeded} moves of this policy have succeeded so far, so at most ${allowed} run at once`,
        }
  },
)

const CONCURRENCY = {
  ConcurrencyLimit: 'As many moves run as the config or the policy allows.',
} as const
export const concurrency = stated(CONCURRENCY, ({ inFlight, limits }: AdmissionInput) => {
  return atMost(
    inFlight.filter((m) => !m.isStuck).length,
    limits.maxConcurrent,
    'ConcurrencyLimit',
    'migration.concurrent_migrations in config.yaml',
  )
})

export const policyConcurrency = stated(
  CONCURRENCY,
  ({ inFlight, limits, move }: AdmissionInput) => {
    const running = inFlight.filter((m) => !m.isStuck && m.policy === move.policy).length
    return atMost(
      running,
      limits.policyMaxConcurrent,
      'ConcurrencyLimit',
      `migration.maxConcurrent of policy ${move.policy}`,
    )
  },
)

/** Counted from the objects, so that a new leader does not start the count again. Forced and manual moves count, and never wait. */
export const batch = stated(
  {
    BatchLimit:
      'As many moves have begun in this window as migration.batch_size in config.yaml allows.',
  },
  ({ ended, inFlight, limits }: AdmissionInput) => {
    if (limits.batch === undefined) return undefined
    const { size, startedAt, endsAt } = limits.batch
    // a stuck move is in both
    const begun = [...inFlight, ...ended.filter((m) => !m.isStuck)].filter(
      // one of a later window began before the clock was set back
      (m) => m.startedAt !== undefined && m.startedAt >= startedAt && m.startedAt < endsAt,
    ).length
    if (begun < size) return undefined
    return {
      reason: 'BatchLimit',
      message: `${begun} moves have begun since ${timeOf(startedAt)}; migration.batch_size in config.yaml allows ${size} per window, and the next one begins at ${timeOf(endsAt)}`,
    }
  },
)

export const namespaceLimit = stated(
  { NamespaceLimit: 'As many moves run as limits.perNamespace allows for the namespace.' },
  ({ inFlight, limits, move }: AdmissionInput) => {
    const limit = limits.perNamespace.get(move.namespace)
    if (limit === undefined) return undefined
    const running = inFlight.filter((m) => !m.isStuck && m.namespace === move.namespace).length
    return atMost(running, limit, 'NamespaceLimit', `limits.perNamespace for ${move.namespace}`)
  },
)

/** A move reads from one pool and writes to another, and loads both. */
export const poolLimit = stated(
  { PoolLimit: 'As many moves run as limits.perPool allows for one of the two tiers.' },
  ({ inFlight, limits, move }: AdmissionInput) => {
    for (const pool of [move.from, move.to]) {
      const limit = limits.perPool.get(pool)
      if (limit === undefined) continue
      const running = inFlight.filter(
        (m) => !m.isStuck && (m.from === pool || m.to === pool),
      ).length
      const refusal = atMost(running, limit, 'PoolLimit', `limits.perPool for ${pool}`)
      if (refusal) return refusal
    }
    return undefined
  },
)

function timeOf(ms: number): string {
  return new Date(ms).toISOString()
}

function atMost<R extends StayReason>(
  running: number,
  limit: number,
  reason: R,
  name: string,
): Block<R> | undefined {
  return running < limit
    ? undefined
    : { reason, message: `${running} moves run; ${name} allows ${limit}` }
}
