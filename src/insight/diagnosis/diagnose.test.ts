import { describe, expect, it } from 'vitest'
import { CATALOGUE } from './catalogue.ts'
import { diagnose } from './diagnose.ts'
import { known, unknown } from './fact.ts'
import { CONFIG_YAML, configOf, facts, migration, policy } from './facts.fixture.ts'
import type { Spoilt } from './facts.fixture.ts'
import { CHECKS } from './checks/all.ts'
import { CONFIGURATION } from './faults/configuration.fixture.ts'
import { FLEET } from './faults/fleet.fixture.ts'
import { OPENSTACK } from './faults/openstack.fixture.ts'
import { REPLACEMENTS } from './faults/replacements.fixture.ts'
import { TYPES } from './faults/types.fixture.ts'
import { UNKNOWN } from './faults/unknown.fixture.ts'
import { line, ofPolicy, old, workload } from './faults/fault.fixture.ts'
import { renderText } from '../../cli/doctor/render.ts'

const bad = (spoilt: Spoilt) =>
  diagnose(facts(spoilt)).diagnosis.findings.filter((f) => f.severity !== 'unknown')

describe('a healthy installation', () => {
  it('gives no finding, and says what a member cannot see', () => {
    const { findings, summary } = diagnose(facts()).diagnosis
    expect(findings.map((f) => f.code)).toEqual(['SpecsHidden', 'QosHidden'])
    expect(summary).toMatchObject({ problems: 0, warnings: 0, unknown: 2 })
  })
})

describe('moves that failed', () => {
  it.each(['StrategyUnsupported', 'Superseded'])(
    'say nothing about whether moves work when they ended as %s',
    (reason) => {
      const completedAt = facts().now - 1000
      const ended = { step: 'Failed', reason, completedAt: new Date(completedAt).toISOString() }
      const migrations = known([1, 2, 3].map(() => migration(ended as never)))
      expect(bad({ cluster: { migrations } })).toEqual([])
    },
  )
})

describe('each fault', () => {
  it.each([...CONFIGURATION, ...OPENSTACK, ...TYPES, ...FLEET, ...REPLACEMENTS])(
    '%s',
    (_, spoilt, code, what, fix) => {
      const found = bad(spoilt).find((f) => f.code === code)
      expect(bad(spoilt).map((f) => f.code)).toContain(code)
      expect(found?.what).toContain(what)
      expect(found?.fix).toContain(fix)
      expect(found?.severity).toBe(CATALOGUE[code].severity)
    },
  )

  it.each(UNKNOWN)('%s', (_, spoilt, code, what, fix) => {
    const found = diagnose(facts(spoilt)).diagnosis.findings.find((f) => f.code === code)
    expect(found).toMatchObject({ severity: 'unknown' })
    expect(found?.what).toContain(what)
    expect(found?.fix).toContain(fix)
  })

  it('of the catalogue is planted here', () => {
    const planted = [
      ...CONFIGURATION,
      ...OPENSTACK,
      ...TYPES,
      ...FLEET,
      ...REPLACEMENTS,
      ...UNKNOWN,
    ].map((f) => f[2])
    expect(new Set(planted)).toEqual(new Set(Object.keys(CATALOGUE)))
  })

  it.each([
    [
      'a tight quota',
      { cloud: { quota: known(new Map([['volumes_couchestor-hot', line(100, 95)]])) } },
    ],
    ['a privileged agent', { cluster: { agents: known({ ...workload, privileged: true }) } }],
    ['a stuck move', { cluster: { migrations: known([migration({ step: 'Stuck' })]) } }],
    ['a paused policy', ofPolicy({ paused: true })],
    [
      'a config.yaml that may not be read',
      {
        config: { ...configOf(''), unread: 'no right' },
        cluster: { policies: known([policy({ paused: true })]) },
        source: { coverage: unknown('prometheus.endpoint is not set') },
      },
    ],
    [
      'a Prometheus that is away',
      { cluster: { agents: known(undefined) }, source: { coverage: unknown('no answer') } },
    ],
    ['an unproven Cinder', old],
    [
      'a Keystone that is away',
      {
        cloud: {
          microversion: unknown('not asked'),
          types: unknown('not asked'),
          login: unknown('no answer'),
          volumeEndpoint: unknown('not asked'),
          quota: unknown('not asked'),
        },
        fleet: unknown('not asked'),
      },
    ],
  ] satisfies [string, Spoilt][])('gives one finding and no echo of it: %s', (_, spoilt) => {
    expect(bad(spoilt)).toHaveLength(1)
  })
})

