import { messageOf } from '../../errors.ts'
import type { Session, SessionResponse } from '../../openstack/session.ts'
import { asRecord, shorten } from '../foreign.ts'
import type { Disk, DiskMeasures } from './answer.ts'
import { parseAggregates, parseDisks } from './answer.ts'
import { diskKey, diskOf } from './disk.ts'
import type { DiskId } from './disk.ts'
import { DISK_METRICS, DISK_QUANTITIES } from './metric-names.ts'
import type { DiskMetricNames } from './metric-names.ts'

/** `mean` is the counter itself; `rate:mean` its rise from one raw measure to the next, whatever their distance. */
export type Aggregation = 'mean' | 'rate:mean'

export type AggregatesQuery = {
  /** Gnocchi sets no limit of its own; a hundred at a time keep answers and its work small. */
  readonly disks: readonly DiskId[]
  readonly aggregation: Aggregation
  /** Periods that start in [start, stop), whole seconds since the epoch. */
  readonly startSeconds: number
  readonly stopSeconds: number
  readonly granularitySeconds: number
  readonly signal?: AbortSignal
}

/** One sentence that says why nothing is known. */
export type GnocchiFailed = { readonly kind: 'Failed'; readonly why: string }

/**
 * Gnocchi answers for all disks of a question or for none. `NoneMatch`: it has none of them.
 * `UnknownAggregation`: the named metric does not keep it, and others may not either.
 * `GranularityMissing`: at least one metric does not keep it, and it does not say which.
 */
export type AggregatesAnswer =
  | { readonly kind: 'Measures'; readonly disks: readonly DiskMeasures[] }
  | { readonly kind: 'NoneMatch' }
  | { readonly kind: 'UnknownAggregation'; readonly metricId: string }
  | { readonly kind: 'GranularityMissing' }
  | GnocchiFailed

export type DisksAnswer =
  { readonly kind: 'Disks'; readonly disks: readonly Disk[] } | GnocchiFailed

/** Questions to Gnocchi, repeated up to five times when it does not answer. Never throws. */
export interface GnocchiClient {
  /** All disks that the credential may see, page by page; with `ended`, those of deleted servers too. */
  disks(options?: { readonly ended?: boolean; readonly signal?: AbortSignal }): Promise<DisksAnswer>
  aggregates(query: AggregatesQuery): Promise<AggregatesAnswer>
}

export type GnocchiClientParts = {
  /** Its catalog has the service `metric`, or its credentials an endpoint for it. */
  readonly session: Session
  /** Default: Ceilometer's. */
  readonly names?: DiskMetricNames
  /** For one try. Default 60,000. */
  readonly timeoutMs?: number
}

const PAGE = 1000
/** A million disks; more is a server that gives the same page again and again. */
const MOST_PAGES = 1000
const DEFAULT_TIMEOUT_MS = 60_000

export function createGnocchiClient(parts: GnocchiClientParts): GnocchiClient {
  const { session, names = DISK_METRICS, timeoutMs = DEFAULT_TIMEOUT_MS } = parts

  async function ask(
    call: { operation: string; path: string; body?: unknown },
    signal: AbortSignal | undefined,
  ): Promise<SessionResponse | GnocchiFailed> {
    try {
      return await session.request({
        service: 'metric',
        // people give the endpoint with and without the version
        base: 'root',
        method: call.body === undefined ? 'GET' : 'POST',
        retry: 'safe',
        timeoutMs,
        ...call,
        ...(signal === undefined ? {} : { signal }),
      })
    } catch (e) {
      return failed(messageOf(e))
    }
  }

  async function disks(
    options: { readonly ended?: boolean; readonly signal?: AbortSignal } = {},
  ): Promise<DisksAnswer> {
    const operation = 'resources.list'
    const found: Disk[] = []
    let marker: string | undefined
    for (let page = 0; page < MOST_PAGES; page += 1) {
      const path = `/v1/resource/instance_disk?${pageQuery(marker)}`
      const answer = await ask({ operation, path }, options.signal)
      if ('kind' in answer) return answer
      const rows = answer.status === 200 ? parseDisks(answer.json) : undefined
      if (rows === undefined) return failed(refusal(session, operation, answer))
      found.push(...rows.filter((d) => options.ended === true || d.endedAt === undefined))
      marker = nextMarker(answer.headers['link'])
      if (marker === undefined) return { kind: 'Disks', disks: found }
    }
    return failed(`Gnocchi: ${operation} gives page after page without end`)
  }

  async function aggregates(query: AggregatesQuery): Promise<AggregatesAnswer> {
    const operation = 'aggregates'
    // Gnocchi breaks off the connection at an empty list
    const ids = query.disks.map(diskKey).filter((key) => diskOf(key) !== undefined)
    if (ids.length === 0) return { kind: 'NoneMatch' }
    const call = { operation, path: aggregatesPath(query), body: aggregatesBody(ids, query, names) }
    const answer = await ask(call, query.signal)
    if ('kind' in answer) return answer
    if (answer.status !== 200)
      return wholeFailure(answer) ?? failed(refusal(session, operation, answer))
    const measured = parseAggregates(answer.json, names, query.aggregation)
    if (measured === undefined) return failed(`Gnocchi: ${operation} answered something else`)
    return { kind: 'Measures', disks: measured }
  }

  return { disks, aggregates }
}

