import { ConnectionLost } from '../connection-lost.ts'
import type { MeasureRow, Metric, Range } from './metric.ts'
import { keepsAggregation, keepsGranularity, measuresOf } from './metric.ts'
import { Refusal } from './reply.ts'
import { resourceView } from './resource.ts'
import type { Resource } from './resource.ts'
import { fits } from './search.ts'

type Reference = {
  readonly resource: Resource
  readonly metric: Metric
  readonly aggregation: string
}

/** `POST /v1/aggregates` with a search, without operations on the measures: for all that is asked, or for nothing. */
export function aggregates(
  visible: readonly Resource[],
  body: Record<string, unknown>,
  query: URLSearchParams,
): unknown {
  const { resource_type: type, search } = body
  const pairs = pairsOf(body['operations'])
  if (type !== 'instance_disk')
    throw new Refusal(400, { cause: 'Resource type does not exist', detail: type })
  const references = visible
    .filter((resource) => fits(resource, search))
    .flatMap((resource) => referencesOf(resource, pairs))
  if (references.length === 0) {
    const detail = [...new Set(pairs.map(([name]) => name))]
    throw new Refusal(400, { cause: 'Metrics not found', detail })
  }
  const granularities = granularitiesOf(references, query.get('granularity'))
  const measures: Record<string, Record<string, Record<string, MeasureRow[]>>> = {}
  const range = rangeOf(query)
  for (const { resource, metric, aggregation } of references) {
    const ofMetric = ((measures[resource.id] ??= {})[metric.name] ??= {})
    ofMetric[aggregation] = granularities.flatMap((g) => measuresOf(metric, aggregation, g, range))
  }
  if (query.get('details') !== 'true') return { measures }
  const seen = [...new Set(references.map((r) => r.resource))]
  return { measures, references: seen.map(resourceView) }
}

/** `["metric", [name, aggregation], …]`, or one pair alone. */
function pairsOf(operations: unknown): (readonly [string, string])[] {
  if (!Array.isArray(operations) || operations[0] !== 'metric') throw new ConnectionLost()
  const rest = operations.slice(1) as (string | readonly [string, string])[]
  return typeof rest[0] === 'string'
    ? [[rest[0], String(rest[1])]]
    : (rest as (readonly [string, string])[])
}

function referencesOf(
  resource: Resource,
  pairs: readonly (readonly [string, string])[],
): Reference[] {
  return pairs.flatMap(([name, aggregation]) => {
    const metric = resource.metrics.get(name)
    return metric === undefined ? [] : [{ resource, metric, aggregation }]
  })
}

function granularitiesOf(references: readonly Reference[], asked: string | null): number[] {
  const unknown = references.filter((r) => !keepsAggregation(r.metric, r.aggregation))
  const [first] = unknown
  // the first one is named, however many there are
  if (first !== undefined) {
    const detail = [[first.metric.id, first.aggregation]]
    throw new Refusal(404, { cause: 'Metrics with unknown aggregation', detail })
  }
  if (asked === null) {
    const all = references[0]!.metric.policy.keeps.map((k) => k.granularity)
    const common = all.filter((g) => references.every((r) => keepsGranularity(r.metric, g)))
    return common.toSorted((a, b) => b - a)
  }
  const granularity = Number(asked)
  const missing = references.filter((r) => !keepsGranularity(r.metric, granularity))
  if (missing.length === 0) return [granularity]
  throw new Refusal(400, {
    cause: "Metrics can't being aggregated",
    reason: 'Granularities are missing',
    detail: missing.map((r) => [r.metric.name, r.aggregation, granularity]),
  })
}

/** Seconds since the epoch or a time as text, as the operator sends and people type it. */
export function rangeOf(query: URLSearchParams): Range {
  return {
    start: secondsOf(query.get('start')) ?? -Infinity,
    stop: secondsOf(query.get('stop')) ?? Infinity,
  }
}

function secondsOf(text: string | null): number | undefined {
  if (text === null) return undefined
  return /^[\d.]+$/.test(text) ? Number(text) : Date.parse(text) / 1000
}