it('reports what a source of its own needs when it has no numbers', () => {
  const spoilt = {
    source: { source: 'Gnocchi' as const, coverage: known(new Map<string, number>()) },
  }
  const config = policy({ metrics: { source: 'Gnocchi' } })
  const found = bad({ ...spoilt, cluster: { policies: known([config]) } })
  expect(found.map((f) => f.code)).toEqual(['NoSeries'])
  expect(found[0]?.fix).toContain('Ceilometer')
})

it('takes no message about a volume of another project for its own', () => {
  const noBackend = known([{ volumeId: 'elsewhere', at: facts().now }])
  expect(bad({ cloud: { noBackend } })).toEqual([])
})

describe('diagnose', () => {
  it('turns a check that throws into a line that says so, and goes on', () => {
    const throwing = () => {
      throw new Error('boom')
    }
    const { diagnosis } = diagnose(facts(), { ...CHECKS, quota: [throwing] })
    expect(diagnosis.findings.map((f) => [f.group, f.severity])).toContainEqual([
      'quota',
      'unknown',
    ])
    expect(diagnosis.findings.find((f) => f.group === 'quota')?.what).toContain('boom')
    expect(diagnosis.passed.map((p) => p.group)).toContain('project')
  })

  it('lists tiers and types, as the command of the guide did', () => {
    const { tiers: rows, volumeTypes } = diagnose(facts()).diagnosis
    expect(rows[0]).toMatchObject({
      policy: 'tiered',
      tier: 'hot',
      volumeType: 'couchestor-hot',
      price: 3,
      volumes: 3,
      gib: 30,
    })
    expect(volumeTypes.map((t) => [t.name, t.tiers])).toContainEqual([
      'couchestor-hot',
      ['tiered/hot'],
    ])
  })

  it('prints heading, mark, code, reason and fix', () => {
    const { sections, diagnosis } = diagnose(facts(ofPolicy({ paused: true })))
    const text = renderText(sections, diagnosis)
    expect(text).toContain(
      'Policies\n  [warning]  PolicyPaused: policy tiered: spec.paused is true\n             why: its claims stay where they are\n             fix: couchestor resume tiered\n',
    )
    expect(text).toMatch(/couchestor-hot +True +tiered\/hot/)
    expect(text).toMatch(/0 problems, 1 warning, 2 not checked, \d+ ok\n$/)
  })
  it('prints a reason and a fix that findings in a row share once', () => {
    const mistakes = ['a is unknown', 'b is unknown']
    const { sections, diagnosis } = diagnose(facts({ config: { mistakes } }))
    const text = renderText(sections, diagnosis)
    expect(text.match(/ConfigInvalid/g)).toHaveLength(2)
    expect(text.split(CATALOGUE.ConfigInvalid.fix)).toHaveLength(2)
  })
})

