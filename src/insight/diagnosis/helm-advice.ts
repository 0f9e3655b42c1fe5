import type { FindingCode } from './catalogue.ts'
import type { Facts, HelmRelease } from './facts.ts'
import type { Line } from './finding.ts'

/** The values that fix what the finding is about. */
const VALUES: Partial<Record<FindingCode, string>> = {
  AdmissionMissing: 'admission.enabled=true',
  AgentMissing: 'agent.enabled=true',
  AgentPrivileged: 'agent.privileged=false',
  AgentsNotScraped: 'monitoring.scrapeAnnotations=Always',
  ConfigMissing: 'config.prometheus.endpoint=<url>',
  CrdMissing: 'crds.enabled=true',
  CrdNotServed: 'crds.enabled=true',
  CrdStale: 'crds.enabled=true',
  MetricsNotConfigured: 'config.prometheus.endpoint=<url>',
  NoAdmissionPolicy: 'config.admission.accept_plain_rbac=true',
  OptionalRuleMissing: 'rbac.create=true',
  ReplacementRightMissing: 'strategies.snapshotRestore.enabled=true',
  RestartRightMissing: 'workloads.restart.enabled=true',
  RestoreClassMissing: 'storageClasses.enabled=true,storageClasses.onlyRestore=true',
  RestoreFails: 'storageClasses.enabled=true,storageClasses.onlyRestore=true',
  RuleMissing: 'rbac.create=true',
  StopSwitchOn: 'config.migration.paused=false',
}

/** Fixes that are other ones where Helm owns the objects: what is applied over them goes at the next upgrade. */
const INSTEAD: Partial<Record<FindingCode, string>> = {
  AgentNotOnNodes:
    'correct agent.nodeSelector and agent.tolerations in the values, which tolerate everything by default',
}

/** The release that the objects found belong to; undefined = Helm has not made them. */
export function releaseOf({ cluster: { controller, agents } }: Facts): HelmRelease | undefined {
  const of = (fact: typeof controller) => (fact.known ? fact.value?.release : undefined)
  return of(controller) ?? of(agents)
}

/** The same line with advice for somebody who has a chart and its values, and no deploy/ directory. */
export function forHelm(line: Line, release: HelmRelease): Line {
  if (line.severity === 'ok') return line
  const values = VALUES[line.code]
  const upgrade = `helm upgrade ${release.name} <chart> --namespace ${release.namespace} --reset-then-reuse-values`
  const command = values === undefined ? upgrade : `${upgrade} --set ${values}`
  const fix = (INSTEAD[line.code] ?? line.fix).replaceAll(
    /kubectl apply -f [\w./-]*[\w/]/g,
    command,
  )
  const inValues =
    /config\.yaml|ConfigMap couchestor-config|\bset (monitoring|agent)\.|in the values/.test(fix)
  if (fix.includes(upgrade) || !inValues) return { ...line, fix }
  const where = fix.includes('config') ? ' (config.yaml is `config` of the values)' : ''
  return { ...line, fix: `${fix}: ${command}${where}` }
}
