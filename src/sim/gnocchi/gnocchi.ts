import type { Identity } from '../cloud/identity.ts'
import type { Caller } from '../cloud/model.ts'
import type { SimHandler, SimRequest, SimResponse } from '../handler.ts'
import { aggregates, rangeOf } from './aggregates.ts'
import { ARCHIVE_POLICIES, measuresOf } from './metric.ts'
import type { Metric } from './metric.ts'
import { json } from '../json-reply.ts'
import { bodyOf, Refusal, refusalReply } from './reply.ts'
import { isUuid, resourceId, resourceView } from './resource.ts'
import type { Resource } from './resource.ts'
import type { Store } from './store.ts'

export type GnocchiParts = {
  readonly identity: Identity
  readonly store: Store
  /** Base URL of Keystone, for the challenge of a 401. */
  readonly keystone: () => string
  readonly maxPage: number
}

type Call = {
  readonly parts: GnocchiParts
  readonly req: SimRequest
  readonly url: URL
  readonly caller: Caller
}

type Route = readonly [
  method: string,
  path: RegExp,
  handler: (call: Call, first: string, second: string) => SimResponse,
]

const DISKS = '/v1/resource/instance_disk'
const ROUTES: readonly Route[] = [
  ['GET', new RegExp(`^${DISKS}$`), listDisks],
  ['POST', new RegExp(`^${DISKS}$`), createDisk],
  [
    'GET',
    new RegExp(`^${DISKS}/([^/]+)$`),
    (call, id) => json(200, resourceView(diskOf(call, id))),
  ],
  ['DELETE', new RegExp(`^${DISKS}/([^/]+)$`), removeDisk],
  ['GET', new RegExp(`^${DISKS}/([^/]+)/metric/([^/]+)/measures$`), oneMetric],
  ['POST', /^\/v1\/batch\/resources\/metrics\/measures$/, postMeasures],
  [
    'POST',
    /^\/v1\/aggregates$/,
    (call) => json(200, aggregates(visibleTo(call), bodyOf(call.req), call.url.searchParams)),
  ],
  ['GET', /^\/v1\/status$/, status],
]

/** Gnocchi 4.4 with Keystone's tokens: what a collector writes and a reader asks about disks. */
export function createGnocchi(parts: GnocchiParts): SimHandler {
  const answer = (req: SimRequest): SimResponse => {
    const url = new URL(req.url, `http://${req.headers['host'] ?? 'gnocchi.sim'}`)
    if (url.pathname === '/') return json(200, { build: '4.4.2', versions: [] })
    const token = parts.identity.valid(req.headers['x-auth-token'])
    if (!token) return unauthenticated(parts)
    const call: Call = { parts, req, url, caller: parts.identity.caller(token) }
    try {
      return dispatch(call)
    } catch (e) {
      if (e instanceof Refusal) return refusalReply(req, e)
      throw e
    }
  }
  return (req) => Promise.resolve(req).then(answer)
}

function dispatch(call: Call): SimResponse {
  for (const [method, path, handler] of ROUTES) {
    const match = path.exec(call.url.pathname)
    if (match === null || method !== call.req.method) continue
    return handler(call, decodeURIComponent(match[1] ?? ''), match[2] ?? '')
  }
  throw new Refusal(404, null)
}

function unauthenticated({ keystone }: GnocchiParts): SimResponse {
  const message = 'The request you have made requires authentication.'
  return json(
    401,
    { error: { code: 401, title: 'Unauthorized', message } },
    { 'www-authenticate': `Keystone uri="${keystone()}"` },
  )
}

/** A member sees what their project has made. */
function visibleTo({ parts, caller }: Call): Resource[] {
  const all = [...parts.store.resources.values()]
  const seen = all.filter((r) => caller.isAdmin || r.creator.projectId === caller.projectId)
  return seen.toSorted((a, b) => (a.id < b.id ? -1 : 1))
}

function diskOf(call: Call, id: string): Resource {
  const own = resourceId(id, call.caller)
  const found = visibleTo(call).find((r) => r.id === own)
  if (found === undefined) throw new Refusal(404, `Resource ${id} does not exist`)
  return found
}

function listDisks(call: Call): SimResponse {
  const { url, parts } = call
  const limit = Math.min(limitOf(url.searchParams.get('limit'), parts.maxPage), parts.maxPage)
  const marker = url.searchParams.get('marker')
  const all = visibleTo(call)
  const at = marker === null ? -1 : all.findIndex((r) => r.id === marker)
  if (marker !== null && at < 0)
    throw new Refusal(400, `Invalid pagination: \`Invalid marker: \`${marker}''`)
  const page = all.slice(at + 1, at + 1 + limit)
  return json(200, page.map(resourceView), page.length < limit ? {} : nextLink(url, page, limit))
}

