import type { Facts } from '../facts.ts'
import { finding, notChecked, ok } from '../finding.ts'
import type { Line } from '../finding.ts'

const CODES = { missing: 'CrdMissing', notServed: 'CrdNotServed', stale: 'CrdStale' } as const

/** Whether the definitions in the cluster are those of this version. */
export function checkCrds({ cluster: { crds }, version }: Facts): readonly Line[] {
  if (!crds.known) return [notChecked('crds', 'CustomResourceDefinitions', crds.why)]
  const lines = crds.value.flatMap(({ name, file, state, difference }): Line[] => {
    if (state === 'current') return []
    const detail = difference === undefined ? 'is not installed' : `differs at ${difference}`
    const what = `${name} ${state === 'stale' ? detail : (difference ?? detail)}`
    return [finding(CODES[state], what, { fix: `kubectl apply -f ${file}` })]
  })
  if (lines.length > 0) return lines
  return [ok(`${crds.value.length} CustomResourceDefinitions are those of version ${version}`)]
}
