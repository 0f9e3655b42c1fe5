import { eventually } from '../lab/eventually.ts'
import { existsSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { lab } from '../lab/env.ts'
import { apply, kubectl, kubectlJson } from '../lab/kubectl.ts'
import { GUIDE, guideFiles, manifestsIn } from './manifests.ts'
import type { Manifest } from './manifests.ts'
import { WRONG } from './wrong.ts'
import type { Wrong } from './wrong.ts'

const NAMESPACE = 'crds-test'
const CRDS = ['storagepolicies', 'volumemigrations', 'tieringcheckpoints'].map(
  (n) => `${n}.couchestor.io`,
)

async function exists(...what: string[]): Promise<boolean> {
  return (await kubectl(['get', ...what, '--ignore-not-found', '-o', 'name'])).trim() !== ''
}

async function makeNamespace(name: string, labels: Record<string, string> = {}): Promise<void> {
  if (await exists('namespace', name)) return
  await apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } })
}

/** Output of both streams of a command that may fail. */
async function refusal(args: string[], input?: string): Promise<string> {
  try {
    return `accepted: ${await kubectl(args, input === undefined ? {} : { input })}`
  } catch (e) {
    return String(e)
  }
}

function wrongObject({ kind, spec }: Wrong): string {
  const metadata = {
    name: 'crds-wrong',
    ...(kind === 'VolumeMigration' && { namespace: NAMESPACE }),
  }
  return JSON.stringify({ apiVersion: 'couchestor.io/v1alpha1', kind, metadata, spec })
}

