import type { Unit } from '../../../tools/monitoring/dashboards/grafana.ts'

/** Steps of a unit: each `base` times the one before. */
type Scale = { readonly base: number; readonly steps: readonly string[] }

const counted = (what: string): Scale => ({
  base: 1000,
  steps: ['', 'K', 'M', 'B', 'T'].map((step) => `${step} ${what}`),
})
const binary = (what: string): Scale => ({
  base: 1024,
  steps: ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'].map((step) => ` ${step}${what}`),
})
const SCALES: Partial<Record<Unit, Scale>> = {
  short: { base: 1000, steps: ['', ' K', ' Mil', ' Bil', ' Tri'] },
  bytes: binary(''),
  binBps: binary('/s'),
  iops: counted('io/s'),
  ops: counted('ops/s'),
  reqps: counted('req/s'),
}
/** Each in seconds, the longest first. */
const TIMES: readonly (readonly [number, string])[] = [
  [604_800, ' weeks'],
  [86_400, ' days'],
  [3600, ' hours'],
  [60, ' mins'],
  [1, ' s'],
  [1e-3, ' ms'],
  [1e-6, ' µs'],
]

/** A value as Grafana writes it: three digits, or `decimals`. Times are milliseconds since 1970. */
export function formatted(value: number, unit: Unit, decimals?: number): string {
  if (unit === 'dateTimeAsIso') return new Date(value).toISOString().slice(0, 19).replace('T', ' ')
  if (unit === 'percentunit') return `${digits(value * 100, decimals)}%`
  if (unit === 's') return duration(value, decimals)
  const scale = SCALES[unit]
  if (scale === undefined) return digits(value, decimals)
  let step = 0
  let scaled = value
  while (Math.abs(scaled) >= scale.base && step < scale.steps.length - 1) {
    scaled /= scale.base
    step++
  }
  return `${digits(scaled, decimals)}${scale.steps[step]}`
}

function duration(seconds: number, decimals: number | undefined): string {
  const found = TIMES.find(([length]) => Math.abs(seconds) >= length)
  const [length, word] = found ?? [1, ' s']
  return `${digits(seconds / length, decimals)}${word}`
}

function digits(value: number, decimals: number | undefined): string {
  if (decimals !== undefined) return value.toFixed(decimals)
  if (Number.isInteger(value)) return String(value)
  const places = 2 - Math.floor(Math.log10(Math.abs(value)))
  return value.toFixed(Math.min(Math.max(places, 0), 10))
}
