import { sleep } from '../clock.ts'
import type { Clock } from '../clock.ts'
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import type { FleetCounters } from './fleet-counters.ts'
import { renderScrape } from './series.ts'

export type ExporterOptions = {
  /** Reads Cinder and Gnocchi; throws when either does not answer. */
  readonly read: (signal: AbortSignal) => Promise<FleetCounters>
  /** Seconds between two measures: what was read is good for a tenth of that, and while the next reading lasts for all of it. */
  readonly periodSeconds: number
  readonly clock: Clock
  readonly log: Log
  /** Aborted when the process ends. */
  readonly signal: AbortSignal
}

export type Exporter = {
  /**
   * The series of now in Prometheus' text format, after `timeoutMs` at the latest. Never rejects: what cannot be read
   * is `couchestor_exporter_up 0` without counters.
   */
  scrape(timeoutMs: number): Promise<string>
}

type Reading = { readonly fleet: FleetCounters; readonly begunMs: number }

/** A reading that outlasts its scrape goes on for the next one, so long. */
const LONGEST_READING_MS = 60_000

/** Shows what Gnocchi has counted of the project's volumes. Reads when it is asked, and never by itself. */
export function createExporter(options: ExporterOptions): Exporter {
  const { clock, log } = options
  const goodForMs = options.periodSeconds * 100
  let latest: Reading | undefined
  let underWay: Promise<Reading | undefined> | undefined
  let durationSeconds = 0
  let failures = 0
  /** Since the last reading that came about. */
  const reportedFailures = new Set<string>()
  let newestSeconds: number | undefined

  async function read(): Promise<Reading | undefined> {
    const begunMs = clock.monotonic()
    const limit = new AbortController()
    const timer = clock.setTimer(LONGEST_READING_MS, () => limit.abort())
    try {
      const fleet = await options.read(AbortSignal.any([limit.signal, options.signal]))
      latest = { fleet, begunMs }
      newestSeconds = newestOf(fleet, newestSeconds)
      if (reportedFailures.size > 0) log.info({}, 'Cinder and Gnocchi answer again')
      reportedFailures.clear()
      return latest
    } catch (e) {
      failures += 1
      latest = undefined
      report(messageOf(e))
      return undefined
    } finally {
      timer.cancel()
      durationSeconds = (clock.monotonic() - begunMs) / 1000
      underWay = undefined
    }
  }

  /** Each once, however often it is asked: the same failure differs in the number of its request only. */
  function report(error: string): void {
    const kind = error.replaceAll(/req-[\w-]+/g, '')
    if (!reportedFailures.has(kind) && !options.signal.aborted)
      log.error({ error }, 'Cinder or Gnocchi cannot be read; no volume is shown until they can')
    reportedFailures.add(kind)
  }

  /** Concurrent scrapes share one reading, and a pair of servers that scrape in turn do nearly always. */
  function recent(): Promise<Reading | undefined> {
    if (latest !== undefined && clock.monotonic() - latest.begunMs < goodForMs)
      return Promise.resolve(latest)
    underWay ??= read()
    return underWay
  }

  /** A large fleet takes longer than a scrape may. What bears its own time may be shown a little later. */
  function previous(): Reading | undefined {
    if (latest === undefined) return undefined
    return clock.monotonic() - latest.begunMs < options.periodSeconds * 1000 ? latest : undefined
  }

  async function scrape(timeoutMs: number): Promise<string> {
    const answered = new AbortController()
    const late = sleep(clock, timeoutMs, answered.signal).then(previous)
    const reading = await Promise.race([recent(), late])
    answered.abort()
    return renderScrape({
      fleet: reading?.fleet,
      nowSeconds: clock.now() / 1000,
      readAgeSeconds: reading === undefined ? 0 : (clock.monotonic() - reading.begunMs) / 1000,
      readDurationSeconds: durationSeconds,
      failures,
      newestSeconds,
    })
  }

  return { scrape }
}

/** While nothing is attached nothing is measured, and no age would mean anything. */
function newestOf({ disks, skipped }: FleetCounters, before: number | undefined) {
  if (disks.length + skipped.size === 0) return undefined
  return disks.reduce<number | undefined>(
    (newest, { point }) => Math.max(newest ?? 0, point.atSeconds),
    before,
  )
}
