import type { Facts, PoolFact, TypeFact } from '../facts.ts'
import { counted, finding, ok, some } from '../finding.ts'
import type { Line } from '../finding.ts'
import { policyTiers, tiersOf, typesInUse } from './policy-tiers.ts'
import { shellWord } from '../../../shell.ts'

const DAY = 86_400_000
const BACKEND = 'volume_backend_name'
const ZONES = 'RESKEY:availability_zones'
/** What Cinder shows to everybody. */
const PUBLIC_SPECS: ReadonlySet<string> = new Set([ZONES, 'multiattach', 'replication_enabled'])
/** Of the guide: harmful on every real backend. */
const GUIDE_SPEC = 'couchestor_tier'

/** What stands behind the types: extra specs, backends, access, zones, and whether creating works. */
export function checkTypes(facts: Facts): readonly Line[] {
  const { types, pools } = facts.cloud
  if (!types.known) return []
  const used = typesInUse(facts)
  const specsSeen = seesSpecs(facts)
  return [
    ...(specsSeen ? specLines(used, pools.known ? pools.value : undefined) : hidden(used)),
    ...(specsSeen ? sharedBackends(facts) : []),
    ...used
      .filter((t) => t.accessible === false)
      .map((t) =>
        finding('TypeNoAccess', `volume type "${t.name}" is private`, accessFix(facts, t)),
      ),
    ...zoneLines(facts),
    ...creationLines(facts),
  ]
}

/** Cinder leaves out what one may not see, so that only seeing something proves that one sees. */
function seesSpecs({ cloud: { types, pools } }: Facts): boolean {
  if (pools.known) return true
  return (
    types.known &&
    types.value.some((t) => Object.keys(t.extraSpecs).some((key) => !PUBLIC_SPECS.has(key)))
  )
}

function hidden(used: readonly TypeFact[]): readonly Line[] {
  if (used.length === 0) return []
  return [finding('SpecsHidden', `extra specs and backends of ${some(used.map((t) => t.name))}`)]
}

function specLines(
  used: readonly TypeFact[],
  pools: readonly PoolFact[] | undefined,
): readonly Line[] {
  const found = used.flatMap((type) =>
    Object.entries(type.extraSpecs).flatMap(([key, value]): Line[] => {
      if (key === BACKEND) return backendLines(type, value, pools)
      if (!isHarmful(key, pools)) return []
      return [
        finding('SpecUnscoped', `volume type "${type.name}" has the extra spec ${key}=${value}`, {
          fix: `openstack volume type unset --property ${key} ${shellWord(type.name)}, by an administrator; with a scope it does no harm: openstack volume type set --property couchestor:tier=${value} ${shellWord(type.name)}`,
        }),
      ]
    }),
  )
  if (found.length > 0) return found
  return [ok(`extra specs of ${counted(used.length, 'volume type')} do no harm`)]
}

function isHarmful(key: string, pools: readonly PoolFact[] | undefined): boolean {
  if (key.includes(':')) return false
  if (pools === undefined || pools.length === 0) return key === GUIDE_SPEC
  return !pools.some((p) => p.capabilities.includes(key))
}

function backendLines(
  type: TypeFact,
  backend: string,
  pools: readonly PoolFact[] | undefined,
): Line[] {
  if (pools === undefined || pools.length === 0) return []
  if (pools.some((p) => p.backend === backend)) return []
  return [
    finding('BackendMissing', `volume type "${type.name}" has volume_backend_name=${backend}`, {
      fix: `openstack volume type set --property volume_backend_name=<one of ${[...new Set(pools.map((p) => p.backend))].join(', ')}> ${shellWord(type.name)}`,
    }),
  ]
}

function sharedBackends(facts: Facts): readonly Line[] {
  const policies = policyTiers(facts)
  const { types } = facts.cloud
  if (!policies.known || !types.known) return []
  const specs = new Map(types.value.map((t) => [t.id, t.extraSpecs[BACKEND]]))
  return policies.value.flatMap((p) => {
    const tiers = tiersOf(p)
    const groups = Map.groupBy(tiers, (t) => specs.get(t.typeId))
    return [...groups].flatMap(([backend, on]): Line[] =>
      backend === undefined || on.length < 2
        ? []
        : [
            finding(
              'TiersShareBackend',
              `policy ${p.fact.policy.metadata.name}: tiers ${on.map((t) => t.name).join(' and ')} both lie on backend ${backend}`,
            ),
          ],
    )
  })
}

function accessFix({ cloud: { login } }: Facts, type: TypeFact) {
  const project = login.known ? login.value.project.id : '<project>'
  return { fix: `openstack volume type set --project ${project} ${shellWord(type.name)}` }
}

/** Members see this spec too. */
function zoneLines(facts: Facts): readonly Line[] {
  const policies = policyTiers(facts)
  const { types } = facts.cloud
  if (!policies.known || !types.known || !facts.fleet.known) return []
  const specs = new Map(types.value.map((t) => [t.id, t.extraSpecs[ZONES]]))
  const { claims } = facts.fleet.value
  return policies.value.flatMap((p) => {
    const { name } = p.fact.policy.metadata
    const own = claims.flatMap((c) => (c.policy === name && c.volume ? [c.volume.zone] : []))
    const zones = [...new Set(own)]
    return tiersOf(p).flatMap((tier): Line[] => {
      const allowed = specs
        .get(tier.typeId)
        ?.split(',')
        .map((z) => z.trim())
      const outside = allowed === undefined ? [] : zones.filter((z) => !allowed.includes(z))
      if (outside.length === 0) return []
      return [
        finding(
          'TypeZones',
          `policy ${name}: tier ${tier.name} (${tier.typeName}) is for zone ${allowed?.join(', ')}, managed volumes lie in ${outside.join(', ')} too`,
          {
            fix: `openstack volume type set --property ${ZONES}=${[...(allowed ?? []), ...outside].join(',')} ${shellWord(tier.typeName)}, by an administrator`,
          },
        ),
      ]
    })
  })
}

/**
 * A failed create leaves a message that members see. Cinder shows those of other projects too, so that only volumes that
 * the project still has count.
 */
function creationLines(facts: Facts): readonly Line[] {
  const { noBackend } = facts.cloud
  if (!noBackend.known || !facts.fleet.known) return []
  const { typeOfVolume } = facts.fleet.value
  const used = new Map(typesInUse(facts).map((t) => [t.id, t.name]))
  const ours = noBackend.value.flatMap(({ volumeId, at }) => {
    const type = used.get(typeOfVolume.get(volumeId) ?? '')
    return type === undefined || facts.now - at > DAY ? [] : [{ at, type, volumeId }]
  })
  if (ours.length === 0) return [ok('no create failed for want of a backend within a day')]
  const last = new Date(Math.max(...ours.map((m) => m.at))).toISOString()
  const types = [...new Set(ours.map((m) => m.type))]
  const volumes = [...new Set(ours.map((m) => m.volumeId))]
  return [
    finding(
      'CreateFails',
      `the scheduler of Cinder found no backend for ${counted(volumes.length, 'volume')} of type ${some(types)} within a day, last at ${last}: ${some(volumes)}`,
      {
        fix: `let an administrator check the extra specs of the type (openstack volume type show ${types[0]}) and the pools (cinder get-pools --detail)`,
      },
    ),
  ]
}
