import { FLEET } from './fleet/fleet.ts'
import type { Dashboard } from './grafana.ts'
import { OPERATIONS } from './operations/operations.ts'
import { VOLUME } from './volume/volume.ts'

/** Where the chart has them; each file is named after the uid. */
const FOLDER = 'charts/couchestor/files/dashboards'

export const DASHBOARDS: readonly Dashboard[] = [FLEET, OPERATIONS, VOLUME]

/** The files of the dashboards, by their path in the repository. */
export function dashboardFiles(): ReadonlyMap<string, string> {
  return new Map(
    DASHBOARDS.map((d) => [`${FOLDER}/${d.uid}.json`, `${JSON.stringify(d, undefined, 2)}\n`]),
  )
}
