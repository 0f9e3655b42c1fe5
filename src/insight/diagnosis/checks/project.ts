import type { Facts, FleetClaim } from '../facts.ts'
import { counted, finding, notChecked, ok, some } from '../finding.ts'
import type { Line } from '../finding.ts'

/** Who else uses the OpenStack project. */
export function checkProject({ fleet }: Facts): readonly Line[] {
  if (!fleet.known) return [notChecked('project', 'other clusters in the project', fleet.why)]
  const { claims, clusters, strays } = fleet.value
  const lines: Line[] = [...othersLines(claims)]
  if (clusters.size > 1) {
    const shown = [...clusters].map(([name, n]) => `${name} (${counted(n, 'volume')})`)
    lines.push(finding('SharedProject', `volumes of clusters ${shown.join(', ')}`))
  }
  if (strays.length > 0)
    lines.push(
      finding('StrayVolumes', `${counted(strays.length, 'volume')}: ${some(strays)}`, {
        fix: `compare with the other clusters of the project before deleting any: openstack volume show ${strays[0]}`,
      }),
    )
  return lines.length > 0 ? lines : [ok('no volumes of another cluster')]
}

function othersLines(claims: readonly FleetClaim[]): readonly Line[] {
  const others = claims.filter((c) => c.otherProject !== undefined)
  const [first] = others
  if (first === undefined) return []
  const names = some(others.map((c) => `${c.key} (project ${c.otherProject})`))
  return [
    finding('VolumesOfOtherProject', `${counted(others.length, 'managed claim')}: ${names}`, {
      fix: `openstack application credential create couchestor --role member, as a user of project ${first.otherProject}; put its id and secret into Secret openstack-credentials`,
    }),
  ]
}
