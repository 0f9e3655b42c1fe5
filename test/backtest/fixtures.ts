import fc from 'fast-check'
import type { Load, Setting } from '../../src/cli/backtest/types.ts'

/** Tiers of the contract, fastest first. */
export const SETTING: Setting = {
  name: 'test',
  intervalHours: 0.5,
  tiers: [
    { name: 'hot', pricePerGiBMonth: 0.125, limitIops: () => Infinity },
    { name: 'warm', pricePerGiBMonth: 0.08, limitIops: () => 1000 },
    { name: 'cold', pricePerGiBMonth: 0.045, limitIops: () => 250 },
  ],
  startTier: 1,
  money: { rho: 20, muHours: 24, moveCostPerGiB: 0 },
  censored: false,
}

export function loadOf(demand: readonly number[], sizeGiB = 100, id = 'v'): Load {
  return { id, sizeGiB, demand: Float64Array.from(demand) }
}

/** Phases of constant load with noise: the shape that real volumes have. */
export const demands = fc
  .array(
    fc.record({
      length: fc.integer({ min: 1, max: 50 }),
      level: fc.constantFrom(0, 5, 200, 240, 260, 900, 1100, 5000),
      noise: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
    { minLength: 1, maxLength: 8 },
  )
  .map((phases) =>
    phases.flatMap(({ length, level, noise }) =>
      Array.from({ length }, (_, i) => level * (1 + noise * Math.sin(i * 7.3))),
    ),
  )

export const SCENARIO = {
  name: 'small',
  trace: 'trace.csv',
  intervalHours: 0.5,
  repeat: 1,
  tiers: [
    { name: 'cold', pricePerGiBMonth: 0.045, iops: { base: 250 } },
    { name: 'warm', pricePerGiBMonth: 0.08, iops: { base: 1000 } },
    { name: 'hot', pricePerGiBMonth: 0.125, iops: null },
  ],
  startTier: 'warm',
  rho: 20,
  muHours: 24,
  moveCostPerGiB: 0,
  censored: false,
  demandScale: 1,
}

export const HEADER = 'volume,size_gib,window_end_s,window_s,reads,writes'

/** A trace of volumes by name: size, and demand in I/O operations per second. */
export function traceText(
  volumes: Readonly<Record<string, { readonly gib: number; readonly iops: readonly number[] }>>,
): string {
  const lines = Object.entries(volumes).flatMap(([id, { gib, iops }]) =>
    iops.map((x, i) => `${id},${gib},${(i + 1) * 1800},1800,${x * 1200},${x * 600}`),
  )
  return [HEADER, ...lines, ''].join('\n')
}
