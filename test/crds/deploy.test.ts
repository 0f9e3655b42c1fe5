import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parseConfig } from '../../src/api/config.ts'
import { configKeys } from '../../src/api/config-schema.ts'
import { notices } from '../../src/api/config-notices.ts'
import { notYetActedOn } from '../../src/api/not-yet-acted-on.ts'
import { parseStoragePolicy } from '../../src/api/parse.ts'
import { GUIDE, manifestsIn } from './manifests.ts'

type Rule = { apiGroups: string[]; resources: string[]; resourceNames?: string[]; verbs: string[] }

const rbac = manifestsIn('deploy', 'rbac.yaml')
const rules = rbac
  .filter((m) => m.metadata.name === 'couchestor' && m.kind.endsWith('Role'))
  .flatMap((m) => m['rules'] as Rule[])

describe('the role of the controller', () => {
  it('has no wildcard', () => {
    expect(rules.flatMap((r) => [...r.apiGroups, ...r.resources, ...r.verbs])).not.toContain('*')
  })

  it('never deletes or replaces a claim, a volume or a pod', () => {
    const core = rules.filter((r) =>
      r.resources.some((x) => /^(persistentvolume|pods|nodes)/.test(x)),
    )
    expect(core.flatMap((r) => r.verbs)).not.toEqual(expect.arrayContaining(['delete']))
    expect(core.flatMap((r) => r.verbs)).not.toEqual(expect.arrayContaining(['update']))
  })

  it('reads one Secret by name and lists none', () => {
    const secrets = rules.filter((r) => r.resources.includes('secrets'))
    expect(secrets).toEqual([
      {
        apiGroups: [''],
        resources: ['secrets'],
        resourceNames: ['openstack-credentials'],
        verbs: ['get'],
      },
    ])
  })

  it('changes one Lease by name', () => {
    const leases = rules.filter((r) => r.resources.includes('leases'))
    const named = leases.filter((r) => r.resourceNames?.join() === 'couchestor-controller')
    expect(named.flatMap((r) => r.verbs)).toEqual(['get', 'update', 'patch'])
    expect(leases.filter((r) => !r.resourceNames).flatMap((r) => r.verbs)).toEqual(['create'])
  })

  it('lets no namespace role create moves', () => {
    const aggregated = rbac.filter((m) =>
      Object.keys(m.metadata.labels ?? {}).some((label) => label.includes('aggregate-to')),
    )
    expect(aggregated.flatMap((m) => (m['rules'] as Rule[]).flatMap((r) => r.verbs))).toEqual([
      'get',
      'list',
      'watch',
    ])
  })
})

describe('config.yaml', () => {
  const config = (...path: string[]) => {
    const [map] = manifestsIn(...path) as unknown as [{ data: Record<string, string> }]
    return parseConfig(map.data['config.yaml'] ?? '', 'config.yaml')
  }

  it('has every key documented, and no other', () => {
    const rows = readFileSync('docs/reference-config.md', 'utf8').matchAll(
      /^\| `([a-z][^`]*)` +\|/gm,
    )
    const documented = [...rows].map((row) => row[1] ?? '')
    expect(documented.toSorted()).toEqual(configKeys().toSorted())
  })

  it('of the guide is read whole, each key without effect answered in one line', () => {
    const read = config(GUIDE, 'couchestor-config-openstack.yaml')
    expect(read.migration).toMatchObject({ cooldownPeriodMs: 3_600_000, concurrentMigrations: 2 })
    expect(notices(read)).toHaveLength(3)
  })

  it('of deploy/ has the tiers of the guide and nothing without effect', () => {
    const read = config('deploy', 'config.yaml')
    const guide = config(GUIDE, 'couchestor-config-openstack.yaml')
    expect(Object.keys(read.tiers).toSorted()).toEqual(Object.keys(guide.tiers).toSorted())
    expect(notices(read)).toEqual([])
  })
})

describe('policies', () => {
  it.each([
    [`${GUIDE}/storage-policy-openstack.yaml`, 1],
    [`${GUIDE}/cross-region-policy.yaml`, 2],
    ['deploy/samples/policy-observe.yaml', 0],
    ['deploy/samples/policy-priced.yaml', 0],
  ])('%s is read without a problem, %d fields have no effect yet', (file, without) => {
    const parsed = parseStoragePolicy(manifestsIn(file)[0])
    expect(parsed).toMatchObject({ ok: true })
    expect(parsed.ok && notYetActedOn(parsed.policy.spec)).toHaveLength(without)
  })
})

describe('the CRDs', () => {
  const crds = readdirSync('deploy/crds').flatMap((file) => manifestsIn('deploy', 'crds', file))
  const text = JSON.stringify(crds)

  // what its API server answered to: strict decoding, and the cost estimate of rules
  it.each([
    ['selectableFields, a field of 1.30', /"selectableFields"/],
    ['optionalOldSelf, a field of 1.29', /"optionalOldSelf"/],
    ['optional values in rules, of 1.29', /"(rule|messageExpression)":"[^"]*\.\?/],
    [
      'functions of 1.29 and later',
      /"(rule|messageExpression)":"[^"]*\b(quantity|ip|cidr|format|sets)\(/,
    ],
    ['a sorted map(), whose cost 1.28 takes for unbounded', /isSorted\(\)/],
  ])('have nothing that Kubernetes 1.28 refuses: %s', (_, later) => {
    expect(text).not.toMatch(later)
  })

  it('are three', () => {
    expect(crds).toHaveLength(3)
  })
})
