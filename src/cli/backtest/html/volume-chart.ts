import { path } from '../replay.ts'
import type { Report, VolumeReport } from '../report.ts'
import { startOf } from '../types.ts'
import { dayTicks, px, short } from './axis.ts'
import { escapeHtml } from './escape.ts'

const WIDTH = 500
const HEIGHT = 190
const LEFT = 46
const TOP = 8
const BOTTOM = 40
const BAND = 9
const POINTS = 360

/** Demand of one volume on a logarithmic axis against the limits of the tiers, and the tier it was on below. */
export function volumeChart(report: Report, v: VolumeReport): string {
  const { setting } = report
  const { load } = v
  const peaks = thin(load.demand)
  const limits = setting.tiers.map((t) => t.limitIops(load.sizeGiB)).filter(Number.isFinite)
  const most = Math.max(10, ...peaks.filter(Number.isFinite), ...limits) * 1.3
  const least = Math.max(1, Math.min(most / 2, ...peaks.filter((p) => p > 0), ...limits) / 1.5)
  const y = (iops: number) => {
    const share = Math.log(Math.max(least, iops) / least) / Math.log(most / least)
    return TOP + (HEIGHT - TOP - BOTTOM) * (1 - share)
  }
  const x = (k: number) => LEFT + ((WIDTH - LEFT - 6) * k) / (load.demand.length || 1)
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="Load and tier of ${escapeHtml(load.id)}">${axis(least, most, y)}${demandLine(peaks, load.demand.length, x, y)}${limitLines(report, load.sizeGiB, y)}${tierBand(report, v, x)}${dayMarks(load.demand.length * setting.intervalHours, setting.intervalHours, x)}</svg>`
}

/** The peak of each stretch, so that a burst does not vanish; NaN where nothing was measured. */
function thin(demand: Float64Array): readonly number[] {
  const step = Math.max(1, Math.ceil(demand.length / POINTS))
  return Array.from({ length: Math.ceil(demand.length / step) }, (_, i) => {
    const known = demand.subarray(i * step, (i + 1) * step).filter((v) => !Number.isNaN(v))
    return known.length === 0 ? NaN : Math.max(...known)
  })
}

function axis(least: number, most: number, y: (v: number) => number): string {
  const powers = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000]
  return powers
    .filter((p) => p >= least && p <= most)
    .map(
      (p) =>
        `<line class="grid" x1="${LEFT}" x2="${WIDTH - 6}" y1="${px(y(p))}" y2="${px(y(p))}"/><text class="axis" x="${LEFT - 6}" y="${px(y(p) + 4)}" text-anchor="end">${short(p)}</text>`,
    )
    .join('')
}

function limitLines(report: Report, sizeGiB: number, y: (v: number) => number): string {
  return report.setting.tiers
    .map((t) => ({ name: t.name, limit: t.limitIops(sizeGiB) }))
    .filter((t) => Number.isFinite(t.limit) && t.limit > 0)
    .map(
      (t) =>
        `<line class="limit" x1="${LEFT}" x2="${WIDTH - 6}" y1="${px(y(t.limit))}" y2="${px(y(t.limit))}"/><text class="axis halo" x="${WIDTH - 8}" y="${px(y(t.limit) - 4)}" text-anchor="end">limit of ${escapeHtml(t.name)}</text>`,
    )
    .join('')
}

function demandLine(
  peaks: readonly number[],
  intervals: number,
  x: (k: number) => number,
  y: (v: number) => number,
): string {
  let pen = 'M'
  const parts: string[] = []
  peaks.forEach((peak, i) => {
    if (Number.isNaN(peak)) {
      pen = 'M'
      return
    }
    parts.push(`${pen}${px(x(((i + 0.5) * intervals) / peaks.length))} ${px(y(peak))}`)
    pen = 'L'
  })
  return `<path class="demand" d="${parts.join('')}"/>`
}

function tierBand(report: Report, { load, moves }: VolumeReport, x: (k: number) => number): string {
  const tiers = path(moves, startOf(report.setting, load), load.demand.length)
  const stops = [0, ...moves.map((m) => m.after), load.demand.length]
  return stops
    .slice(1)
    .map((to, i) => {
      const from = stops[i] ?? 0
      const tier = tiers[from] ?? 0
      return `<rect x="${px(x(from))}" y="${HEIGHT - BOTTOM + 6}" width="${px(Math.max(0, x(to) - x(from)))}" height="${BAND}" fill="var(--tier${tier % 5})"><title>${escapeHtml(report.setting.tiers[tier]?.name ?? '')}</title></rect>`
    })
    .join('')
}

function dayMarks(hours: number, intervalHours: number, x: (k: number) => number): string {
  return dayTicks(hours)
    .map(
      (d) =>
        `<text class="axis" x="${px(x((d * 24) / intervalHours))}" y="${HEIGHT - 6}" text-anchor="middle">${d}</text>`,
    )
    .join('')
}
