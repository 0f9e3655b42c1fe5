import type { TierProblem } from '../../../policy/tier-source.ts'
import type { FindingCode } from '../catalogue.ts'
import type { Facts } from '../facts.ts'
import { finding, notChecked, ok } from '../finding.ts'
import type { Line } from '../finding.ts'
import { configTierProblems, policyTiers, tiersOf } from './policy-tiers.ts'
import type { PolicyTiers } from './policy-tiers.ts'

const CODES: Partial<Record<TierProblem['reason'], FindingCode>> = {
  VolumeTypeNotFound: 'TierTypeMissing',
  VolumeTypeAmbiguous: 'TierTypeAmbiguous',
  SameVolumeType: 'TiersSameType',
  PricesInvalid: 'PricesInvalid',
  NoVolumeType: 'TierTypeUnnamed',
}

/** Whether each tier of each policy has its volume type and its price. */
export function checkTiers(facts: Facts): readonly Line[] {
  const tiers = policyTiers(facts)
  if (!tiers.known) return [notChecked('types', 'tiers of the policies', tiers.why)]
  if (tiers.value.length > 0) return tiers.value.flatMap((t) => linesOf(t))
  const problems = configTierProblems(facts)
  return problems.map((p) => problem('config.yaml', p))
}

function linesOf(tiers: PolicyTiers): readonly Line[] {
  const { name } = tiers.fact.policy.metadata
  const { resolved } = tiers
  if (!resolved.ok) return resolved.problems.map((p) => problem(`policy ${name}`, p))
  const shown = tiersOf(tiers).map((t) => `${t.name} = ${t.typeName}`)
  const prices = resolved.pricesAssumed ? '; prices are assumed (no costPerGiBMonth)' : ''
  return [ok(`policy ${name}: ${shown.join(', ')}${prices}`)]
}

function problem(where: string, { reason, what, fix }: TierProblem): Line {
  return finding(CODES[reason] ?? 'TiersInvalid', `${where}: ${what}`, { fix })
}
