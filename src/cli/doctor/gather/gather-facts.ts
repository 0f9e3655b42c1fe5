import type { SourceName } from '../../../activity/types.ts'
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

/**
 * Looks at everything, side by side where one thing does not need another. Never throws; the number of requests does
 * not depend on the size of the fleet, but for the pages of lists.
 */
export async function gatherFacts(deps: DoctorDeps, config: ConfigFacts): Promise<Facts> {
  const now = deps.clock.now()
  const clocks: ClockFact[] = []
  const note = (service: ClockFact['service'], skews: ReadonlyMap<string, number>) => {
    for (const [at, aheadMs] of skews) clocks.push({ service, at, aheadMs })
  }
  const [cluster, cloud] = await Promise.all([
    gatherCluster(deps, config.config),
    gatherCloud(deps, config.config),
  ])
  const { volumes } = cloud
  const fleet = await following(deps, cluster.listed, async (listed, signal) => {
    if (!volumes.known) throw new Error(volumes.why)
    return gatherFleet({ deps, config: config.config, listed, volumes: volumes.value }, signal)
  })
  const prometheus = prometheusOf(deps, config)
  const metrics = await gatherMetrics(deps, {
    config: config.config,
    session: cloud.session,
    prometheus: valueOf(prometheus),
    hasGnocchi: valueOf(cloud.facts.hasGnocchi) ?? false,
    ...wantedOf(fleet, cluster.facts, config),
  })
  note('Kubernetes', deps.kube.seen.skews)
  if (cloud.seen !== undefined) note('OpenStack', cloud.seen.skews)
  note('Prometheus', valueOf(prometheus)?.seen.skews ?? new Map())
  return {
    now,
    namespace: deps.namespace,
    version: deps.version,
    config,
    cluster: cluster.facts,
    cloud: cloud.facts,
    fleet,
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
): Pick<Asked, 'expected' | 'all' | 'attached'> {
  const expected = new Map<SourceName, Set<string>>()
  const sources = new Map(
    (valueOf(policies) ?? []).map((p) => [p.policy.metadata.name, p.effective.metrics.source]),
  )
  for (const source of sources.values()) expected.set(source, new Set())
  const attached = (valueOf(fleet)?.claims ?? []).filter((c) => c.volume?.attached === true)
  const managed = attached.filter((c) => c.policy !== undefined)
  if (expected.size === 0) expected.set(config.metrics.source, new Set())
  for (const c of managed.length > 0 ? managed : attached)
    expected.get(sources.get(c.policy ?? '') ?? config.metrics.source)?.add(c.volumeId)
  return {
    expected,
    all: [...(valueOf(fleet)?.typeOfVolume.keys() ?? [])],
    attached: { attachments: () => valueOf(fleet)?.attachments ?? [] },
  }
}
