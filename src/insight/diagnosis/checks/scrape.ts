import type { Facts, SourceFact, WorkloadFact } from '../facts.ts'
import { counted, finding } from '../finding.ts'
import type { Line } from '../finding.ts'
import { isUnscraped, measurable } from './metrics.ts'

/** The usual gap of a first hour: agents run, Prometheus answers, and nothing brings the two together. */
export function checkScrape(facts: Facts): readonly Line[] {
  const source = facts.metrics.find((m) => isUnscraped(m))
  if (source === undefined) return []
  const { agents } = facts.cluster
  const what = `${source.where} answers and has no series of any agent`
  if (!agents.known || !agents.value?.ready) return withoutAgents(facts, source, what)
  const { name, ready } = agents.value
  const running = `${counted(ready, 'agent')} of DaemonSet ${facts.namespace}/${name} ${ready === 1 ? 'is' : 'are'} ready`
  return [finding('AgentsNotScraped', `${what}, though ${running}`, { fix: fixFor(agents.value) })]
}

/** Whether agents run is not known, or none does: then it matters where volumes wait for numbers. */
function withoutAgents(facts: Facts, { source }: SourceFact, what: string): readonly Line[] {
  const waiting = measurable(facts, source).length
  if (waiting === 0) return []
  const line = finding(
    'NoSeries',
    `${what}; ${counted(waiting, 'attached volume')} without numbers`,
  )
  return [{ ...line, group: 'scrape' }]
}

function fixFor({ asksForScrape, release }: WorkloadFact): string {
  const operator =
    release === undefined
      ? 'kubectl apply -f deploy/monitoring/podmonitor.yaml'
      : 'set monitoring.podMonitor.enabled'
  const follow = `add the scrape config of docs/agent.md to Prometheus, or with the Prometheus operator ${operator}`
  if (asksForScrape)
    return `the pods ask for it by prometheus.io/scrape, and this Prometheus does not follow: ${follow}`
  return release === undefined
    ? `kubectl apply -f deploy/agent.yaml, whose pods have prometheus.io/scrape; or ${follow}`
    : `set monitoring.scrapeAnnotations to Always; or ${follow}`
}
