import type { Facts, WorkloadFact } from '../facts.ts'
import { counted, finding, notChecked, ok, when } from '../finding.ts'
import type { Line } from '../finding.ts'
import { measurable } from './metrics.ts'

/** One agent per node with volumes, and no more rights than it needs. Only where its numbers are used. */
export function checkAgents(facts: Facts): readonly Line[] {
  const { agents } = facts.cluster
  const { preset } = facts.config.config.prometheus
  if (agents.known && agents.value !== undefined) return daemonSetLines(facts, agents.value)
  if (!facts.metrics.some((m) => m.source === 'Prometheus'))
    return [ok('usage numbers do not come from Prometheus: no agent is needed')]
  if (preset !== 'agent') return [ok(`prometheus.preset is ${preset}: no agent is needed`)]
  if (arrives(facts)) return [ok('usage numbers of agents arrive')]
  if (facts.config.unread !== undefined)
    return [notChecked('agents', 'agents', 'config.yaml was not read, see Configuration')]
  if (!agents.known) return [notChecked('agents', 'DaemonSet of the agents', agents.why)]
  if (!answers(facts))
    return [
      notChecked('agents', 'agents', 'no DaemonSet of theirs, and their numbers could not be seen'),
    ]
  if (!facts.fleet.known) return [notChecked('agents', 'agents', facts.fleet.why)]
  if (measurable(facts, 'Prometheus').length === 0)
    return [ok('no agent is installed, and no volume is attached that would need one')]
  return [finding('AgentMissing', `no DaemonSet couchestor-agent in namespace ${facts.namespace}`)]
}

/** Those of our own volumes, where these are known: a server may have other clusters' too. */
function arrives(facts: Facts): boolean {
  const own = measurable(facts, 'Prometheus')
  return facts.metrics.some(({ source, coverage }) => {
    if (source !== 'Prometheus' || !coverage.known) return false
    if (!facts.fleet.known) return coverage.value.size > 0
    return own.some((c) => coverage.value.has(c.volumeId))
  })
}

/** Whether Prometheus was heard at all. */
function answers({ metrics }: Facts): boolean {
  return metrics.some(({ source, coverage }) => source === 'Prometheus' && coverage.known)
}

function daemonSetLines(facts: Facts, agents: WorkloadFact): readonly Line[] {
  const { name, wanted, ready, privileged } = agents
  const nodes = facts.fleet.known ? facts.fleet.value.nodes.length : 0
  const where = `DaemonSet ${facts.namespace}/${name}`
  const lines = [
    ...when(
      ready < wanted,
      finding('AgentNotReady', `${where}: ${ready} of ${counted(wanted, 'agent')} are ready`),
    ),
    ...when(
      wanted < nodes,
      finding(
        'AgentNotOnNodes',
        `${where} wants ${counted(wanted, 'agent')}, and ${counted(nodes, 'node')} have Cinder volumes attached`,
      ),
    ),
    ...when(privileged, finding('AgentPrivileged', `${where}: securityContext.privileged is true`)),
  ]
  return lines.length > 0 ? lines : [ok(`${where}: ${ready} of ${counted(wanted, 'agent')} ready`)]
}
