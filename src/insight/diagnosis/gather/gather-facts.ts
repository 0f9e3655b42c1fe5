import type { SourceName } from '../../../api/names.ts'
import { messageOf } from '../../../errors.ts'
import { following, known, unknown, valueOf } from '../fact.ts'
import type { Fact } from '../fact.ts'
import type { ClockFact, ClusterFacts, ConfigFacts, Facts, Fleet } from '../facts.ts'
import type { DoctorDeps, PrometheusConnection } from '../deps.ts'
import { gatherCloud } from './cloud.ts'
import { gatherCluster } from './cluster.ts'
import { gatherFleet } from './fleet.ts'
import { gatherMetrics } from './metrics.ts'
import type { Asked } from './metrics.ts'
import { gatherReplacements } from './replacements.ts'
import { claimsOfPolicy, ofPolicy } from './narrow.ts'

/** Longest window that is asked for; volumes attached since would look uncovered in a longer one. */
const WINDOW_SECONDS = 1800

/**
 * Reads everything, in parallel where one thing does not need another. The number of requests does
 * not depend on the size of the fleet, but for the pages of lists. Throws `UserError` for a policy that is not there only.
 */
export async function gatherFacts(deps: DoctorDeps, config: ConfigFacts): Promise<Facts> {
  const now = deps.clock.now()
  const clocks: ClockFact[] = []
  const note = (service: ClockFact['service'], skews: ReadonlyMap<string, number>) => {
    for (const [at, aheadMs] of skews) clocks.push({ service, at, aheadMs })
  }
  const [gathered, cloud] = await Promise.all([
    gatherCluster(deps, config.config),
    gatherCloud(deps, config.config),
  ])
  const cluster = ofPolicy(gathered.facts, deps.policy)
  const { volumes } = cloud
  const all = await following(deps, gathered.listed, async (listed, signal) => {
    if (!volumes.known) throw new Error(volumes.why)
    return gatherFleet({ deps, config: config.config, listed, volumes: volumes.value }, signal)
  })
  const fleet = claimsOfPolicy(all, deps.policy)
  const replacements = await gatherReplacements(deps, gathered.facts.server, cloud.session)
  const prometheus = prometheusOf(deps, config)
  const metrics = await gatherMetrics(deps, {
    config: config.config,
    session: cloud.session,
    prometheus: valueOf(prometheus),
    hasGnocchi: valueOf(cloud.facts.hasGnocchi) ?? false,
    ...wantedOf(fleet, cluster, config),
  })
  note('Kubernetes', deps.kube.seen.skews)
  if (cloud.seen !== undefined) note('OpenStack', cloud.seen.skews)
  note('Prometheus', valueOf(prometheus)?.seen.skews ?? new Map())
  return {
    now,
    namespace: deps.namespace,
    version: deps.version,
    config,
    cluster,
    cloud: cloud.facts,
    fleet,
    replacements,
    metrics,
    clocks,
  }
}

function prometheusOf(
  deps: DoctorDeps,
  { mistakes, config }: ConfigFacts,
): Fact<PrometheusConnection | undefined> {
  if (mistakes.length > 0) return unknown('config.yaml has mistakes, see Configuration')
  try {
    return known(deps.connectPrometheus(config))
  } catch (e) {
    return unknown(messageOf(e))
  }
}

/** Attached volumes, by the source their policy names; of a fleet without policies, all by the source of config.yaml. */
function wantedOf(
  fleet: Fact<Fleet>,
  { policies }: ClusterFacts,
  { config }: ConfigFacts,
): Pick<Asked, 'wanted' | 'all' | 'attached'> {
  const wanted = new Map<SourceName, { volumes: Set<string>; windowSeconds: number }>()
  const sources = new Map<string, SourceName>()
  for (const { policy, effective } of valueOf(policies) ?? []) {
    const { source, windowMs } = effective.metrics
    const before = wanted.get(source)?.windowSeconds ?? WINDOW_SECONDS
    wanted.set(source, { volumes: new Set(), windowSeconds: Math.min(before, windowMs / 1000) })
    sources.set(policy.metadata.name, source)
  }
  const usual = config.metrics.source
  if (wanted.size === 0) wanted.set(usual, { volumes: new Set(), windowSeconds: WINDOW_SECONDS })
  const attached = (valueOf(fleet)?.claims ?? []).filter((c) => c.volume?.attached === true)
  const managed = attached.filter((c) => c.policy !== undefined)
  for (const c of managed.length > 0 ? managed : attached)
    wanted.get(sources.get(c.policy ?? '') ?? usual)?.volumes.add(c.volumeId)
  return {
    wanted,
    all: [...(valueOf(fleet)?.typeOfVolume.keys() ?? [])],
    attached: { attachments: () => valueOf(fleet)?.attachments ?? [] },
  }
}