describe('where Helm owns the objects', () => {
  const release = { name: 'tiering', namespace: 'storage' }
  const owned = (spoilt: Spoilt): Spoilt => ({
    ...spoilt,
    cluster: {
      controller: known({ ...workload, release }),
      ...spoilt.cluster,
      agents: known({
        ...workload,
        release,
        ...(spoilt.cluster?.agents?.known === true ? spoilt.cluster.agents.value : {}),
      }),
    },
  })

  it.each([...CONFIGURATION, ...OPENSTACK, ...TYPES, ...FLEET, ...REPLACEMENTS])(
    'sends nobody to deploy/: %s',
    (_, spoilt) => {
      for (const { fix } of diagnose(facts(owned(spoilt))).diagnosis.findings) {
        expect(fix).not.toMatch(/deploy\/\S*(yaml|\/)/)
        expect(fix).not.toContain('kubectl apply')
      }
    },
  )

  it('gives the command with the release, its namespace and the value', () => {
    const privileged = { cluster: { agents: known({ ...workload, privileged: true, release }) } }
    expect(bad(owned(privileged)).map((f) => f.fix)).toEqual([
      'helm upgrade tiering <chart> --namespace storage --reset-then-reuse-values --set agent.privileged=false, whose agent has no privileges',
    ])
  })

  it.each([
    [
      'StopSwitchOn',
      configOf(`${CONFIG_YAML}\nmigration: {paused: true}`),
      /--set config\.migration\.paused=false/,
    ],
    [
      'ConfigInvalid',
      { mistakes: ['a is unknown'] },
      /helm upgrade tiering .*`config` of the values/,
    ],
  ] as const)('says for %s where config.yaml is made', (code, config, fix) => {
    expect(bad(owned({ config })).find((f) => f.code === code)?.fix).toMatch(fix)
  })
})

describe('agents that nothing scrapes', () => {
  const silent = { coverage: known(new Map<string, number>()), agentNodes: 0 }

  it('are the first of all findings, whatever else is wrong', () => {
    const spoilt = {
      source: silent,
      cluster: { policies: known([policy({ paused: true })]), lease: known(undefined) },
      config: configOf(`${CONFIG_YAML}\nmigration: {paused: true}`),
    }
    const codes = bad(spoilt).map((f) => f.code)
    expect(codes[0]).toBe('AgentsNotScraped')
    expect(codes).toContain('NoLeader')
    expect(codes).not.toContain('NoSeries')
  })

  it('are found before the first volume is attached', () => {
    const found = bad({ source: silent, fleet: { claims: [], nodes: [] } })
    expect(found.map((f) => f.code)).toEqual(['AgentsNotScraped'])
  })

  it.each([
    ['the source does not answer', { coverage: unknown('no answer') }, {}],
    ['agents are scraped and see no volume', { ...silent, agentNodes: 3 }, {}],
    ['it is not known', { ...silent, agentNodes: undefined }, {}],
    ['other counters are asked for', { ...silent, preset: 'libvirt' }, {}],
    ['there is no agent', silent, { agents: known(undefined) }],
    ['no agent is ready', silent, { agents: known({ ...workload, ready: 0 }) }],
  ] satisfies [string, Spoilt['source'], Spoilt['cluster']][])(
    'are not named when %s',
    (_, source, cluster) => {
      expect(bad({ source, cluster }).map((f) => f.code)).not.toContain('AgentsNotScraped')
    },
  )

  it.each([
    ['pods without the annotation', { asksForScrape: false }, /deploy\/agent\.yaml/],
    ['pods with it', { asksForScrape: true }, /by prometheus\.io\/scrape.*docs\/agent\.md/],
    [
      'pods of a release',
      { asksForScrape: false, release: { name: 'r', namespace: 'n' } },
      /helm upgrade r .*--set monitoring\.scrapeAnnotations=Always/,
    ],
  ])('are brought to Prometheus by what fits: %s', (_, more, fix) => {
    const agents = known({ ...workload, ...more })
    expect(bad({ source: silent, cluster: { agents } })[0]?.fix).toMatch(fix)
  })
})

describe('an API server without ValidatingAdmissionPolicy', () => {
  const old130 = { admissionOffered: known(false), admissionPolicies: known([]) }
  it('is in order once config.yaml accepts plain RBAC', () => {
    const config = configOf(`${CONFIG_YAML}\nadmission: {accept_plain_rbac: true}`)
    expect(bad({ cluster: old130, config })).toEqual([])
  })

  it('is named also where only force-tier would need it', () => {
    expect(bad({ cluster: old130 }).map((f) => f.code)).toEqual(['NoAdmissionPolicy'])
  })

  it('is not claimed by an account that is not allowed to read', () => {
    const cluster = {
      admissionPolicies: unknown('may not list', true),
      policies: known([policy({ mode: 'Approve' as const })]),
    }
    expect(bad({ cluster })).toEqual([])
  })
})
