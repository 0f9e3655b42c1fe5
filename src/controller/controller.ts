import { aborted, sleep } from '../clock.ts'
import { messageOf } from '../errors.ts'
import { LostLeaseError } from '../kube/types.ts'
import { ControllerMetrics } from './reporting/controller-metrics.ts'
import { audited } from './audited.ts'
import type { ControllerDeps, OutsideDeps } from './deps.ts'
import { Leadership } from './leadership.ts'
import { allReflectors, createWatches } from './view/watches.ts'
import type { Watches } from './view/watches.ts'

export interface Controller {
  /**
   * Watches, waits for the lease, leads. Ends `stopped` when `signal` is aborted and every running step is saved,
   * `lost` when the lease went to somebody else: the process must exit then.
   */
  run(signal: AbortSignal): Promise<'lost' | 'stopped'>
  /** All required kinds have been read once. A standby is ready too. */
  ready(): { ok: boolean; why: string }
  /** The series per volume in Prometheus' text format; empty unless config.yaml asks for them, and on a standby. */
  volumeMetrics(): Promise<string>
  /** False when this process should be restarted. */
  healthy(): { ok: boolean; why: string }
}

export function createController(outside: OutsideDeps): Controller {
  const deps = audited(outside, () => watches)
  const watches: Watches = createWatches(deps)
  const metrics = new ControllerMetrics(deps.metrics)
  metrics.auditUnavailable.set(0)
  deps.audit.subscribe((problem) => {
    metrics.auditUnavailable.set(problem === undefined ? 0 : 1)
    if (problem === undefined) deps.log.info({}, 'the audit can be written again')
    else deps.log.error({ err: problem }, 'the audit cannot be written; no move starts')
  })
  return {
    run: (signal) => run(deps, watches, metrics, signal),
    ready: () => {
      const waiting = allReflectors(watches)
        .map((r) => r.health())
        .filter((h) => !h.synced && h.missingRule === undefined)
      return waiting.length === 0
        ? { ok: true, why: deps.elector.isLeader ? 'leading' : 'standby' }
        : { ok: false, why: `reading ${waiting.map((h) => h.resource).join(', ')}` }
    },
    volumeMetrics: () =>
      deps.config().ownMetrics.perVolume ? metrics.volumes.page() : Promise.resolve(''),
    healthy: () =>
      deps.elector.healthy()
        ? { ok: true, why: 'ok' }
        : { ok: false, why: 'the lease should have been renewed and was not' },
  }
}

/** Longest wait for work under way once the lease is lost: none of it may be saved any more, only logged. */
const LOST_MS = 3_000

async function run(
  deps: ControllerDeps,
  watches: Watches,
  metrics: ControllerMetrics,
  outer: AbortSignal,
): Promise<'lost' | 'stopped'> {
  const working = new AbortController()
  const leasing = new AbortController()
  const stop = () => working.abort()
  outer.addEventListener('abort', stop, { once: true })
  if (outer.aborted) stop()
  const reflectors = allReflectors(watches).map((r) => r.run(working.signal))
  const lease = deps.elector.run(leasing.signal)
  const lost = lease.then((end) => {
    stop()
    return end
  })
  const leading = Promise.race([deps.elector.elected(), lost, aborted(outer)]).then(async () => {
    if (deps.elector.isLeader && !working.signal.aborted)
      await new Leadership(deps, watches, metrics).run(working.signal)
  })
  const finish = async (): Promise<'lost' | 'stopped'> => {
    try {
      await Promise.all([leading, aborted(working.signal)])
    } catch (e) {
      if (!(e instanceof LostLeaseError)) throw e
      deps.log.error({ err: messageOf(e) }, 'the lease was lost')
      return 'lost'
    } finally {
      stop()
      // released last, after every step is saved
      await deps.events.flush().catch(() => {})
      await deps.audit.close()
      leasing.abort()
      await Promise.all(reflectors)
    }
    return lease
  }
  const finished = finish()
  // a step that waits for a server that never answers must not keep a process that leads no more
  const enough = new AbortController()
  const giveUp = lost.then(async (end) => {
    if (end !== 'lost') return finished
    await sleep(deps.processClock, LOST_MS, enough.signal)
    return end
  })
  try {
    return await Promise.race([finished, giveUp])
  } finally {
    enough.abort()
  }
}