describe.skipIf(lab === undefined)('on a real API server', () => {
  beforeAll(async () => {
    // CRDs and the product's own namespace stay: the lab's other tests use them too.
    await kubectl(['apply', '-f', 'deploy/crds/'])
    await kubectl(['wait', '--for=condition=Established', '--timeout=60s', 'crd', ...CRDS])
    await makeNamespace(NAMESPACE, { 'pod-security.kubernetes.io/enforce': 'restricted' })
    await makeNamespace('couchestor-system')
  })

  afterAll(() => kubectl(['delete', 'namespace', NAMESPACE, '--ignore-not-found']))

  describe('the CRDs', () => {
    it.each(CRDS)('%s is established, structural and warns of nothing', async (crd) => {
      const { status } = await kubectlJson<{
        status: { conditions: { type: string; status: string }[] }
      }>(['get', 'crd', crd])
      const conditions = new Map(status.conditions.map((c) => [c.type, c.status]))
      expect(conditions.get('Established')).toBe('True')
      expect(conditions.get('NonStructuralSchema') ?? 'False').toBe('False')
    })

    it('explain every field in kubectl', async () => {
      // discovery learns of a new kind a moment after it is established
      const explained = (field: string, text: RegExp) =>
        eventually(`kubectl explain ${field}`, async () => {
          const said = await kubectl(['explain', field]).catch(() => '')
          return text.test(said) ? said : undefined
        })
      expect(await explained('storagepolicy.spec.migration.attached', /proven safe/)).toMatch(
        /proven safe/,
      )
      expect(await explained('vmig.status.intent.requestId', /Cinder's log/)).toMatch(
        /Cinder's log/,
      )
    })

    it('are the same in crds/ and deploy/crds/ to the server', async () => {
      const diff = await refusal(['diff', '-f', 'crds/'])
      expect(diff).toBe('accepted: ')
    })
  })

  describe('the StoragePolicies of the guide', () => {
    const files = ['storage-policy-openstack.yaml', 'cross-region-policy.yaml'].map(
      (f) => `${GUIDE}/${f}`,
    )

    it.each(files)(
      '%s applies, diffs cleanly, applies again unchanged, and deletes',
      async (file) => {
        const first = await kubectl(['apply', '-f', file])
        expect(first).toMatch(/created|unchanged|configured/)
        expect(await refusal(['diff', '-f', file])).toBe('accepted: ')
        expect(await kubectl(['apply', '-f', file])).toMatch(/unchanged/)
        expect(await kubectl(['delete', '-f', file])).toMatch(/deleted/)
      },
    )

    it('keep out of spec what the guide leaves out, so that config.yaml can fill it', async () => {
      const stored = JSON.parse(
        await kubectl([
          'create',
          '--dry-run=server',
          '-o',
          'json',
          '-f',
          `${GUIDE}/cross-region-policy.yaml`,
        ]),
      ) as { spec: Record<string, unknown> }
      const written = manifestsIn(GUIDE, 'cross-region-policy.yaml')[0]?.['spec'] as object
      expect(stored.spec).toEqual({ ...written, mode: 'Auto' })
    })

    it('show in kubectl get what a person asks first', async () => {
      await kubectl(['apply', '-f', files[0]!])
      const shown = await kubectl(['get', 'stp', 'openstack-tiered-policy'])
      await kubectl(['delete', '-f', files[0]!])
      expect(shown.split('\n')[0]).toMatch(/^NAME +MODE +READY +MANAGED +MOVING +COST +AGE/)
    })
  })

  describe('the other manifests of the guide', () => {
    // The lab has StorageClasses of these names with another binding mode, which the API never lets change.
    const renamed = (m: Manifest) =>
      m.kind === 'StorageClass'
        ? { ...m, metadata: { ...m.metadata, name: `crds-${m.metadata.name}` } }
        : m

    it.each(guideFiles())('%s is accepted with strict field validation', async (file) => {
      const items = manifestsIn(GUIDE, file).map(renamed)
      const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items })
      const answer = await refusal(
        ['apply', '--dry-run=server', '--validate=strict', '-f', '-'],
        input,
      )
      expect(answer).toMatch(/^accepted: /)
      expect(answer.match(/(created|configured|unchanged) \(server dry run\)/g)).toHaveLength(
        items.length,
      )
    })
  })

  describe('our own manifests', () => {
    const files = [
      'rbac.yaml',
      'snapshot-restore.yaml',
      'workload-restart.yaml',
      'config.yaml',
      'controller.yaml',
      'samples/policy-observe.yaml',
      'samples/policy-priced.yaml',
      'samples/storage-class-restore.yaml',
      'samples/claim.yaml',
    ]

    it.each(files)('deploy/%s is accepted', async (file) => {
      expect(existsSync(`deploy/${file}`)).toBe(true)
      expect(
        await refusal(['apply', '--dry-run=server', '--validate=strict', '-f', `deploy/${file}`]),
      ).toMatch(/^accepted: /)
    })

    it('let the controller run where only restricted pods may', async () => {
      const [deployment] = manifestsIn('deploy', 'controller.yaml') as unknown as [
        { spec: { template: { metadata: object; spec: object } } },
      ]
      const { metadata, spec } = deployment.spec.template
      const pod = {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { ...metadata, name: 'controller', namespace: NAMESPACE },
        spec: { ...spec, serviceAccountName: 'default' },
      }
      expect(await refusal(['create', '--dry-run=server', '-f', '-'], JSON.stringify(pod))).toMatch(
        /^accepted: pod\/controller created/,
      )
    })
  })

  describe('a wrong object', () => {
    it.each(WRONG)('$kind: $what is refused with field and fix', async (wrong) => {
      const answer = await refusal(['create', '--dry-run=server', '-f', '-'], wrongObject(wrong))
      expect(answer).not.toMatch(/^accepted/)
      expect(answer).toContain(wrong.field)
      expect(answer).toMatch(wrong.fix)
    })
  })

  describe('the intent of a VolumeMigration', () => {
    const spec = {
      claim: { name: 'data', uid: 'u-1' },
      volume: { pv: 'pv-1', sizeGiB: 5 },
      from: 'hot',
      to: 'cold',
      strategy: 'cinder-retype',
      reason: 'Manual',
      policy: 'p',
    }
    const patch = (change: object, ...more: string[]) =>
      refusal([
        '-n',
        NAMESPACE,
        'patch',
        'vmig',
        'crds-move',
        '--type=merge',
        '-p',
        JSON.stringify({ spec: change }),
        ...more,
      ])

    beforeAll(async () => {
      await apply({
        apiVersion: 'couchestor.io/v1alpha1',
        kind: 'VolumeMigration',
        metadata: { name: 'crds-move', namespace: NAMESPACE },
        spec,
      })
    })

    it.each([
      ['claim', { claim: { name: 'other' } }],
      ['claim', { claim: { uid: null } }],
      ['volume', { volume: { sizeGiB: 6 } }],
      ['volume', { volume: null }],
      ['from', { from: 'warm' }],
      ['from', { from: null }],
      ['to', { to: 'warm' }],
      ['strategy', { strategy: 'snapshot-restore' }],
      ['reason', { reason: 'Policy' }],
      ['policy', { policy: 'q' }],
    ])('%s cannot be changed by %j', async (field, change) => {
      expect(await patch(change, '--dry-run=server')).toMatch(
        new RegExp(
          `spec\\.${field} is fixed once created.*set spec\\.cancel to true and create another`,
        ),
      )
    })

    it('can be approved and cancelled, and neither is taken back', async () => {
      expect(await patch({ approved: true })).toMatch(/^accepted/)
      expect(await patch({ approved: false })).toMatch(
        /spec\.approved cannot be taken back: set spec\.cancel/,
      )
      expect(await patch({ approved: null })).toMatch(/spec\.approved cannot be taken back/)
      expect(await patch({ cancel: true })).toMatch(/^accepted/)
      expect(await patch({ cancel: null })).toMatch(
        /spec\.cancel cannot be taken back: create another/,
      )
    })

    it('is shown as a person likes', async () => {
      const step = JSON.stringify({
        status: { step: 'Waiting', reason: 'OutsideSchedule', elapsed: '0s' },
      })
      await kubectl([
        '-n',
        NAMESPACE,
        'patch',
        'vmig',
        'crds-move',
        '--subresource=status',
        '--type=merge',
        '-p',
        step,
      ])
      const shown = await kubectl(['-n', NAMESPACE, 'get', 'vmig', 'crds-move'])
      expect(shown).toMatch(/^NAME +CLAIM +FROM +TO +STEP +REASON +ELAPSED +EST\. END +AGE/)
      expect(shown).toMatch(/crds-move +data +hot +cold +Waiting +OutsideSchedule +0s/)
    })
  })
})
