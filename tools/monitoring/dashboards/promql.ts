/** Window of a rate that fits both the scrape interval and the zoom; Grafana fills it in. */
export const RATE = '$__rate_interval'
/** All of the time that the dashboard shows. */
export const RANGE = '$__range'

/** `name{a, b}` of matchers such as `job=~"$job"`; empty ones are left out. */
export function series(name: string, ...matchers: readonly string[]): string {
  return `${name}{${matchers.filter((m) => m !== '').join(', ')}}`
}

/** `sum by (labels) (rate(selector[…]))`: rate before sum, or a restart of one process would hide behind the others. */
export function rateBy(labels: string, selector: string): string {
  return `sum by (${labels}) (rate(${selector}[${RATE}]))`
}

/**
 * By how much counters rose, also those that began within `window`. A counter with labels appears with its first
 * event at 1, which `increase` takes for a beginning and not for a rise: of rare events it would miss most.
 */
export function riseBy(labels: string, selector: string, window: string): string {
  return `sum by (${labels}) ((${selector} unless ${selector} offset ${window}) or increase(${selector}[${window}]))`
}

/** Windows for what happens a few times an hour or a day: over a scrape or two there would mostly be nothing. */
export const HOUR = '1h'
export const DAY = '1d'

/** A quantile over `window` of a histogram of rare events; `name` without the suffix `_bucket`. */
export function rareQuantileBy(
  q: number,
  labels: string,
  window: string,
  name: string,
  ...matchers: string[]
): string {
  const by = labels === '' ? 'le' : `le, ${labels}`
  return `histogram_quantile(${q}, ${riseBy(by, series(`${name}_bucket`, ...matchers), window)})`
}

/** A quantile of a histogram of what happens all the time; `name` without the suffix `_bucket`. */
export function quantileBy(q: number, labels: string, name: string, ...matchers: string[]): string {
  const by = labels === '' ? 'le' : `le, ${labels}`
  return `histogram_quantile(${q}, sum by (${by}) (rate(${series(`${name}_bucket`, ...matchers)}[${RATE}])))`
}

/** Gauges that each replica shows: the highest, since summing would count a fleet once per replica. */
export function maxBy(labels: string, selector: string): string {
  return labels === '' ? `max(${selector})` : `max by (${labels}) (${selector})`
}
