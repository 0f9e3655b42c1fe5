import type { Facts, FleetClaim, SourceFact } from '../facts.ts'
import { THROUGH_PROXY } from './credentials.ts'
import { counted, finding, notChecked, ok, some, when } from '../finding.ts'
import type { Line } from '../finding.ts'

/** Below this share of the attached volumes with numbers it is no coincidence. */
const ENOUGH = 0.9
const SAMPLES_A_RATE_NEEDS = 4
const DEFAULT_COVERAGE = 80
const GNOCCHI = {
  fix: 'let Ceilometer poll disk.device.* of the servers of this project (docs/gnocchi.md), or set metrics.source: Prometheus',
}

/** Which source of usage numbers answers, and for how much of the fleet. */
export function checkMetrics(facts: Facts): readonly Line[] {
  const { mistakes, unread, config } = facts.config
  if (mistakes.length > 0)
    return [notChecked('metrics', 'usage numbers', 'config.yaml has mistakes, see Configuration')]
  if (unread !== undefined && config.prometheus.endpoint === undefined)
    return [notChecked('metrics', 'usage numbers', 'config.yaml was not read, see Configuration')]
  return facts.metrics.flatMap((source) => sourceLines(facts, source))
}

function sourceLines(facts: Facts, source: SourceFact): readonly Line[] {
  const { coverage, where } = source
  if (!coverage.known) {
    const isSet = facts.config.config.prometheus.endpoint !== undefined
    if (source.source === 'Prometheus' && !isSet)
      return [finding('MetricsNotConfigured', coverage.why)]
    const why = `${where}: ${coverage.why}`
    if (THROUGH_PROXY.test(why)) return [{ ...finding('ProxyRefused', why), group: 'metrics' }]
    return [finding('MetricsDown', why)]
  }
  return [
    ...coverageLines(facts, source, coverage.value),
    ...intervalLines(facts, source),
    ...when(
      source.preset === 'ceph-rbd',
      finding('CephRbdPreset', 'prometheus.preset is ceph-rbd'),
    ),
  ]
}

/** Attached volumes of policies with this source; without any policy, all attached ones. */
export function measurable({ fleet, cluster }: Facts, source: string): readonly FleetClaim[] {
  if (!fleet.known) return []
  const attached = fleet.value.claims.filter((c) => c.volume?.attached === true)
  if (attached.every((c) => c.policy === undefined)) return attached
  const policies = cluster.policies.known ? cluster.policies.value : []
  const own = policies.filter((p) => p.effective.metrics.source === source)
  const names = new Set<string | undefined>(own.map((p) => p.policy.metadata.name))
  return attached.filter((c) => c.policy !== undefined && names.has(c.policy))
}

/** Whether Prometheus answers, and has nothing of any agent, nor the numbers of any other preset. */
export function isUnscraped({ source, preset, coverage, agentNodes, others }: SourceFact): boolean {
  const elsewhere = [...others.values()].some((volumes) => volumes > 0)
  const isOurs = source === 'Prometheus' && preset === 'agent' && !elsewhere
  return isOurs && coverage.known && agentNodes === 0
}

function coverageLines(
  facts: Facts,
  source: SourceFact,
  coverage: ReadonlyMap<string, number>,
): readonly Line[] {
  const { where, others, missing, warnings, windowSeconds } = source
  if (!facts.fleet.known)
    return [ok(`${where}: answers, numbers of ${counted(coverage.size, 'volume')}`)]
  const wanted = measurable(facts, source.source)
  if (wanted.length === 0) return [ok(`${where}: answers; no managed volume is attached now`)]
  const least = leastCoverage(facts)
  const without = wanted.filter(
    (c) => (coverage.get(c.volumeId) ?? 0) < (least.get(c.policy) ?? DEFAULT_COVERAGE),
  )
  const covered = wanted.length - without.length
  const what = `${where}: usage numbers of the last ${counted(windowSeconds / 60, 'minute')} for ${covered} of ${counted(wanted.length, 'attached volume')}`
  if (covered >= wanted.length * ENOUGH) return [ok(what)]
  // with however few samples: so the others are counted, and those that came just now are no other source's
  const seen = wanted.filter((c) => coverage.has(c.volumeId)).length
  const [line, more] = [...others].toSorted((a, b) => b[1] - a[1])[0] ?? ['', 0]
  if (more > seen)
    return [
      finding('OtherSourceAnswers', `${what}; with ${line} it is ${more}`, {
        fix: otherSourceFix(facts, source, line),
      }),
    ]
  const reasons = [...new Set(without.flatMap((c) => missing.get(c.volumeId) ?? [])), ...warnings]
  const noted = reasons.length === 0 ? '' : ` (${some(reasons)})`
  // said first of all, under the heading of the scrape
  if (seen === 0 && isUnscraped(source)) return []
  if (seen === 0)
    return [finding('NoSeries', `${what}${noted}`, source.source === 'Gnocchi' ? GNOCCHI : {})]
  return [finding('CoverageLow', `${what}${noted}; without: ${some(without.map((c) => c.key))}`)]
}

/** What config.yaml says of the source is a default: a policy that names one keeps to it. */
function otherSourceFix({ cluster }: Facts, { source }: SourceFact, line: string): string {
  const [, to, preset] = /^metrics\.source: (\w+)(?:, (.*))?$/.exec(line) ?? []
  const policies = cluster.policies.known ? cluster.policies.value : []
  const naming = policies
    .filter((p) => p.problems.length === 0 && p.policy.spec.metrics?.source === source)
    .map((p) => p.policy.metadata.name)
  if (to === undefined || naming.length === 0) return `set ${line} in config.yaml`
  const also = preset === undefined ? '' : `, and ${preset} in config.yaml`
  return `set spec.metrics.source: ${to} in policy ${some(naming)}${also}`
}

function leastCoverage({ cluster: { policies } }: Facts): ReadonlyMap<string | undefined, number> {
  if (!policies.known) return new Map()
  return new Map(
    policies.value.map((p) => [p.policy.metadata.name, p.effective.metrics.minCoveragePercent]),
  )
}

function intervalLines(facts: Facts, { intervalSeconds, source }: SourceFact): readonly Line[] {
  if (intervalSeconds === undefined) return []
  const every = `about every ${Math.round(intervalSeconds)} s`
  const { policies } = facts.cluster
  const least = intervalSeconds * SAMPLES_A_RATE_NEEDS
  const short = (policies.known ? policies.value : []).filter(
    ({ problems, effective: { metrics } }) =>
      problems.length === 0 && metrics.source === source && metrics.windowMs / 1000 < least,
  )
  if (short.length === 0) return [ok(`a sample ${every}`)]
  return short.map((p) =>
    finding(
      'WindowTooShort',
      `policy ${p.policy.metadata.name}: metrics.window is ${p.effective.metrics.windowMs / 1000} s, and a sample comes ${every}`,
      { fix: `set spec.metrics.window: ${Math.ceil(least / 60)}m, or scrape more often` },
    ),
  )
}
