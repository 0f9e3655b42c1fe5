import { describe, expect, it } from 'vitest'
import { diagnose } from './diagnose.ts'
import { known, unknown } from './fact.ts'
import { claim, facts, policy } from './facts.fixture.ts'
import type { Spoilt } from './facts.fixture.ts'

const bad = (spoilt: Spoilt) =>
  diagnose(facts(spoilt)).diagnosis.findings.filter((f) => f.severity !== 'unknown')
const found = (spoilt: Spoilt) => bad(spoilt).map((f) => f.code)
const coverage = (percent: Record<string, number>) => known(new Map(Object.entries(percent)))
const elsewhere = (line: string, volumes: number) => new Map([[line, volumes]])

describe('volumes whose first samples came just now', () => {
  const young = { 'vol-a': 20, 'vol-b': 20, 'vol-c': 20 }

  it('are not taken for volumes that nothing scrapes', () => {
    expect(found({ source: { coverage: coverage(young) } })).toEqual(['CoverageLow'])
  })

  it('are not better off with another preset that sees no more of them', () => {
    const others = elsewhere('prometheus.preset: node-exporter', 3)
    expect(found({ source: { coverage: coverage(young), others } })).toEqual(['CoverageLow'])
  })
})

describe('numbers that another source has', () => {
  const none = coverage({})
  const fixOf = (spoilt: Spoilt) => bad(spoilt).find((f) => f.code === 'OtherSourceAnswers')?.fix

  it('are reached by config.yaml where no policy says a source of its own', () => {
    const source = { coverage: none, others: elsewhere('metrics.source: Gnocchi', 3) }
    expect(fixOf({ source })).toBe('set metrics.source: Gnocchi in config.yaml')
  })

  it('are reached by the policy where that names its source', () => {
    const policies = known([policy({ metrics: { source: 'Gnocchi' } })])
    const line = 'metrics.source: Prometheus, prometheus.preset: libvirt'
    const source = { source: 'Gnocchi' as const, coverage: none, others: elsewhere(line, 3) }
    expect(fixOf({ cluster: { policies }, source })).toBe(
      'set spec.metrics.source: Prometheus in policy tiered, and prometheus.preset: libvirt in config.yaml',
    )
  })

  it('are reached by the policy alone where config.yaml is as it must be', () => {
    const policies = known([policy({ metrics: { source: 'Prometheus' } })])
    const source = { coverage: none, others: elsewhere('metrics.source: Gnocchi', 3) }
    expect(fixOf({ cluster: { policies }, source })).toBe(
      'set spec.metrics.source: Gnocchi in policy tiered',
    )
  })
})

describe('numbers of another cluster on the same server', () => {
  const source = { coverage: coverage({ 'vol-elsewhere': 100 }) }
  const withoutAgents = { agents: known(undefined) }

  it('do not show that agents run here', () => {
    expect(found({ source, cluster: withoutAgents })).toContain('AgentMissing')
  })

  it('are not called needless where Cinder does not show our volumes', () => {
    const spoilt = { source: { coverage: coverage({}) }, cluster: withoutAgents }
    const { diagnosis } = diagnose(facts({ ...spoilt, fleet: unknown('Cinder: no answer') }))
    const agents = diagnosis.findings.filter((f) => f.group === 'agents')
    expect(agents).toMatchObject([{ code: 'NotChecked', what: 'agents: Cinder: no answer' }])
  })

  it('call for no agent while no volume is attached here', () => {
    expect(found({ source, cluster: withoutAgents, fleet: { claims: [], nodes: [] } })).toEqual([])
  })

  it('are no reason to miss an agent where one of ours is seen', () => {
    const own = { coverage: coverage({ 'vol-a': 100, 'vol-b': 100, 'vol-c': 100 }) }
    const fleet = { claims: [claim('a'), claim('b'), claim('c')] }
    expect(found({ source: own, cluster: withoutAgents, fleet })).toEqual([])
  })
})
