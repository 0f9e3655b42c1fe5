import type { DiskMeasures, Measure } from './answer.ts'
import { DISK_QUANTITIES } from './metric-names.ts'
import type { DiskQuantity } from './metric-names.ts'

/** All four counters of a disk in one period. A period in which one of them is missing is no sample. */
export type Sample = Readonly<Record<DiskQuantity, number>> & { readonly startSeconds: number }

/** Rises of the counters of one disk within a window. */
export type Usage = {
  readonly operationsPerSecond: number
  readonly bytesPerSecond: number
  /** Steps from one sample to the next that could be used. */
  readonly steps: number
}

export type UsageWindow = {
  readonly startSeconds: number
  readonly endSeconds: number
  /** Periods that start before it may hold another volume's numbers: the device's name was its before. */
  readonly notBeforeSeconds: number
  /** Between two polls. */
  readonly intervalSeconds: number
}

/** One lost poll is bridged, since the counters went on; more is a gap in which anything may have happened. */
const LONGEST_STEP_INTERVALS = 2.5

/** Periods with all four counters, oldest first. */
export function samplesOf(measures: DiskMeasures['measures']): Sample[] {
  const others = DISK_QUANTITIES.slice(1).map((q) => byStart(measures[q]))
  const first = DISK_QUANTITIES[0]!
  return (measures[first] ?? []).flatMap(({ startSeconds, value }) => {
    const values = [value, ...others.map((m) => m.get(startSeconds) ?? Number.NaN)]
    if (!values.every((v) => Number.isFinite(v) && v >= 0)) return []
    const counters = Object.fromEntries(DISK_QUANTITIES.map((q, i) => [q, values[i]]))
    return [{ ...(counters as Record<DiskQuantity, number>), startSeconds }]
  })
}

/**
 * Mean usage over the steps that end in the window; undefined when there is none. A step on which any counter falls is
 * a reset (the server was restarted, or the disk attached again): what happened in it is not known.
 */
export function usageOf(samples: readonly Sample[], window: UsageWindow): Usage | undefined {
  let seconds = 0
  let operations = 0
  let bytes = 0
  let steps = 0
  for (let i = 1; i < samples.length; i += 1) {
    const [before, after] = [samples[i - 1]!, samples[i]!]
    if (!isWithin(before, after, window) || isReset(before, after)) continue
    seconds += after.startSeconds - before.startSeconds
    operations += rise(before, after, 'readRequests') + rise(before, after, 'writeRequests')
    bytes += rise(before, after, 'readBytes') + rise(before, after, 'writeBytes')
    steps += 1
  }
  if (steps === 0) return undefined
  return { operationsPerSecond: operations / seconds, bytesPerSecond: bytes / seconds, steps }
}

function byStart(measures: readonly Measure[] = []): ReadonlyMap<number, number> {
  return new Map(measures.map((m) => [m.startSeconds, m.value]))
}

function isWithin(before: Sample, after: Sample, window: UsageWindow): boolean {
  const step = after.startSeconds - before.startSeconds
  return (
    after.startSeconds >= window.startSeconds &&
    after.startSeconds < window.endSeconds &&
    before.startSeconds >= window.notBeforeSeconds &&
    step <= LONGEST_STEP_INTERVALS * window.intervalSeconds
  )
}

/** Any counter falls from one to the other. */
export function isReset(before: Sample, after: Sample): boolean {
  return DISK_QUANTITIES.some((q) => rise(before, after, q) < 0)
}

function rise(before: Sample, after: Sample, quantity: DiskQuantity): number {
  return after[quantity] - before[quantity]
}
