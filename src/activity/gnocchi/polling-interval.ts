import type { Sample } from './usage.ts'

/** Fewer spacings than this say nothing about the interval. */
const FEWEST_SPACINGS = 3

/**
 * Seconds between two polls of the fleet's disks, undefined when there are too few samples. The lower quartile, not the
 * mean: lost polls widen some spacings, and a mean would then call the window complete.
 */
export function pollingIntervalOf(disks: Iterable<readonly Sample[]>): number | undefined {
  // counted, not sorted: a fleet has hundreds of thousands of spacings, of a few lengths
  const counts = new Map<number, number>()
  let all = 0
  for (const samples of disks)
    for (let i = 1; i < samples.length; i += 1) {
      const spacing = samples[i]!.startSeconds - samples[i - 1]!.startSeconds
      counts.set(spacing, (counts.get(spacing) ?? 0) + 1)
      all += 1
    }
  if (all < FEWEST_SPACINGS) return undefined
  let passed = 0
  const lengths = [...counts.keys()].sort((a, b) => a - b)
  return lengths.find((length) => (passed += counts.get(length)!) > Math.floor(all / 4))
}
