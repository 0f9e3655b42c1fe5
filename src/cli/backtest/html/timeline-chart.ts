import type { Report, VolumeReport } from '../report.ts'
import { startOf } from '../types.ts'
import { dayTicks, px } from './axis.ts'
import { escapeHtml } from './escape.ts'

const WIDTH = 1000
const LEFT = 240
const ROW = 18
const BAR = 11
const FOOT = 28
const LONGEST_NAME = 36

/** One bar per volume, coloured by the tier it was on; each change of colour is a move. */
export function timelineChart(report: Report, volumes: readonly VolumeReport[]): string {
  const { setting, hours } = report
  const height = volumes.length * ROW + FOOT
  const x = (hour: number) => LEFT + ((WIDTH - LEFT - 10) * hour) / (hours || 1)
  const rows = volumes.map((v, row) => bars(report, v, row * ROW, x)).join('')
  const days = dayTicks(hours)
    .map(
      (d) =>
        `<line class="grid" x1="${px(x(d * 24))}" x2="${px(x(d * 24))}" y1="0" y2="${height - FOOT + 4}"/><text class="axis" x="${px(x(d * 24))}" y="${height - 8}" text-anchor="middle">day ${d}</text>`,
    )
    .join('')
  return `${tierLegend(setting.tiers.map((t) => t.name))}<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="Tier of each moved volume over time">${days}${rows}</svg>`
}

function bars(report: Report, v: VolumeReport, top: number, x: (hour: number) => number): string {
  const { setting } = report
  const { load, moves } = v
  const hour = (k: number) => k * setting.intervalHours
  const stops = [...moves.map((m) => m.after), load.demand.length]
  const tiers = [startOf(setting, load), ...moves.map((m) => m.to)]
  let from = 0
  const parts = stops.map((to, i) => {
    const tier = tiers[i] ?? 0
    const name = setting.tiers[tier]?.name ?? ''
    const rect = `<rect x="${px(x(hour(from)))}" y="${top + 3}" width="${px(Math.max(0, x(hour(to)) - x(hour(from))))}" height="${BAR}" fill="var(--tier${tier % 5})"><title>${escapeHtml(`${load.id}: ${name} from hour ${hour(from)} to ${hour(to)}`)}</title></rect>`
    from = to
    return rect
  })
  const label = escapeHtml(shortened(load.id, LONGEST_NAME))
  return `<text x="${LEFT - 8}" y="${top + 13}" text-anchor="end">${label}<title>${escapeHtml(load.id)}</title></text>${parts.join('')}`
}

/** Names differ at their end (`production-analytics/events-0`, `…-1`), and begin with the namespace: both stay. */
export function shortened(name: string, most: number): string {
  if (name.length <= most) return name
  const end = Math.ceil((most - 1) * 0.6)
  return `${name.slice(0, most - 1 - end)}…${name.slice(-end)}`
}

/** What the colours of the tiers mean. */
export function tierLegend(names: readonly string[]): string {
  const entries = names.map(
    (name, i) => `<span><i style="background:var(--tier${i % 5})"></i>${escapeHtml(name)}</span>`,
  )
  return `<div class="legend">${entries.join('')}</div>`
}
