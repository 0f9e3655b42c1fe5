import type { Sample } from './usage.ts'

/** Fewer spacings than this say nothing about the interval. */
const FEWEST_SPACINGS = 3

/**
 * Seconds between two polls of the fleet's disks, undefined when there are too few samples. The lower quartile, not the
 * mean: lost polls widen some spacings, and a mean would then call the window complete.
 */
export function pollingIntervalOf(disks: Iterable<readonly Sample[]>): number | undefined {
  const spacings: number[] = []
  for (const samples of disks)
    for (let i = 1; i < samples.length; i += 1)
      spacings.push(samples[i]!.startSeconds - samples[i - 1]!.startSeconds)
  if (spacings.length < FEWEST_SPACINGS) return undefined
  return spacings.sort((a, b) => a - b)[Math.floor(spacings.length / 4)]
}
