import type { Panel, ThresholdStep } from '../../../tools/monitoring/dashboards/grafana.ts'

const NAMED: Readonly<Record<string, string>> = {
  green: '#37872d',
  yellow: '#d9a900',
  orange: '#e0752d',
  red: '#c4162a',
  blue: '#1f60c4',
  purple: '#8f3bb8',
  gray: '#8e8e8e',
  text: '#24292e',
}
const CLASSIC = [
  '#73bf69',
  '#f2cc0c',
  '#5794f2',
  '#ff780a',
  '#f2495c',
  '#8ab8ff',
  '#b877d9',
  '#705da0',
  '#37872d',
  '#e0b400',
  '#1f60c4',
  '#fa6400',
]

export function colorOf(name: string): string {
  return NAMED[name] ?? name
}

/** The colour of a threshold that the value has reached. */
export function thresholdColor(value: number, steps: readonly ThresholdStep[]): string {
  const reached = steps.filter((s) => s.value === null || value >= s.value)
  return colorOf(reached.at(-1)?.color ?? 'text')
}

/** What the overrides of the panel say of a series or column of that name. */
export function overridden(panel: Panel, name: string, id: string): unknown {
  const fits = panel.fieldConfig.overrides.filter(({ matcher }) =>
    matcher.id === 'byName' ? matcher.options === name : new RegExp(matcher.options).test(name),
  )
  return fits.flatMap((o) => o.properties).findLast((p) => p.id === id)?.value
}

/** The colour that an override gives the series, else the next of the palette. */
export function seriesColor(panel: Panel, name: string, index: number): string {
  const fixed = overridden(panel, name, 'color') as { fixedColor: string } | undefined
  return fixed === undefined ? CLASSIC[index % CLASSIC.length]! : colorOf(fixed.fixedColor)
}
