import { DATASOURCE, SCHEMA_VERSION } from './grafana.ts'
import type { Annotation, Dashboard, DashboardLink, Panel, Row, Variable } from './grafana.ts'
import { flow } from './layout.ts'
import { panel, sizeOf } from './panels.ts'
import type { PanelSpec } from './panels.ts'
import { DATASOURCE_VARIABLE } from './variables.ts'

/** Each dashboard links to all that have it. */
const TAG = 'couchestor'

export type Section = { readonly title: string; readonly panels: readonly PanelSpec[] }

export type DashboardSpec = {
  /** Stable: links and bookmarks of users contain it. At most 40 characters. */
  readonly uid: string
  readonly title: string
  readonly description: string
  /** Beginning of the time that is shown first, such as `now-7d`. */
  readonly from: string
  readonly refresh: string
  readonly variables: readonly Variable[]
  readonly annotations: readonly Annotation[]
  readonly sections: readonly Section[]
}

/** The dashboard as Grafana reads it. */
export function dashboard(spec: DashboardSpec): Dashboard {
  return {
    id: null,
    uid: spec.uid,
    title: spec.title,
    description: spec.description,
    tags: [TAG],
    schemaVersion: SCHEMA_VERSION,
    version: 1,
    editable: true,
    // one crosshair through all panels
    graphTooltip: 1,
    timezone: 'utc',
    refresh: spec.refresh,
    time: { from: spec.from, to: 'now' },
    timepicker: {},
    fiscalYearStartMonth: 0,
    liveNow: false,
    weekStart: '',
    links: [LINK],
    annotations: { list: [GRAFANAS_OWN, ...spec.annotations] },
    templating: { list: [DATASOURCE_VARIABLE, ...spec.variables] },
    panels: placed(spec.sections),
  }
}

/** An event where the expression is above zero; neighbouring moments become one. */
export function annotation(
  name: string,
  iconColor: string,
  expr: string,
  textFormat: string,
): Annotation {
  return {
    name,
    datasource: DATASOURCE,
    enable: true,
    hide: false,
    iconColor,
    expr,
    step: '',
    titleFormat: name,
    textFormat,
    tagKeys: '',
    useValueForTime: false,
  }
}

const LINK: DashboardLink = {
  title: 'CoucheStor',
  type: 'dashboards',
  tags: [TAG],
  asDropdown: false,
  includeVars: true,
  keepTime: true,
  targetBlank: false,
  icon: 'external link',
  tooltip: '',
  url: '',
}

/** Grafana adds it to a dashboard that lacks it, and then asks whether to save the change. */
const GRAFANAS_OWN: Annotation = {
  name: 'Annotations & Alerts',
  datasource: { type: 'grafana', uid: '-- Grafana --' },
  builtIn: 1,
  type: 'dashboard',
  enable: true,
  hide: true,
  iconColor: 'rgba(0, 211, 255, 1)',
}

function placed(sections: readonly Section[]): (Panel | Row)[] {
  const all: (Panel | Row)[] = []
  let line = 0
  for (const { title, panels } of sections) {
    all.push(row(title, all.length + 1, line))
    const { places, end } = flow(panels.map(sizeOf), line + 1)
    panels.forEach((spec, i) => all.push(panel(spec, all.length + 1, places[i]!)))
    line = end
  }
  return all
}

function row(title: string, id: number, y: number): Row {
  return { id, type: 'row', title, collapsed: false, gridPos: { x: 0, y, w: 24, h: 1 }, panels: [] }
}
