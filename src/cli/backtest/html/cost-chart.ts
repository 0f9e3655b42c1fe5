import type { Report } from '../report.ts'
import { dayTicks, px, short, ticks } from './axis.ts'
import { escapeHtml } from './escape.ts'

const WIDTH = 1000
const HEIGHT = 340
const LEFT = 60
const RIGHT = 130
const TOP = 14
const BOTTOM = 34
const LABEL_HEIGHT = 15
const FAR_OFF = 4
const HEAD_ROOM = 1.4

/** Cumulative cost of each plan above the exact optimum: where the lines part is where money was won or lost. */
export function costChart(report: Report): string {
  const base = report.curves.find((c) => c.name === 'optimum')?.cumulative ?? []
  const above = report.curves
    .filter((c) => c.name !== 'optimum')
    .map((c) => ({ name: c.name, values: c.cumulative.map((v, i) => v - (base[i] ?? 0)) }))
  const most = top(above)
  const least = Math.min(0, ...above.flatMap((c) => c.values))
  const points = base.length
  const hours = points * report.hoursPerPoint
  const x = (i: number) => LEFT + ((WIDTH - LEFT - RIGHT) * i) / Math.max(1, points)
  const y = (v: number) => TOP + ((HEIGHT - TOP - BOTTOM) * (most - v)) / (most - least || 1)
  const lines = above.map(
    (c, n) =>
      `<polyline class="curve" stroke="var(--plan${n % 5})" points="${px(x(0))},${px(y(0))} ${c.values.map((v, i) => `${px(x(i + 1))},${px(y(v))}`).join(' ')}"><title>${escapeHtml(c.name)}</title></polyline>`,
  )
  const ends = spread(above.map((c) => Math.max(TOP, y(c.values.at(-1) ?? 0))))
  const labels = above.map(
    (c, n) =>
      `<text x="${WIDTH - RIGHT + 8}" y="${px(ends[n]! + 4)}" style="fill:var(--plan${n % 5})">${escapeHtml(c.name)}${(c.values.at(-1) ?? 0) > most ? ` (${short(c.values.at(-1) ?? 0)})` : ''}</text>`,
  )
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="Cumulative cost above the optimum">${grid(most, y)}${days(hours, x, report.hoursPerPoint)}<clipPath id="plot"><rect x="0" y="0" width="${WIDTH}" height="${HEIGHT - BOTTOM + 2}"/></clipPath><g clip-path="url(#plot)">${lines.reverse().join('')}</g>${labels.join('')}</svg>`
}

/** A plan that is far off may leave the chart, so that the others can be distinguished. */
function top(curves: readonly { readonly values: readonly number[] }[]): number {
  const peaks = curves.map((c) => Math.max(0, ...c.values)).toSorted((a, b) => b - a)
  const [highest = 0, second = 0] = peaks
  return second > 0 && highest > FAR_OFF * second ? HEAD_ROOM * second : highest
}

function grid(most: number, y: (v: number) => number): string {
  return ticks(most, 5)
    .map(
      (v) =>
        `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${px(y(v))}" y2="${px(y(v))}"/><text class="axis" x="${LEFT - 8}" y="${px(y(v) + 4)}" text-anchor="end">${short(v)}</text>`,
    )
    .join('')
}

function days(hours: number, x: (i: number) => number, hoursPerPoint: number): string {
  return dayTicks(hours)
    .map(
      (d) =>
        `<text class="axis" x="${px(x((d * 24) / hoursPerPoint))}" y="${HEIGHT - 12}" text-anchor="middle">day ${d}</text>`,
    )
    .join('')
}

/** Pushes labels apart that would cover each other. */
function spread(positions: readonly number[]): readonly number[] {
  const order = positions.map((y, i) => ({ y, i })).toSorted((a, b) => a.y - b.y)
  const placed = new Array<number>(positions.length).fill(0)
  let last = -Infinity
  for (const { y, i } of order) {
    last = Math.max(y, last + LABEL_HEIGHT)
    placed[i] = last
  }
  const over = Math.max(0, last - (HEIGHT - BOTTOM))
  return placed.map((y) => y - over)
}
