/** Prometheus' own default, for those who do not say. */
const DEFAULT_SECONDS = 10
/** For rendering, and for the way back. */
const RESERVE_MS = 500
const LEAST_MS = 500

/** Milliseconds that a scrape may take, from Prometheus' header X-Prometheus-Scrape-Timeout-Seconds. */
export function scrapeTimeoutMs(header: string | undefined): number {
  const asked = Number(header ?? Number.NaN)
  const seconds = Number.isFinite(asked) && asked > 0 ? asked : DEFAULT_SECONDS
  return Math.max(LEAST_MS, seconds * 1000 - RESERVE_MS)
}
