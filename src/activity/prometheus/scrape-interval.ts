import type { MatrixItem } from './answer.ts'
import type { RawActivity } from './combine.ts'

/** Fewer spacings than this say nothing about the interval. */
const FEWEST_SPACINGS = 3

/**
 * Seconds between two scrapes, from the raw samples of one volume; undefined when there are too few.
 * The lower quartile, not the mean: an outage in the window widens some spacings, and a mean would then call
 * the window complete. Half of two spacings, not one: where two servers write into one series their samples come in
 * pairs, and the moment within a pair would make every window look empty.
 */
export function scrapeIntervalOf(series: readonly MatrixItem[]): number | undefined {
  const all = series.map(({ times }) => [...new Set(times)])
  const spacings = all.reduce((sum, times) => sum + Math.max(0, times.length - 1), 0)
  if (spacings < FEWEST_SPACINGS) return undefined
  const halves = all
    .flatMap((times) => times.slice(2).map((t, i) => (t - times[i]!) / 2))
    .sort((a, b) => a - b)
  return halves[Math.floor(halves.length / 4)]
}

/** The label of the volume with the most samples: the best one to measure the interval on. */
export function bestCovered(volumes: ReadonlyMap<string, RawActivity>): string | undefined {
  let best: RawActivity | undefined
  for (const raw of volumes.values())
    if (best === undefined || raw.samples > best.samples) best = raw
  return best?.label
}

/** True when the fleet's sample counts contradict the interval, so that it should be measured again. */
export function contradicts(
  volumes: ReadonlyMap<string, RawActivity>,
  expectedSamples: number,
): boolean {
  const counts = sampleCounts(volumes)
  if (counts.length === 0) return false
  const most = counts[counts.length - 1]!
  const middle = counts[Math.floor(counts.length / 2)]!
  return isMore(most, expectedSamples) || middle < 0.9 * expectedSamples
}

/** What to say of an interval that is set and longer than most volumes': what is missing between would not be missed. */
export function tooLong(
  volumes: ReadonlyMap<string, RawActivity>,
  windowSeconds: number,
  interval: number,
): readonly string[] {
  const counts = sampleCounts(volumes)
  const middle = counts[Math.floor(counts.length / 2)] ?? 0
  if (!isMore(middle, windowSeconds / interval)) return []
  const seen = Math.round(windowSeconds / middle)
  return [
    `prometheus.scrape_interval is ${interval} s, but half of the volumes have a sample every ${seen} s or more often: gaps in their numbers are not seen; set it to the time between two scrapes`,
  ]
}

function sampleCounts(volumes: ReadonlyMap<string, RawActivity>): number[] {
  return [...volumes.values()].map((v) => v.samples).sort((a, b) => a - b)
}

/** By more than scrapes that fall just inside the window. */
function isMore(samples: number, expectedSamples: number): boolean {
  return samples > 1.1 * expectedSamples + 1
}
