import { LEASE_NAME } from '../api/names.ts'
import { sleep } from '../clock.ts'
import type { Clock } from '../clock.ts'
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Registry } from '../metrics.ts'
import { longestSince, momentOf, realSince } from './elapsed.ts'
import type { Moment } from './elapsed.ts'
import { createExpiry, isVacant, microTime, releasedSpec, vacantSpec } from './lease-record.ts'
import type { Lease } from './lease-record.ts'
import { gauge } from './metrics.ts'
import { LEASE } from './resources.ts'
import { ApiError, LostLeaseError } from './types.ts'
import type { Elector, KubeClient } from './types.ts'

export type ElectorOptions = {
  readonly client: KubeClient
  readonly namespace: string
  /** Default `couchestor-controller`. */
  readonly name?: string
  /** Unique per process: pod name and a random suffix. */
  readonly identity: string
  readonly clock: Clock
  /** [0, 1). */
  readonly random: () => number
  readonly log: Log
  readonly metrics?: Registry
  readonly timing?: Partial<LeaseTiming>
  /** Called once, at the moment the lease is lost: whatever happens to the work under way, the process must end. */
  readonly onLost?: () => void
}

/** Milliseconds. */
export type LeaseTiming = {
  /** Others wait this long without a renewal before they take over. */
  readonly leaseDurationMs: number
  /** We stop this long after the start of our last renewal. */
  readonly renewDeadlineMs: number
  readonly retryPeriodMs: number
}

const TIMING: LeaseTiming = {
  leaseDurationMs: 15_000,
  renewDeadlineMs: 10_000,
  retryPeriodMs: 2_000,
}
/** Candidates wait between one and 1 + this times the period, so that they do not come together. */
const JITTER = 1.2

type Term = { readonly lease: Lease; readonly renewed: Moment; readonly epoch: number }

/**
 * Leadership by a Lease. Run's signal must be aborted only after all work has ended, since the release lets the next
 * leader start at once. After 'lost' the process must exit: an elector runs once.
 */
