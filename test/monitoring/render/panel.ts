import type { Panel, Unit } from '../../../tools/monitoring/dashboards/grafana.ts'
import { formatted } from './format.ts'
import { graph } from './graph.ts'
import type { Named, Time } from './graph.ts'
import { colorOf, overridden, seriesColor, thresholdColor } from './palette.ts'
import { html } from './text.ts'

type Box = { readonly width: number; readonly height: number }

/** What a panel shows, as HTML of that size; `answers` are the series of each query. */
export function panelBody(panel: Panel, answers: readonly Named[][], time: Time, box: Box): string {
  const series = answers.flat().filter((s) => s.points.some(([, v]) => !Number.isNaN(v)))
  if (series.length === 0)
    return `<div class="none">${html(panel.fieldConfig.defaults.noValue)}</div>`
  switch (panel.type) {
    case 'stat':
      return stat(panel, series)
    case 'bargauge':
      return barGauge(panel, series)
    case 'state-timeline':
      return states(panel, series, time, box)
    case 'table':
      return table(panel, answers)
    case 'timeseries':
      return timeseries(panel, series, time, box)
  }
}

const lastOf = (s: Named) => s.points.findLast(([, v]) => !Number.isNaN(v))?.[1] ?? NaN

function shown(panel: Panel, name: string, value: number): string {
  const { unit, decimals, mappings } = panel.fieldConfig.defaults
  const word = mappings[0]?.options[String(value)]?.text
  const own = overridden(panel, name, 'unit') as Unit | undefined
  const places = overridden(panel, name, 'decimals') as number | undefined
  return word ?? formatted(value, own ?? unit, own === undefined ? decimals : places)
}

function stat(panel: Panel, series: readonly Named[]): string {
  const { thresholds, mappings } = panel.fieldConfig.defaults
  const mode = panel.options['textMode']
  const cells = series.map((s) => {
    const value = lastOf(s)
    const mapped = mappings[0]?.options[String(value)]?.color
    const color = mapped === undefined ? thresholdColor(value, thresholds.steps) : colorOf(mapped)
    const text = mode === 'name' ? s.name : shown(panel, s.name, value)
    const title = mode === 'value_and_name' ? `<small>${html(s.name)}</small>` : ''
    return `<div>${title}<b style="color:${color}">${html(text)}</b></div>`
  })
  return `<div class="stat${series.length > 1 ? ' many' : ''}">${cells.join('')}</div>`
}

function barGauge(panel: Panel, series: readonly Named[]): string {
  const most = Math.max(...series.map(lastOf))
  const rows = series.map((s) => {
    const value = lastOf(s)
    const color = thresholdColor(value, panel.fieldConfig.defaults.thresholds.steps)
    return `<tr><td>${html(s.name)}</td><td class="bar"><div style="width:${(100 * value) / most}%;background:${color}"></div></td><td style="color:${color}">${html(shown(panel, s.name, value))}</td></tr>`
  })
  return `<table class="bars">${rows.join('')}</table>`
}

function timeseries(panel: Panel, series: readonly Named[], time: Time, box: Box): string {
  const wide = series.length > 12 ? series.slice(0, 12) : series
  const legend = wide
    .map(
      (s, i) =>
        `<span><i style="background:${seriesColor(panel, s.name, i)}"></i>${html(s.name)}</span>`,
    )
    .join('')
  const more = series.length > 12 ? `<span>and ${series.length - 12} more</span>` : ''
  const characters = wide.reduce((sum, s) => sum + s.name.length + 5, 0)
  const lines = Math.max(1, Math.ceil((characters * 6.2) / box.width))
  const rest = { width: box.width, height: box.height - 18 * lines }
  return `${graph(panel, series, time, rest)}<div class="legend">${legend}${more}</div>`
}

function states(panel: Panel, series: readonly Named[], time: Time, box: Box): string {
  const left = 90
  const height = Math.min(40, (box.height - 24) / series.length)
  const x = (at: number) =>
    left + ((at - time.from) / (time.to - time.from)) * (box.width - left - 8)
  const rows = series.map((s, i) => {
    const marks = s.points.map(
      ([at]) =>
        `<rect x="${x(at - time.step)}" y="${i * height + 3}" width="${x(at) - x(at - time.step) + 0.5}" height="${height - 6}" fill="${seriesColor(panel, s.name, i)}"/>`,
    )
    return `<text x="${left - 6}" y="${i * height + height / 2 + 4}" text-anchor="end">${html(s.name)}</text>${marks.join('')}`
  })
  return `<svg width="${box.width}" height="${box.height}">${rows.join('')}</svg>`
}

/** The queries joined by the labels they share, as the panel's transformations say. */
function table(panel: Panel, answers: readonly Named[][]): string {
  const organize = panel.transformations.find((t) => t.id === 'organize')!
  const headers = Object.entries(organize.options['renameByName'] as Record<string, string>)
  const many = panel.targets.length > 1
  const rows: Record<string, string | number>[] = []
  for (const [i, series] of answers.entries())
    for (const s of series) {
      const field = many ? `Value #${panel.targets[i]!.refId}` : 'Value'
      const row = rows.find((r) => !(field in r) && joins(r, s.labels))
      const cells = { ...s.labels, [field]: lastOf(s) }
      if (row === undefined) rows.push(cells)
      else Object.assign(row, cells)
    }
  const head = headers.map(([, header]) => `<th>${html(header)}</th>`).join('')
  const body = rows.map((row) => {
    const cells = headers.map(([field, header]) => {
      const value = row[field]
      return `<td>${html(typeof value === 'number' ? shown(panel, header, value) : (value ?? ''))}</td>`
    })
    return `<tr>${cells.join('')}</tr>`
  })
  return `<table class="table"><tr>${head}</tr>${body.join('')}</table>`
}

/** Same values wherever both have the label, and at least one such label. */
function joins(row: Record<string, string | number>, labels: Readonly<Record<string, string>>) {
  const both = Object.keys(labels).filter((label) => label in row)
  return both.length > 0 && both.every((label) => row[label] === labels[label])
}