function pageQuery(marker: string | undefined): string {
  const query = new URLSearchParams({ limit: String(PAGE), sort: 'id:asc' })
  if (marker !== undefined) query.set('marker', marker)
  return query.toString()
}

/** Only the marker is taken from the link: its host is the server's own idea of itself. */
function nextMarker(link: string | undefined): string | undefined {
  const url = /<([^>]*)>\s*;\s*rel="?next"?/.exec(link ?? '')?.[1]
  return new URLSearchParams(url?.split('?')[1] ?? '').get('marker') ?? undefined
}

function aggregatesPath(query: AggregatesQuery): string {
  const { startSeconds, stopSeconds, granularitySeconds } = query
  const text = new URLSearchParams({
    start: String(startSeconds),
    stop: String(stopSeconds),
    granularity: String(granularitySeconds),
    details: 'true',
  })
  return `/v1/aggregates?${text.toString()}`
}

function aggregatesBody(ids: readonly string[], query: AggregatesQuery, names: DiskMetricNames) {
  return {
    resource_type: 'instance_disk',
    search: { in: { original_resource_id: ids } },
    operations: ['metric', ...DISK_QUANTITIES.map((q) => [names[q], query.aggregation])],
  }
}

/** Refusals that are about the disks asked for; the status is 400 or 404, depending on the version. */
function wholeFailure({ status, json }: SessionResponse): AggregatesAnswer | undefined {
  if (status !== 400 && status !== 404) return undefined
  const { cause, reason, detail } = causeOf(json)
  if (cause === 'Metrics not found') return { kind: 'NoneMatch' }
  if (reason === 'Granularities are missing') return { kind: 'GranularityMissing' }
  if (cause !== 'Metrics with unknown aggregation') return undefined
  const [[metricId]] =
    Array.isArray(detail) && Array.isArray(detail[0]) ? (detail as [[unknown]]) : [['']]
  return { kind: 'UnknownAggregation', metricId: String(metricId) }
}

/** `{"code", "title", "description"}`, the last being a text or an object with cause, reason and detail. */
function causeOf(json: unknown): { cause?: unknown; reason?: unknown; detail?: unknown } {
  return asRecord(asRecord(json)?.['description']) ?? {}
}

function refusal(session: Session, operation: string, answer: SessionResponse): string {
  const body = asRecord(answer.json)
  const { cause, reason } = causeOf(answer.json)
  const said = [cause, reason, body?.['description'], body?.['title']]
    .filter((part) => typeof part === 'string')
    .slice(0, 2)
    .join(': ')
  const what = `Gnocchi: ${operation} answered ${answer.status} ${shorten(said)}`.trim()
  return session.clean(`${what}${adviceOf(answer.status)}`)
}

function adviceOf(status: number): string {
  if (status === 403)
    return ' (the credential may not read the measures of its own project: ask for the reader role)'
  if (status === 404)
    return ' (check gnocchi.endpoint; Ceilometer makes the resource type instance_disk by ceilometer-upgrade)'
  return ''
}

function failed(why: string): GnocchiFailed {
  return { kind: 'Failed', why: shorten(why) }
}
