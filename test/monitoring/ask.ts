/** Values of a dashboard's variables, and the time that it shows, in seconds since 1970. */
export type View = {
  readonly prometheusUrl: string
  readonly variables: Readonly<Record<string, string>>
  readonly from: number
  readonly to: number
  /** Seconds between two points. */
  readonly step: number
  /** Seconds between two scrapes. */
  readonly scrapeInterval: number
}

export type Series = {
  readonly labels: Readonly<Record<string, string>>
  /** Time in seconds, value; one for an instant. */
  readonly points: readonly (readonly [number, number])[]
}

/** The expression as Grafana would send it. Throws on a variable without value. */
function filled(expr: string, view: View): string {
  const { variables, from, to, step, scrapeInterval } = view
  const own: Record<string, string> = {
    __range: `${to - from}s`,
    __interval: `${step}s`,
    // Grafana: at least four scrapes, and no scrape lost between two points
    __rate_interval: `${Math.max(step + scrapeInterval, 4 * scrapeInterval)}s`,
  }
  return expr.replaceAll(/\$\{?([a-zA-Z_]\w*)\}?/g, (_, name: string) => {
    const value = own[name] ?? variables[name]
    if (value === undefined) throw new Error(`no value for $${name} in ${expr}`)
    return value
  })
}

/** Asks as a graph does. Throws with Prometheus' own words. */
export function askRange(expr: string, view: View): Promise<Series[]> {
  const { from, to, step } = view
  return ask(view, 'query_range', { start: `${from}`, end: `${to}`, step: `${step}` }, expr)
}

/** Asks as a table or a single number does: at the end of the time shown. */
export function askInstant(expr: string, view: View): Promise<Series[]> {
  return ask(view, 'query', { time: `${view.to}` }, expr)
}

type Answer = {
  readonly error?: string
  readonly data?: {
    readonly result: readonly {
      readonly metric: Readonly<Record<string, string>>
      readonly value?: readonly [number, string]
      readonly values?: readonly (readonly [number, string])[]
    }[]
  }
}

async function ask(
  view: View,
  path: string,
  times: Readonly<Record<string, string>>,
  expr: string,
): Promise<Series[]> {
  const query = filled(expr, view)
  const body = new URLSearchParams({ ...times, query })
  const res = await fetch(`${view.prometheusUrl}/api/v1/${path}`, { method: 'POST', body })
  const { data, error } = (await res.json()) as Answer
  if (data === undefined) throw new Error(`${query}: ${res.status} ${error ?? ''}`)
  return data.result.map(({ metric, value, values }) => ({
    labels: metric,
    points: (values ?? (value === undefined ? [] : [value])).map(
      ([at, text]) => [at, Number(text)] as const,
    ),
  }))
}