function limitOf(text: string | null, most: number): number {
  const limit = text === null ? most : Number(text)
  if (limit >= 1) return limit
  const reason = "value must be at least 1 for dictionary value @ data['limit']"
  throw new Refusal(400, { cause: 'Argument value error', reason })
}

/** A full page has a next one, even when nothing is left for it. */
function nextLink(url: URL, page: readonly Resource[], limit: number): Record<string, string> {
  const query = new URLSearchParams({
    limit: String(limit),
    marker: page.at(-1)!.id,
    sort: url.searchParams.get('sort') ?? 'id:asc',
  })
  return { link: `<${url.origin}${url.pathname}?${query.toString()}>; rel="next"` }
}

function createDisk(call: Call): SimResponse {
  const { id, name, instance_id: instanceId, metrics = {} } = bodyOf(call.req)
  if (typeof id !== 'string') throw invalid('id', 'required key not provided')
  if (typeof name !== 'string') throw invalid('name', 'required key not provided')
  if (instanceId === undefined) throw invalid('instance_id', 'required key not provided')
  if (typeof instanceId !== 'string' || !isUuid(instanceId))
    throw invalid('instance_id', 'badly formed hexadecimal UUID string for dictionary value')
  const { userId, projectId } = call.caller
  const creator = { userId, projectId }
  const known = call.parts.store.resources.get(resourceId(id, creator))
  if (known !== undefined) throw new Refusal(409, `Resource ${known.id} already exists`)
  const policies = Object.entries(metrics as Record<string, { archive_policy_name?: string }>)
  for (const [, { archive_policy_name: policy = '' }] of policies)
    if (ARCHIVE_POLICIES[policy] === undefined)
      throw new Refusal(400, `Archive policy ${policy} does not exist`)
  const made = call.parts.store.add(
    { originalId: id, name, instanceId, creator },
    Object.fromEntries(policies.map(([metric, m]) => [metric, m.archive_policy_name!])),
  )
  const location = `${call.url.origin}${DISKS}/${made.id}`
  return json(201, resourceView(made), { location })
}

function invalid(key: string, why: string): Refusal {
  return new Refusal(400, {
    cause: 'Invalid input',
    reason: `${why} @ data['${key}']`,
    detail: [key],
  })
}

/** Asked for JSON, the real one answers that it has none. */
function removeDisk(call: Call, id: string): SimResponse {
  const disk = diskOf(call, id)
  if (call.req.headers['accept'] === 'application/json') throw new Refusal(406, null)
  call.parts.store.resources.delete(disk.id)
  return { status: 204, body: '' }
}

function metricOf(disk: Resource, name: string): Metric {
  const metric = disk.metrics.get(name)
  if (metric === undefined) throw new Refusal(404, `Metric ${name} does not exist`)
  return metric
}

function oneMetric(call: Call, id: string, name: string): SimResponse {
  const metric = metricOf(diskOf(call, id), name)
  const query = call.url.searchParams
  const aggregation = query.get('aggregation') ?? 'mean'
  const asked = query.get('granularity')
  const granularities =
    asked === null ? metric.policy.keeps.map((k) => k.granularity) : [Number(asked)]
  const range = rangeOf(query)
  return json(
    200,
    granularities
      .toSorted((a, b) => b - a)
      .flatMap((g) => measuresOf(metric, aggregation, g, range)),
  )
}

type Posted = Record<string, Record<string, { timestamp: number | string; value: number }[]>>

function postMeasures(call: Call): SimResponse {
  const body = bodyOf(call.req) as Posted
  const visible = new Map(visibleTo(call).map((r) => [r.id, r]))
  const found: (readonly [Metric, Posted[string][string]])[] = []
  const unknown: string[] = []
  for (const [id, byMetric] of Object.entries(body))
    for (const [name, measures] of Object.entries(byMetric)) {
      const uuid = resourceId(id, call.caller)
      const metric = visible.get(uuid)?.metrics.get(name)
      if (metric === undefined) unknown.push(`${uuid}/${name}`)
      else found.push([metric, measures])
    }
  if (unknown.length > 0) throw new Refusal(400, `Unknown metrics: ${unknown.join(', ')}`)
  for (const [metric, measures] of found)
    call.parts.store.post(
      metric,
      measures.map(({ timestamp: at, value }) => [
        typeof at === 'number' ? at : Date.parse(at) / 1000,
        value,
      ]),
    )
  return json(202, undefined)
}

function status({ caller }: Call): SimResponse {
  if (!caller.isAdmin) throw new Refusal(403, '')
  return json(200, { storage: { summary: { measures: 0, metrics: 0 } } })
}
