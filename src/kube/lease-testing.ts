import type { VirtualClock } from '../../test/virtual-clock.ts'
import { sleep } from '../clock.ts'
import type { Clock } from '../clock.ts'
import { ConnectionError } from '../http.ts'
import type { Lease } from './lease-record.ts'
import { ApiError } from './types.ts'
import type { KubeClient } from './types.ts'

export type ProcessClock = Clock & {
  /** Stops this process (SIGSTOP, a paused virtual machine): its timers and monotonic time stand still. */
  suspend(): void
  resume(): void
  readonly stopped: boolean
}

/** The clock of one process among several that share `world`. */
export function processClock(world: VirtualClock): ProcessClock {
  const due: (() => void)[] = []
  let lostMs = 0
  let stoppedAt: number | undefined
  const monotonic = () => (stoppedAt ?? world.monotonic()) - lostMs

  const setTimer: Clock['setTimer'] = (ms, fn) => {
    const at = monotonic() + ms
    let cancelled = false
    const check = () => {
      if (cancelled) return
      if (stoppedAt !== undefined) due.push(check)
      else if (monotonic() >= at) fn()
      else timer = world.setTimer(Math.ceil(at - monotonic()), check)
    }
    let timer = world.setTimer(ms, check)
    const cancel = () => {
      cancelled = true
      timer.cancel()
    }
    return { cancel }
  }

  return {
    monotonic,
    now: () => world.now(),
    boot: () => world.boot(),
    setTimer,
    suspend: () => {
      stoppedAt ??= world.monotonic()
    },
    resume: () => {
      if (stoppedAt === undefined) return
      lostMs += world.monotonic() - stoppedAt
      stoppedAt = undefined
      for (const check of due.splice(0)) check()
    },
    get stopped() {
      return stoppedAt !== undefined
    },
  }
}

type MaybeStopped = Clock & { readonly stopped?: boolean }

export type LeaseServer = {
  lease: Lease | undefined
  /** All writes that were carried out. */
  readonly writes: readonly Lease[]
  /** A client whose requests travel for `travelMs` each way; `fault` may lose a request or its answer. */
  client(clock: MaybeStopped, net?: Net): KubeClient
  edit(change: (lease: Lease) => Lease): void
}

export type Net = {
  travelMs?: () => number
  fault?: () => 'none' | 'refused' | 'request-lost' | 'answer-lost'
}

/** One Lease with the API server's compare-and-swap. */
export function leaseServer(world: VirtualClock): LeaseServer {
  const writes: Lease[] = []
  let version = 0

  const store = (lease: Lease, uid: string): Lease => {
    version += 1
    const stored = {
      ...lease,
      metadata: { ...lease.metadata, uid, resourceVersion: String(version) },
    }
    server.lease = stored
    writes.push(stored)
    return stored
  }

  const travelling = async <T>(clock: MaybeStopped, net: Net, process: () => T): Promise<T> => {
    const fault = net.fault?.() ?? 'none'
    if (fault === 'refused') throw new ConnectionError('refused', 'refused')
    const ms = net.travelMs?.() ?? 0
    if (ms > 0) await sleep(world, ms)
    if (fault === 'request-lost') return new Promise<never>(() => {})
    const outcome = attempt(process)
    // the way back ends in the process: while that is stopped, nothing arrives
    if (ms > 0 || clock.stopped) await sleep(clock, ms)
    if (fault === 'answer-lost') return new Promise<never>(() => {})
    return outcome()
  }

  const server: LeaseServer = {
    lease: undefined,
    writes,
    edit: (change) => {
      if (server.lease) store(change(server.lease), server.lease.metadata.uid!)
    },
    client: (clock, net = {}) =>
      ({
        get: () =>
          travelling(clock, net, () => {
            if (!server.lease) throw new ApiError(404, 'NotFound', 'no lease')
            return server.lease
          }),
        create: (_: unknown, lease: Lease) =>
          travelling(clock, net, () => {
            if (server.lease) throw new ApiError(409, 'AlreadyExists', 'there is one')
            return store(lease, `uid-${version}`)
          }),
        replace: (_: unknown, lease: Lease) =>
          travelling(clock, net, () => {
            const old = server.lease
            if (!old) throw new ApiError(404, 'NotFound', 'no lease')
            if (old.metadata.resourceVersion !== lease.metadata.resourceVersion)
              throw new ApiError(409, 'Conflict', 'changed')
            return store(lease, old.metadata.uid!)
          }),
      }) as unknown as KubeClient,
  }
  return server
}

function attempt<T>(fn: () => T): () => T {
  try {
    const value = fn()
    return () => value
  } catch (e) {
    return () => {
      throw e
    }
  }
}
