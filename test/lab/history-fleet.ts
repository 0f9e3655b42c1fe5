import {
  AGENT_READ_BYTES,
  AGENT_READS,
  AGENT_WRITES,
  AGENT_WRITTEN_BYTES,
} from '../../src/activity/prometheus/presets.ts'
import type { History } from './prometheus.ts'

const HOUR = 3600
const DAY = 24 * HOUR
const STEP = 60

/** A volume of the fleet and the operations per second it does `seconds` after the start; NaN = no agent reports it. */
export type PastVolume = {
  readonly name: string
  readonly sizeGiB: number
  readonly tier: 'hot' | 'warm' | 'cold'
  readonly iops: (seconds: number) => number
  /** Bytes of one operation. */
  readonly bytes: number
}

type Pattern = (n: number) => Omit<PastVolume, 'name' | 'sizeGiB'>

const SMALL = 4096
const hourOf = (seconds: number): number => (seconds % DAY) / HOUR

/** Each has another history; `n` makes no two alike. */
const PATTERNS: Readonly<Record<string, Pattern>> = {
  idle: (n) => ({ tier: 'hot', iops: () => 0.5 + n / 10, bytes: SMALL }),
  busy: (n) => ({ tier: 'cold', iops: () => 2000 + 300 * n, bytes: SMALL }),
  wakes: (n) => ({
    tier: 'cold',
    iops: (s) => (s < (1 + n / 3) * DAY ? 1 : 3000),
    bytes: SMALL,
  }),
  retires: (n) => ({
    tier: 'hot',
    iops: (s) => (s < (0.5 + n / 3) * DAY ? 1500 : 2),
    bytes: SMALL,
  }),
  daily: (n) => ({
    tier: 'warm',
    iops: (s) => (hourOf(s) >= 8 && hourOf(s) < 10 + n ? 600 : 5),
    bytes: SMALL,
  }),
  // few operations, but of 1 MiB each: bytes are demand, too
  sequential: (n) => ({
    tier: 'cold',
    iops: (s) => (s % (2 * HOUR) < HOUR ? 300 + 100 * n : 1),
    bytes: 1 << 20,
  }),
  // hours without numbers must be hours without a decision, for both
  silent: (n) => ({
    tier: 'hot',
    iops: (s) => (hourOf(s) >= 2 * n && hourOf(s) < 2 * n + 6 ? NaN : 3),
    bytes: SMALL,
  }),
}

/** About `count` volumes of every pattern, of 1 to 100 GiB. */
export function pastFleet(count: number): readonly PastVolume[] {
  const names = Object.keys(PATTERNS)
  return Array.from({ length: count }, (_, i) => {
    const pattern = names[i % names.length]!
    const n = Math.floor(i / names.length)
    const sizeGiB = 1 + ((i * 37) % 100)
    return { name: `${pattern}-${n}`, sizeGiB, ...PATTERNS[pattern]!(n) }
  })
}

/** The counters an agent would have shown from `from` to `until` (seconds since 1970), one sample a minute; it restarts once. */
export function countersOf(
  volumeId: string,
  volume: PastVolume,
  from: number,
  until: number,
): readonly History[] {
  const operations: { at: number; value: number }[] = []
  let total = 0
  for (let at = from; at <= until; at += STEP) {
    const iops = volume.iops(at - from)
    // the node was restarted: its counters began again
    if (at - from === 30 * HOUR) total = 0
    total += Number.isNaN(iops) ? 0 : iops * STEP
    if (!Number.isNaN(iops)) operations.push({ at, value: total })
  }
  const metrics = [
    [AGENT_READS, 0.75],
    [AGENT_WRITES, 0.25],
    [AGENT_READ_BYTES, 0.75 * volume.bytes],
    [AGENT_WRITTEN_BYTES, 0.25 * volume.bytes],
  ] as const
  const labels = { volume_id: volumeId, node: 'node-1', device: `vd-${volumeId.slice(0, 8)}` }
  return metrics.map(([name, share]) => ({
    name,
    labels,
    samples: operations.map(({ at, value }) => ({ at, value: Math.round(value * share) })),
  }))
}