export function createElector(options: ElectorOptions): Elector {
  const { client, namespace, name = LEASE_NAME, identity, clock, random } = options
  const timing = { ...TIMING, ...options.timing }
  const log = options.log.child({ lease: `${namespace}/${name}`, identity })
  const expiry = createExpiry(clock, timing.leaseDurationMs)
  const master =
    options.metrics &&
    gauge(
      options.metrics,
      'leader_election_master_status',
      '1 when this process leads, 0 when it stands by.',
      ['name'],
    )
  const elected = Promise.withResolvers<void>()
  let term: Term | undefined
  let leaseUid: string | undefined
  let lost = false

  const setTerm = (next: Term | undefined) => {
    // an answer that comes after the end must not bring the term back
    if (lost && next) return
    term = next
    if (next) elected.resolve()
    leaseUid = next?.lease.metadata.uid ?? leaseUid
    master?.set({ name }, next ? 1 : 0)
  }
  setTerm(undefined)

  const lose = (fields: object, why: string) => {
    log.error(fields, why)
    lost = true
    options.onLost?.()
  }

  /** A hanging request must not use up the whole deadline; what it still does is harmless by its resourceVersion. */
  const inTime = async <T>(call: Promise<T>, ms = timing.renewDeadlineMs / 2): Promise<T> => {
    const { promise, reject } = Promise.withResolvers<never>()
    const timer = clock.setTimer(ms, () => reject(new Error('no answer in time')))
    try {
      return await Promise.race([call, promise])
    } finally {
      timer.cancel()
    }
  }

  const read = async (): Promise<Lease | undefined> => {
    try {
      return await inTime(client.get<Lease>(LEASE, name, namespace))
    } catch (e) {
      if (e instanceof ApiError && e.status === 404) return undefined
      throw e
    }
  }

  const putVacant = () => {
    const vacant = { metadata: { name, namespace }, spec: vacantSpec(timing.leaseDurationMs) }
    return inTime(client.create<Lease>(LEASE, vacant))
  }

  /** Writes us as the holder by compare-and-swap on the Lease that was read. */
  const write = async (base: Lease, epoch: number): Promise<Term> => {
    const renewed = momentOf(clock)
    const now = microTime(renewed.wall)
    const renewal = term !== undefined
    const lease: Lease = {
      ...base,
      spec: {
        ...base.spec,
        holderIdentity: identity,
        leaseDurationSeconds: Math.ceil(timing.leaseDurationMs / 1000),
        acquireTime: renewal ? (base.spec?.acquireTime ?? now) : now,
        renewTime: now,
        leaseTransitions: epoch,
      },
    }
    return { lease: await inTime(client.replace(LEASE, lease)), renewed, epoch }
  }

  const acquire = async () => {
    const found = await read()
    if (!found) return void (await putVacant())
    leaseUid = found.metadata.uid
    // ours without a term: a write of ours arrived whose answer did not
    const unnoticed = found.spec?.holderIdentity === identity
    if (!expiry.mayTake(found) && !unnoticed) return
    setTerm(await write(found, expiry.terms() + 1))
    log.info({ epoch: term?.epoch, from: found.spec?.holderIdentity }, 'leadership acquired')
  }

  const left = (held: Term) => timing.renewDeadlineMs - realSince(held.renewed, clock)

  /** Runs `swap` on what we wrote last; when that is refused, on what is there now if it still is our term. */
  const onOurs = async (held: Term, swap: (lease: Lease) => Promise<void>) => {
    try {
      return await swap(held.lease)
    } catch (e) {
      if (!(e instanceof ApiError && (e.status === 409 || e.status === 404))) throw e
    }
    const found = (await read()) ?? (await putVacant())
    const { spec } = found
    const ours = spec?.holderIdentity === identity && spec.leaseTransitions === held.epoch
    // deleted and made again: before our deadline nobody can have led in between, so that it still is our term
    if (ours || (isVacant(spec) && left(held) > 0)) return swap(found)
    lose({ holder: spec?.holderIdentity }, 'the lease is held by another')
  }

  const renew = (held: Term) =>
    onOurs(held, async (lease) => setTerm(await write(lease, held.epoch)))

  const attempt = async (what: () => Promise<void>) => {
    try {
      await what()
    } catch (e) {
      log.warn({ error: messageOf(e), leading: term !== undefined }, 'lease could not be written')
    }
  }

  const lead = async (held: Term, signal: AbortSignal) => {
    await sleep(clock, Math.min(timing.retryPeriodMs, Math.ceil(Math.max(0, left(held)))), signal)
    if (signal.aborted) return
    const ms = left(held)
    if (ms > 0) await attempt(() => inTime(renew(held), ms))
    if (lost || !term || left(term) > 0) return
    lose({}, 'the lease could not be renewed in time')
  }

  const release = async (held: Term) => {
    setTerm(undefined)
    await attempt(async () => {
      await onOurs(held, async (lease) => {
        const spec = releasedSpec(lease.spec, clock.now())
        await inTime(client.replace(LEASE, { ...lease, spec }))
      })
      log.info({ epoch: held.epoch }, 'leadership released')
    })
  }

  return {
    run: async (signal) => {
      while (!signal.aborted && !lost) {
        if (term) await lead(term, signal)
        else {
          await attempt(acquire)
          if (!term) await sleep(clock, timing.retryPeriodMs * (1 + random() * JITTER), signal)
        }
      }
      if (!lost && term) await release(term)
      if (!lost) return 'stopped'
      setTerm(undefined)
      return 'lost'
    },
    elected: () => elected.promise,
    get isLeader() {
      return term !== undefined
    },
    get epoch() {
      return term?.epoch ?? 0
    },
    get leaseUid() {
      return leaseUid
    },
    fence: (marginMs = 0) => {
      if (!term || lost) throw new LostLeaseError('we do not lead')
      const since = longestSince(term.renewed, clock)
      if (since + marginMs >= timing.renewDeadlineMs)
        throw new LostLeaseError(
          `the lease was last renewed ${Math.round(since)} ms ago, which leaves less than ${marginMs} ms`,
        )
    },
    healthy: () =>
      !lost && (!term || clock.monotonic() - term.renewed.monotonic < timing.leaseDurationMs),
  }
}
