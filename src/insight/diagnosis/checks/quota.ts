import type { Facts } from '../facts.ts'
import { finding, notChecked, ok } from '../finding.ts'
import type { Line } from '../finding.ts'
import { policyTiers, tiersOf } from './policy-tiers.ts'
import { shellWord } from '../../../shell.ts'

const TIGHT = 0.1
const UNLIMITED = -1

/** Room that Cinder still gives to the project on each tier, and whether a move can ask for it. */
export function checkQuota(facts: Facts): readonly Line[] {
  return [...zonesLine(facts), ...roomLines(facts)]
}

/** Where Cinder does not answer at all, its own check says so. */
function zonesLine({ cloud: { zones, quota } }: Facts): readonly Line[] {
  if (zones === undefined || zones.known || (!quota.known && quota.why === zones.why)) return []
  const why = `${zones.why}; moves go on without it, and Cinder refuses what does not fit`
  return [notChecked('quota', 'availability zones', why)]
}

function roomLines(facts: Facts): readonly Line[] {
  const { quota, login } = facts.cloud
  const policies = policyTiers(facts)
  if (!quota.known) return [notChecked('quota', 'quota', quota.why)]
  if (!policies.known) return [notChecked('quota', 'quota of the tiers', policies.why)]
  const names = [...new Set(policies.value.flatMap((p) => tiersOf(p).map((t) => t.typeName)))]
  const project = login.known ? login.value.project.name : '<project>'
  const lines = names.flatMap((type) =>
    (['gigabytes', 'volumes'] as const).flatMap((unit): Line[] => {
      const line = quota.value.get(`${unit}_${type}`)
      if (line === undefined || line.limit === UNLIMITED) return []
      const used = line.inUse + line.reserved
      const free = line.limit - used
      const text = `${unit}_${type}: ${used} of ${line.limit} used`
      const fix = `openstack quota set --volume-type ${shellWord(type)} --${unit} ${Math.max(10, 2 * line.limit, 2 * used)} ${project}, by an administrator`
      if (free < 1) return [finding('QuotaFull', text, { fix })]
      return free < line.limit * TIGHT ? [finding('QuotaTight', text, { fix })] : [ok(text)]
    }),
  )
  return lines.length > 0 ? lines : [ok('no quota limits a tier')]
}
