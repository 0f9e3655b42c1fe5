import type { MatrixItem } from './answer.ts'
import type { RawActivity } from './combine.ts'

/** Fewer spacings than this say nothing about the interval. */
const FEWEST_SPACINGS = 3

/**
 * Seconds between two scrapes, from the raw samples of one volume; undefined when there are too few.
 * The lower quartile, not the mean: an outage in the window widens some spacings, and a mean would then call
 * the window complete.
 */
export function scrapeIntervalOf(series: readonly MatrixItem[]): number | undefined {
  const spacings = series
    .flatMap(({ times }) => times.slice(1).map((t, i) => t - times[i]!))
    .filter((s) => s > 0)
    .sort((a, b) => a - b)
  return spacings.length < FEWEST_SPACINGS ? undefined : spacings[Math.floor(spacings.length / 4)]
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
  const counts = [...volumes.values()].map((v) => v.samples).sort((a, b) => a - b)
  if (counts.length === 0) return false
  const most = counts[counts.length - 1]!
  const middle = counts[Math.floor(counts.length / 2)]!
  return most > 1.1 * expectedSamples + 1 || middle < 0.9 * expectedSamples
}
