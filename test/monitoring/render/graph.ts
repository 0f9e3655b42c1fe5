import type { Panel, Unit } from '../../../tools/monitoring/dashboards/grafana.ts'
import { formatted } from './format.ts'
import { overridden, seriesColor, thresholdColor } from './palette.ts'
import { html } from './text.ts'

export type Named = {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly points: readonly (readonly [number, number])[]
}

export type Time = { readonly from: number; readonly to: number; readonly step: number }
type Box = { readonly width: number; readonly height: number }

const MARGIN = { left: 74, right: 10, top: 6, bottom: 20 }

/** A graph of the series, in SVG: lines, stacked areas or bars as the panel says, with its thresholds. */
export function graph(panel: Panel, series: readonly Named[], time: Time, box: Box): string {
  const { defaults } = panel.fieldConfig
  const custom = defaults.custom as { drawStyle: string; stacking: { mode: string } }
  const stacked = custom.stacking.mode === 'normal'
  const bases = new Map<number, number>()
  const layers = series.map((s, i) => {
    const alone = !stacked || isDashed(panel, s.name)
    const points = s.points
      .filter(([, v]) => Number.isFinite(v))
      .map(([at, value]) => {
        const base = alone ? 0 : (bases.get(at) ?? 0)
        if (!alone) bases.set(at, base + value)
        return { at, base, top: base + value }
      })
    return { name: s.name, color: seriesColor(panel, s.name, i), points, alone }
  })
  const tops = layers.flatMap((l) => l.points.map((p) => p.top))
  const limits = defaults.thresholds.steps.flatMap((s) => s.value ?? [])
  const shown = thresholdsShown(panel) ? limits.filter((v) => v < 3 * Math.max(...tops)) : []
  const scale = scaleOf([...tops, ...shown], defaults)
  const x = (at: number) =>
    MARGIN.left +
    ((at - time.from) / (time.to - time.from)) * (box.width - MARGIN.left - MARGIN.right)
  const y = (value: number) =>
    MARGIN.top +
    (1 - (value - scale.low) / (scale.high - scale.low)) * (box.height - MARGIN.top - MARGIN.bottom)
  const drawn = layers.map((layer) => {
    if (custom.drawStyle === 'bars') return bars(layer, x, y, time)
    return lines(panel, layer, x, y, time)
  })
  const dashes = shown.map((value) => {
    const color = thresholdColor(value, defaults.thresholds.steps)
    return `<line x1="${MARGIN.left}" x2="${box.width - MARGIN.right}" y1="${y(value)}" y2="${y(value)}" stroke="${color}" stroke-dasharray="6 4"/>`
  })
  return `<svg width="${box.width}" height="${box.height}">${axes(scale, time, box, x, y, defaults.unit, defaults.decimals)}${drawn.join('')}${dashes.join('')}</svg>`
}

type Layer = {
  readonly name: string
  readonly color: string
  readonly alone: boolean
  readonly points: readonly { at: number; base: number; top: number }[]
}
type Place = (value: number) => number

function lines(panel: Panel, layer: Layer, x: Place, y: Place, time: Time): string {
  const dash = isDashed(panel, layer.name) ? ' stroke-dasharray="7 5"' : ''
  return runs(layer.points, time.step)
    .map((run) => {
      if (run.length === 1)
        return `<circle cx="${x(run[0]!.at)}" cy="${y(run[0]!.top)}" r="2" fill="${layer.color}"/>`
      const path = run.map((p) => `${x(p.at).toFixed(1)},${y(p.top).toFixed(1)}`)
      const under = run.toReversed().map((p) => `${x(p.at).toFixed(1)},${y(p.base).toFixed(1)}`)
      const fill = layer.alone
        ? ''
        : `<polygon points="${[...path, ...under].join(' ')}" fill="${layer.color}" fill-opacity="0.4"/>`
      return `${fill}<polyline points="${path.join(' ')}" fill="none" stroke="${layer.color}" stroke-width="1.6"${dash}/>`
    })
    .join('')
}

