import { DATASOURCE } from './grafana.ts'
import type {
  Color,
  FieldConfig,
  GridPos,
  Link,
  Override,
  Panel,
  PanelKind,
  Target,
  ThresholdStep,
  Transformation,
  Unit,
  ValueMapping,
} from './grafana.ts'

export type Query = {
  readonly expr: string
  /** Grafana's template over labels, such as `{{tier}}`; or a fixed name. */
  readonly legend: string
}

/** What panels of all kinds have. Sizes in grid units: 24 columns, a line is 30 pixels. */
type Common = {
  readonly title: string
  /** What it shows, and what to think of it; the text behind the panel's "i". */
  readonly description: string
  readonly unit: Unit
  readonly width: number
  readonly height?: number
  readonly queries: readonly Query[]
  /** Said in place of a value when no series answers. */
  readonly noData?: string
  readonly decimals?: number
  readonly min?: number
  readonly max?: number
  /** Colours by series name. */
  readonly colors?: Readonly<Record<string, Color>>
  /** Units of single series or columns, by name, with decimals where they matter. */
  readonly units?: Readonly<Record<string, Unit | readonly [Unit, number]>>
}

type Judged = {
  /** The first colour from the beginning, then each from its value up. */
  readonly thresholds?: readonly [Color, ...(readonly [number, Color])[]]
}

export type StatSpec = Common &
  Judged & {
    readonly kind: 'stat'
    /** What numbers stand for. */
    readonly words?: Readonly<Record<number, readonly [text: string, color: Color]>>
    /** Shows the legend, not the value. */
    readonly names?: true
    readonly spark?: true
  }

export type TimeseriesSpec = Common &
  Judged & {
    readonly kind: 'timeseries'
    readonly style?: 'lines' | 'stacked' | 'bars'
    readonly legendAs?: 'table' | 'list'
    /** Series that matches is drawn dashed: a limit rather than a measurement. */
    readonly dashed?: string
    readonly logarithmic?: true
  }

/** A line per series, coloured while it is there. */
export type StatesSpec = Common & { readonly kind: 'state-timeline' }

export type BarsSpec = Common & Judged & { readonly kind: 'bargauge' }

export type TableSpec = Common & {
  readonly kind: 'table'
  /** Labels and values in the order of the columns, with the words above them. `Value` is the number of the query. */
  readonly columns: readonly (readonly [field: string, header: string])[]
  /** Where a click on a column leads. */
  readonly links?: Readonly<Record<string, Link>>
}

export type PanelSpec = StatSpec | TimeseriesSpec | StatesSpec | BarsSpec | TableSpec

const DEFAULT_HEIGHT: Record<PanelKind, number> = {
  stat: 4,
  timeseries: 8,
  bargauge: 8,
  table: 8,
  'state-timeline': 5,
}

export function sizeOf(spec: PanelSpec): { width: number; height: number } {
  return { width: spec.width, height: spec.height ?? DEFAULT_HEIGHT[spec.kind] }
}

/** The panel as Grafana reads it. */
export function panel(spec: PanelSpec, id: number, gridPos: GridPos): Panel {
  return {
    id,
    type: spec.kind,
    title: spec.title,
    description: spec.description,
    gridPos,
    datasource: DATASOURCE,
    targets: spec.queries.map((query, i) => target(spec, query, i)),
    fieldConfig: fieldConfig(spec),
    options: optionsOf(spec),
    transformations: transformationsOf(spec),
  }
}

function target(spec: PanelSpec, { expr, legend }: Query, i: number): Target {
  // the last value of a range would be an old one after the series has ended; only a sparkline needs the range
  const instant =
    spec.kind === 'table' || spec.kind === 'bargauge' || (spec.kind === 'stat' && !spec.spark)
  return {
    refId: String.fromCharCode('A'.charCodeAt(0) + i),
    datasource: DATASOURCE,
    expr,
    legendFormat: legend,
    format: spec.kind === 'table' ? 'table' : 'time_series',
    range: !instant,
    instant,
  }
}

function fieldConfig(spec: PanelSpec): FieldConfig {
  const steps = thresholdSteps(spec)
  return {
    defaults: {
      unit: spec.unit,
      noValue: spec.noData ?? 'no data',
      ...(spec.decimals === undefined ? {} : { decimals: spec.decimals }),
      ...(spec.min === undefined ? {} : { min: spec.min }),
      ...(spec.max === undefined ? {} : { max: spec.max }),
      color: { mode: colorMode(spec) },
      thresholds: { mode: 'absolute', steps },
      mappings: mappingsOf(spec),
      links: [],
      custom: drawing(spec),
    },
    overrides: overridesOf(spec),
  }
}

function thresholdSteps(spec: PanelSpec): ThresholdStep[] {
  const [first, ...more] = ('thresholds' in spec && spec.thresholds) || (['text'] as const)
  return [{ color: first, value: null }, ...more.map(([value, color]) => ({ color, value }))]
}

function colorMode(spec: PanelSpec): FieldConfig['defaults']['color']['mode'] {
  return spec.kind === 'timeseries' || spec.kind === 'state-timeline'
    ? 'palette-classic'
    : 'thresholds'
}

