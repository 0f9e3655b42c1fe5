import { asRecord, shorten } from '../foreign.ts'

/** One number per series of an instant vector; not finite or negative numbers are kept for the caller to judge. */
export type VectorItem = {
  readonly labels: Readonly<Record<string, string>>
  /** undefined when the sample is none of ours (a histogram, say): its value is NaN then. */
  readonly timeSeconds: number | undefined
  readonly value: number
}

/** One series with its samples' times, seconds, and their values. */
export type MatrixItem = {
  readonly labels: Readonly<Record<string, string>>
  readonly times: readonly number[]
  readonly values: readonly number[]
}

export type Parsed<T> =
  | { readonly kind: 'Data'; readonly items: readonly T[] }
  | { readonly kind: 'Unusable'; readonly why: string }

/**
 * Reads the envelope of `/api/v1/query`. A success with warnings, with `isPartial` or cut by a limit is
 * unusable as a whole: the volumes that are missing from it would look idle.
 * Source: Prometheus HTTP API; `isPartial` is VictoriaMetrics', warnings are how Thanos reports partial data.
 */
export function parseVector(body: unknown): Parsed<VectorItem> {
  const parsed = parseAs(body, 'vector', vectorItem)
  if (parsed.kind === 'Unusable' || parsed.items.length === 0) return parsed
  const isOdd = (item: VectorItem) => item.timeSeconds === undefined
  return parsed.items.every(isOdd) ? unusable('the series of the vector cannot be read') : parsed
}

/** The same for a range selector or a subquery asked at one instant. */
export function parseMatrix(body: unknown): Parsed<MatrixItem> {
  return parseAs(body, 'matrix', matrixItem)
}

function parseAs<T>(
  body: unknown,
  resultType: string,
  item: (raw: unknown) => T | undefined,
): Parsed<T> {
  const envelope = asRecord(body)
  if (envelope === undefined || envelope['status'] !== 'success')
    return unusable('the answer is no Prometheus success envelope')
  const partial = partialReason(envelope)
  if (partial !== undefined) return unusable(partial)
  const data = asRecord(envelope['data'])
  if (data?.['resultType'] !== resultType)
    return unusable(
      `the result is a ${shorten(String(data?.['resultType']))}, not a ${resultType}; the query must yield one`,
    )
  const result = data['result']
  if (!Array.isArray(result)) return unusable('the result is not a list')
  const items: T[] = []
  for (const raw of result) {
    const parsed = item(raw)
    if (parsed === undefined) return unusable(`a series of the ${resultType} cannot be read`)
    items.push(parsed)
  }
  return { kind: 'Data', items }
}

function partialReason(envelope: Record<string, unknown>): string | undefined {
  if (envelope['isPartial'] === true) return 'partial answer (isPartial)'
  const warnings = Array.isArray(envelope['warnings']) ? envelope['warnings'].map(String) : []
  // 2.48 to 2.5x list mere remarks, such as "might not be a counter", among the warnings
  const real = warnings.filter((w) => !w.startsWith('PromQL info:'))
  if (real.length === 0) return undefined
  return `answer with warnings, which may be partial: ${shorten(real.join('; '))}`
}

function vectorItem(raw: unknown): VectorItem | undefined {
  const item = asRecord(raw)
  const labels = asRecord(item?.['metric'])
  if (labels === undefined) return undefined
  const named = { labels: labels as Record<string, string> }
  const pair = item?.['value']
  const [time, text] = Array.isArray(pair) ? (pair as unknown[]) : []
  // one odd series is the trouble of its volume, not of the fleet
  if (typeof time !== 'number' || typeof text !== 'string')
    return { ...named, timeSeconds: undefined, value: Number.NaN }
  return { ...named, timeSeconds: time, value: numberOf(text) }
}

function matrixItem(raw: unknown): MatrixItem | undefined {
  const item = asRecord(raw)
  const pairs = item?.['values']
  const labels = asRecord(item?.['metric']) ?? {}
  if (!Array.isArray(pairs)) return undefined
  const times: number[] = []
  const values: number[] = []
  for (const pair of pairs) {
    const [time, text] = Array.isArray(pair) ? (pair as unknown[]) : []
    if (typeof time !== 'number') return undefined
    times.push(time)
    values.push(typeof text === 'string' ? numberOf(text) : Number.NaN)
  }
  return { labels: labels as Record<string, string>, times, values }
}

/** JSON has no NaN or infinity, so values are strings; `Number('+Inf')` and `Number('')` would mislead. */
function numberOf(text: string): number {
  if (text === '+Inf' || text === 'Inf') return Infinity
  if (text === '-Inf') return -Infinity
  return text.trim() === '' ? Number.NaN : Number(text)
}

function unusable(why: string): { kind: 'Unusable'; why: string } {
  return { kind: 'Unusable', why }
}
