/**
 * The part of Grafana's dashboard JSON that we write, as Grafana reads it at SCHEMA_VERSION. Older and newer Grafanas
 * read it too: each migrates from the version that a file names.
 */
export const SCHEMA_VERSION = 39

/** Ids of Grafana's value formats. */
export type Unit =
  | 'none'
  | 'short'
  | 'percentunit'
  | 's'
  | 'bytes'
  | 'gbytes'
  | 'Bps'
  | 'binBps'
  | 'iops'
  | 'ops'
  | 'reqps'
  | 'dateTimeAsIso'
  | 'dateTimeFromNow'
  | 'bool_yes_no'

export type DatasourceRef = { readonly type: 'prometheus'; readonly uid: string }
/** The variable: a file with the uid of somebody's data source works nowhere else. */
export const DATASOURCE: DatasourceRef = { type: 'prometheus', uid: '${datasource}' }

export type Color = 'green' | 'yellow' | 'orange' | 'red' | 'blue' | 'purple' | 'text' | 'gray'

/** The colour from `value` up; `null` = from the beginning. Grafana demands ascending order, the first null. */
export type ThresholdStep = { readonly color: Color; readonly value: number | null }

export type ValueMapping = {
  readonly type: 'value'
  readonly options: Readonly<
    Record<string, { readonly text: string; readonly color: Color; readonly index: number }>
  >
}

export type GridPos = {
  readonly x: number
  readonly y: number
  readonly w: number
  readonly h: number
}

export type Target = {
  readonly refId: string
  readonly datasource: DatasourceRef
  readonly expr: string
  readonly legendFormat: string
  readonly format: 'time_series' | 'table'
  readonly range: boolean
  readonly instant: boolean
}

export type Link = {
  readonly title: string
  readonly url: string
  readonly targetBlank: boolean
}

export type Override = {
  readonly matcher: { readonly id: 'byName' | 'byRegexp'; readonly options: string }
  readonly properties: readonly { readonly id: string; readonly value: unknown }[]
}

export type FieldConfig = {
  readonly defaults: {
    readonly unit: Unit
    readonly noValue: string
    readonly decimals?: number
    readonly min?: number
    readonly max?: number
    readonly color: { readonly mode: 'palette-classic' | 'thresholds' | 'fixed' }
    readonly thresholds: { readonly mode: 'absolute'; readonly steps: readonly ThresholdStep[] }
    readonly mappings: readonly ValueMapping[]
    readonly links: readonly Link[]
    readonly custom: Readonly<Record<string, unknown>>
  }
  readonly overrides: readonly Override[]
}

export type PanelKind = 'stat' | 'timeseries' | 'table' | 'bargauge' | 'state-timeline'

export type Panel = {
  readonly id: number
  readonly type: PanelKind
  readonly title: string
  readonly description: string
  readonly gridPos: GridPos
  readonly datasource: DatasourceRef
  readonly targets: readonly Target[]
  readonly fieldConfig: FieldConfig
  readonly options: Readonly<Record<string, unknown>>
  readonly transformations: readonly Transformation[]
}

export type Transformation = {
  readonly id: string
  readonly options: Readonly<Record<string, unknown>>
}

export type Row = {
  readonly id: number
  readonly type: 'row'
  readonly title: string
  readonly collapsed: boolean
  readonly gridPos: GridPos
  readonly panels: readonly []
}

export type Variable = Readonly<Record<string, unknown>> & {
  readonly name: string
  readonly type: 'datasource' | 'query' | 'textbox'
}

export type Annotation = {
  readonly name: string
  readonly datasource: DatasourceRef | { readonly type: 'grafana'; readonly uid: string }
  readonly enable: boolean
  readonly hide: boolean
  readonly iconColor: string
  readonly builtIn?: 1
  readonly type?: 'dashboard'
  readonly expr?: string
  readonly step?: string
  readonly titleFormat?: string
  readonly textFormat?: string
  readonly tagKeys?: string
  readonly useValueForTime?: boolean
}

export type DashboardLink = {
  readonly title: string
  readonly type: 'dashboards'
  readonly tags: readonly string[]
  readonly asDropdown: boolean
  readonly includeVars: boolean
  readonly keepTime: boolean
  readonly targetBlank: boolean
  readonly icon: string
  readonly tooltip: string
  readonly url: string
}

export type Dashboard = {
  /** Grafana's own database id: none in a file. */
  readonly id: null
  readonly uid: string
  readonly title: string
  readonly description: string
  readonly tags: readonly string[]
  readonly schemaVersion: number
  readonly version: number
  readonly editable: boolean
  readonly graphTooltip: number
  readonly timezone: 'utc'
  readonly refresh: string
  readonly time: { readonly from: string; readonly to: string }
  readonly timepicker: Readonly<Record<string, unknown>>
  readonly fiscalYearStartMonth: number
  readonly liveNow: boolean
  readonly weekStart: string
  readonly links: readonly DashboardLink[]
  readonly annotations: { readonly list: readonly Annotation[] }
  readonly templating: { readonly list: readonly Variable[] }
  readonly panels: readonly (Panel | Row)[]
}
