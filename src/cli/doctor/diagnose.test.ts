import { describe, expect, it } from 'vitest'
import { CATALOGUE } from './catalogue.ts'
import { diagnose } from './diagnose.ts'
import { known, unknown } from './fact.ts'
import { configOf, facts, migration, policy } from './facts.fixture.ts'
import type { Spoilt } from './facts.fixture.ts'
import { CHECKS } from './checks/all.ts'
import { CONFIGURATION } from './faults/configuration.fixture.ts'
import { FLEET } from './faults/fleet.fixture.ts'
import { OPENSTACK } from './faults/openstack.fixture.ts'
import { TYPES } from './faults/types.fixture.ts'
import { UNKNOWN } from './faults/unknown.fixture.ts'
import { line, ofPolicy, old, workload } from './faults/fault.fixture.ts'
import { renderText } from './render.ts'

const bad = (spoilt: Spoilt) =>
  diagnose(facts(spoilt)).diagnosis.findings.filter((f) => f.severity !== 'unknown')

describe('a healthy installation', () => {
  it('gives no finding, and says what a member cannot see', () => {
    const { findings, summary } = diagnose(facts()).diagnosis
    expect(findings.map((f) => f.code)).toEqual(['SpecsHidden', 'QosHidden'])
    expect(summary).toMatchObject({ problems: 0, warnings: 0, unknown: 2 })
  })
})

describe('each fault', () => {
  it.each([...CONFIGURATION, ...OPENSTACK, ...TYPES, ...FLEET])(
    '%s',
    (_, spoilt, code, told, fix) => {
      const found = bad(spoilt).find((f) => f.code === code)
      expect(bad(spoilt).map((f) => f.code)).toContain(code)
      expect(found?.what).toContain(told)
      expect(found?.fix).toContain(fix)
      expect(found?.severity).toBe(CATALOGUE[code].severity)
    },
  )

  it.each(UNKNOWN)('%s', (_, spoilt, code, told, fix) => {
    const found = diagnose(facts(spoilt)).diagnosis.findings.find((f) => f.code === code)
    expect(found).toMatchObject({ severity: 'unknown' })
    expect(found?.what).toContain(told)
    expect(found?.fix).toContain(fix)
  })

  it('of the catalogue is planted here', () => {
    const planted = [...CONFIGURATION, ...OPENSTACK, ...TYPES, ...FLEET, ...UNKNOWN].map(
      (f) => f[2],
    )
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

it('tells what a source of its own needs when it has no numbers', () => {
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
    expect(text).toMatch(/problems: 0, warnings: 1, not checked: 2, in order: \d+\n$/)
  })
  it('prints a reason and a fix that findings in a row share once', () => {
    const mistakes = ['a is unknown', 'b is unknown']
    const { sections, diagnosis } = diagnose(facts({ config: { mistakes } }))
    const text = renderText(sections, diagnosis)
    expect(text.match(/ConfigInvalid/g)).toHaveLength(2)
    expect(text.split(CATALOGUE.ConfigInvalid.fix)).toHaveLength(2)
  })
})
