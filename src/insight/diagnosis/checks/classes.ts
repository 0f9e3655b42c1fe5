import { CINDER_DRIVER, CINDER_PROVISIONERS } from '../../../api/names.ts'
import type { ClassFact, Facts } from '../facts.ts'
import { counted, finding, notChecked, ok, some } from '../finding.ts'
import type { Line } from '../finding.ts'
import { policyTiers, tiersOf } from './policy-tiers.ts'

/** The driver, the StorageClasses of the tiers, and one for restores. */
export function checkClasses(facts: Facts): readonly Line[] {
  const { classes } = facts.cluster
  if (!classes.known) return [notChecked('csi', 'StorageClasses', classes.why)]
  return [
    ...driverLines(facts, classes.value),
    ...tierClassLines(facts, classes.value),
    ...restoreLines(facts, classes.value),
  ]
}

function driverLines(
  { cluster: { drivers } }: Facts,
  classes: readonly ClassFact[],
): readonly Line[] {
  const own = classes.filter((c) => CINDER_PROVISIONERS.includes(c.provisioner))
  const there = drivers.known ? drivers.value.includes(CINDER_DRIVER) : own.length > 0
  if (!there) {
    const seen = drivers.known ? drivers.value.join(', ') || 'none' : 'not listed'
    return [finding('CsiDriverMissing', `no CSIDriver ${CINDER_DRIVER} (drivers: ${seen})`)]
  }
  const names = own.map((c) => `${c.name} = ${c.type ?? 'no type'}`)
  return [
    ok(
      `driver ${CINDER_DRIVER}, ${counted(own.length, 'StorageClass').replace(/Classs$/, 'Classes')}: ${names.join(', ')}`,
    ),
  ]
}

function tierClassLines(facts: Facts, classes: readonly ClassFact[]): readonly Line[] {
  const policies = policyTiers(facts)
  if (!policies.known) return []
  const byName = new Map(classes.map((c) => [c.name, c]))
  return policies.value.flatMap((p) =>
    tiersOf(p).flatMap((tier): Line[] => {
      if (tier.storageClass === undefined) return []
      const where = `policy ${p.fact.policy.metadata.name}, tier ${tier.name}`
      const found = byName.get(tier.storageClass)
      if (found === undefined)
        return [
          finding('TierClassMissing', `${where}: no StorageClass "${tier.storageClass}"`, {
            fix: `create StorageClass ${tier.storageClass} (provisioner ${CINDER_DRIVER}, parameters.type: ${tier.typeName}), or correct tiers[].storageClass`,
          }),
        ]
      if (!CINDER_PROVISIONERS.includes(found.provisioner))
        return [
          finding(
            'TierClassOtherDriver',
            `${where}: StorageClass "${found.name}" has provisioner ${found.provisioner}`,
          ),
        ]
      if (found.type === undefined || [tier.typeName, tier.typeId].includes(found.type)) return []
      return [
        finding(
          'TierClassOtherType',
          `${where}: StorageClass "${found.name}" makes volumes of type ${found.type}, the tier is ${tier.typeName}`,
        ),
      ]
    }),
  )
}

/** A claim keeps its StorageClass for ever, while its volume moves: restoring with that class then fails. */
function restoreLines(
  { fleet, cluster, cloud }: Facts,
  classes: readonly ClassFact[],
): readonly Line[] {
  const untyped = classes.filter(
    (c) => CINDER_PROVISIONERS.includes(c.provisioner) && c.type === undefined,
  )
  const moved =
    fleet.known && cloud.types.known
      ? movedAway(fleet.value.claims, classes, cloud.types.value)
      : []
  const what = `${counted(moved.length, 'claim')} with a StorageClass that no longer matches the tier`
  if (untyped.length > 0)
    return [ok(`restores: StorageClass ${untyped[0]?.name} has no type; ${what}`)]
  if (moved.length > 0) return [finding('RestoreFails', `${what}: ${some(moved)}`)]
  const willMove =
    cluster.policies.known && cluster.policies.value.some((p) => p.effective.mode !== 'Observe')
  return willMove
    ? [
        finding(
          'RestoreClassMissing',
          `no StorageClass of ${CINDER_DRIVER} is without parameters.type`,
        ),
      ]
    : []
}

type Claims = Extract<Facts['fleet'], { known: true }>['value']['claims']

function movedAway(
  claims: Claims,
  classes: readonly ClassFact[],
  types: readonly { readonly id: string; readonly name: string }[],
): readonly string[] {
  const typeIds = new Map(types.flatMap((t) => [[t.name, t.id] as const, [t.id, t.id] as const]))
  const wanted = new Map(classes.map((c) => [c.name, typeIds.get(c.type ?? '')]))
  return claims
    .filter(({ volume, storageClass }) => {
      const type = wanted.get(storageClass)
      return volume !== undefined && type !== undefined && type !== volume.typeId
    })
    .map((c) => c.key)
}