function bars(layer: Layer, x: Place, y: Place, time: Time): string {
  const width = Math.max(x(time.from + time.step) - x(time.from) - 1, 1.5)
  return layer.points
    .filter((p) => p.top > p.base)
    .map(
      (p) =>
        `<rect x="${x(p.at) - width}" y="${y(p.top)}" width="${width}" height="${y(p.base) - y(p.top)}" fill="${layer.color}"/>`,
    )
    .join('')
}

/** Where a point is missing the line ends, and a new one begins. */
function runs<T extends { at: number }>(points: readonly T[], step: number): T[][] {
  const all: T[][] = []
  for (const point of points) {
    const last = all.at(-1)?.at(-1)
    if (last === undefined || point.at - last.at > 1.5 * step) all.push([])
    all.at(-1)!.push(point)
  }
  return all
}

function isDashed(panel: Panel, name: string): boolean {
  return overridden(panel, name, 'custom.lineStyle') !== undefined
}

function thresholdsShown(panel: Panel): boolean {
  const { mode } = panel.fieldConfig.defaults.custom['thresholdsStyle'] as { mode: string }
  return mode !== 'off'
}

/** The next of 1, 2, 5 and their tens. */
function round(raw: number): number {
  const power = 10 ** Math.floor(Math.log10(raw))
  return power * [1, 2, 5, 10].find((m) => m * power >= raw)!
}

type Axis = { readonly low: number; readonly high: number; readonly ticks: readonly number[] }

/** Zero and the highest value, with round steps between them. */
function scaleOf(
  values: readonly number[],
  { min, max, unit }: Panel['fieldConfig']['defaults'],
): Axis {
  const top = max ?? Math.max(0, ...values)
  const bottom = min ?? Math.min(0, ...values)
  const span = top - bottom || 1
  const raw = span / 4
  const step = unit === 'bytes' || unit === 'binBps' ? 2 ** Math.ceil(Math.log2(raw)) : round(raw)
  const low = Math.floor(bottom / step) * step
  const high = max ?? low + Math.ceil((top - low || span) / step) * step
  const ticks = Array.from(
    { length: Math.floor((high - low) / step + 1.001) },
    (_, i) => low + i * step,
  )
  return { low, high, ticks }
}

function axes(
  { ticks }: Axis,
  time: Time,
  box: Box,
  x: Place,
  y: Place,
  unit: Unit,
  decimals: number | undefined,
): string {
  const rows = ticks.map((value) => {
    const at = y(value).toFixed(1)
    const text = formatted(Number(value.toPrecision(12)), unit, decimals)
    return `<line x1="${MARGIN.left}" x2="${box.width - MARGIN.right}" y1="${at}" y2="${at}" stroke="#e3e5e8"/><text x="${MARGIN.left - 6}" y="${Number(at) + 4}" text-anchor="end">${html(text)}</text>`
  })
  const every = niceSeconds((time.to - time.from) / 6)
  const columns: string[] = []
  for (let at = Math.ceil(time.from / every) * every; at < time.to; at += every)
    columns.push(
      `<line x1="${x(at)}" x2="${x(at)}" y1="${MARGIN.top}" y2="${box.height - MARGIN.bottom}" stroke="#eef0f2"/>${x(at) > box.width - 28 ? '' : `<text x="${x(at)}" y="${box.height - 5}" text-anchor="middle">${clock(at, every)}</text>`}`,
    )
  return [...rows, ...columns].join('')
}

function niceSeconds(least: number): number {
  const nice = [30, 60, 120, 300, 600, 1800, 3600, 10_800, 21_600, 43_200, 86_400, 172_800]
  return nice.find((s) => s >= least) ?? 604_800
}

function clock(at: number, every: number): string {
  const text = new Date(at * 1000).toISOString()
  return every >= 43_200 ? text.slice(5, 10) : text.slice(11, every < 60 ? 19 : 16)
}
