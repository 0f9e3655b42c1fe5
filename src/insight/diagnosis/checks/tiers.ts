import type { FindingCode } from '../catalogue.ts'
import type { Facts } from '../facts.ts'
import { finding, notChecked, ok, splitFix } from '../finding.ts'
import type { Line } from '../finding.ts'
import { configTierProblems, policyTiers, tiersOf } from './policy-tiers.ts'
import type { PolicyTiers } from './policy-tiers.ts'

const BY_TEXT: readonly (readonly [RegExp, FindingCode])[] = [
  [/Cinder knows no volume type/, 'TierTypeMissing'],
  [/volume types are named/, 'TierTypeAmbiguous'],
  [/both have volume type/, 'TiersSameType'],
  [/costPerGiBMonth/, 'PricesInvalid'],
  [/no volume type is given|no StorageClass|has no parameters\.type/, 'TierTypeUnnamed'],
]

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

function problem(where: string, message: string): Line {
  const code = BY_TEXT.find(([text]) => text.test(message))?.[1] ?? 'TiersInvalid'
  const { what, fix } = splitFix(message)
  return finding(code, `${where}: ${what}`, { fix: fix ?? undefined })
}