function mappingsOf(spec: PanelSpec): ValueMapping[] {
  if (spec.kind !== 'stat' || spec.words === undefined) return []
  const options = Object.entries(spec.words).map(
    ([value, [text, color]], index) => [value, { text, color, index }] as const,
  )
  return [{ type: 'value', options: Object.fromEntries(options) }]
}

function drawing(spec: PanelSpec): Readonly<Record<string, unknown>> {
  if (spec.kind === 'state-timeline') return { lineWidth: 0, fillOpacity: 70 }
  if (spec.kind !== 'timeseries') return {}
  const { style = 'lines' } = spec
  return {
    drawStyle: style === 'bars' ? 'bars' : 'line',
    lineWidth: 1,
    fillOpacity: { lines: 0, stacked: 40, bars: 80 }[style],
    // a lone point would be invisible as a line
    showPoints: 'auto',
    // a gap is a gap: a line across it would be made up
    spanNulls: false,
    lineInterpolation: 'linear',
    axisSoftMin: 0,
    stacking: { mode: style === 'lines' ? 'none' : 'normal', group: 'A' },
    thresholdsStyle: { mode: spec.thresholds === undefined ? 'off' : 'dashed' },
    scaleDistribution: spec.logarithmic ? { type: 'log', log: 10 } : { type: 'linear' },
  }
}

function overridesOf(spec: PanelSpec): Override[] {
  const byName = (name: string, id: string, value: unknown): Override => ({
    matcher: { id: 'byName', options: name },
    properties: [{ id, value }],
  })
  return [
    ...Object.entries(spec.colors ?? {}).map(([name, fixedColor]) =>
      byName(name, 'color', { mode: 'fixed', fixedColor }),
    ),
    ...Object.entries(spec.units ?? {}).map(([name, unit]) => ({
      matcher: { id: 'byName', options: name } as const,
      properties: unitProperties(unit),
    })),
    ...(spec.kind === 'timeseries' && spec.dashed !== undefined ? [dashed(spec.dashed)] : []),
    ...(spec.kind === 'table' ? tableLinks(spec) : []),
  ]
}

function unitProperties(given: Unit | readonly [Unit, number]): Override['properties'] {
  if (typeof given === 'string') return [{ id: 'unit', value: given }]
  const [unit, decimals] = given
  return [
    { id: 'unit', value: unit },
    { id: 'decimals', value: decimals },
  ]
}

function dashed(pattern: string): Override {
  return {
    matcher: { id: 'byRegexp', options: pattern },
    properties: [
      { id: 'custom.lineStyle', value: { fill: 'dash', dash: [10, 10] } },
      { id: 'custom.fillOpacity', value: 0 },
      { id: 'custom.stacking', value: { mode: 'none', group: 'A' } },
    ],
  }
}

function tableLinks(spec: TableSpec): Override[] {
  return Object.entries(spec.links ?? {}).map(([header, link]) => ({
    matcher: { id: 'byName', options: header },
    properties: [{ id: 'links', value: [link] }],
  }))
}

const LAST_VALUE = { calcs: ['lastNotNull'], fields: '', values: false }

function optionsOf(spec: PanelSpec): Readonly<Record<string, unknown>> {
  switch (spec.kind) {
    case 'stat':
      return {
        reduceOptions: LAST_VALUE,
        colorMode: 'value',
        graphMode: spec.spark ? 'area' : 'none',
        justifyMode: 'auto',
        orientation: 'auto',
        textMode: spec.names ? 'name' : spec.queries.length > 1 ? 'value_and_name' : 'auto',
      }
    case 'bargauge':
      return {
        reduceOptions: LAST_VALUE,
        displayMode: 'basic',
        orientation: 'horizontal',
        showUnfilled: true,
        valueMode: 'color',
        namePlacement: 'left',
        sizing: 'auto',
      }
    case 'timeseries':
      return {
        legend: {
          displayMode: spec.legendAs ?? 'list',
          placement: 'bottom',
          showLegend: true,
          calcs: spec.legendAs === 'table' ? ['lastNotNull', 'max'] : [],
        },
        tooltip: { mode: 'multi', sort: 'desc' },
      }
    case 'state-timeline':
      return {
        mergeValues: true,
        showValue: 'never',
        alignValue: 'left',
        rowHeight: 0.8,
        legend: { displayMode: 'list', placement: 'bottom', showLegend: false, calcs: [] },
        tooltip: { mode: 'single', sort: 'none' },
      }
    case 'table':
      return { showHeader: true, cellHeight: 'sm' }
  }
}

/** A table joins its queries by their labels, keeps the named columns only, and gives them words. */
function transformationsOf(spec: PanelSpec): Transformation[] {
  if (spec.kind !== 'table') return []
  const fields = spec.columns.map(([field]) => field)
  return [
    { id: 'merge', options: {} },
    { id: 'filterFieldsByName', options: { include: { names: fields } } },
    {
      id: 'organize',
      options: {
        indexByName: Object.fromEntries(fields.map((field, i) => [field, i])),
        renameByName: Object.fromEntries(spec.columns),
      },
    },
  ]
}
