import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { describeLab } from '../lab/describe-lab.ts'
import { eventually } from '../lab/eventually.ts'
import { install } from '../lab/install.ts'
import { apply, kubectl } from '../lab/kubectl.ts'
import { render } from './helm.ts'
import { one } from './shapes.ts'

const NAMESPACE = 'chart-rights'
const CONTROLLER = 'system:serviceaccount:couchestor-system:couchestor'
const AGENT = 'system:serviceaccount:couchestor-system:couchestor-agent'
const EDITOR = 'chart-rights-editor'
const ADMIN = 'chart-rights-admin'
const VIEWER = 'chart-rights-viewer'
const OPERATOR = 'chart-rights-operator'
const CANCELLER = 'chart-rights-canceller'

type Ask = { verb: string; resource: string; group?: string; name?: string; namespace?: string }

/** The real authorizer's word. */
async function may(user: string, ask: Ask): Promise<boolean> {
  const [resource, subresource] = ask.resource.split('/')
  const review = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec: {
      user,
      // a ServiceAccount is in these groups by itself
      groups: user.startsWith('system:serviceaccount:')
        ? [
            'system:serviceaccounts',
            'system:serviceaccounts:couchestor-system',
            'system:authenticated',
          ]
        : ['system:authenticated'],
      resourceAttributes: { group: '', ...ask, resource, ...(subresource && { subresource }) },
    },
  }
  const input = JSON.stringify(review)
  const answer = await kubectl(['create', '-f', '-', '-o', 'json'], { input })
  return (JSON.parse(answer) as { status: { allowed: boolean } }).status.allowed
}

/** "done", or the API server's refusal. */
const as = (user: string, args: readonly string[], object?: object): Promise<string> =>
  kubectl(['--as', user, '-n', NAMESPACE, ...args], {
    ...(object && { input: JSON.stringify(object) }),
  }).then(
    () => 'done',
    (e: unknown) => String(e),
  )

const own = { group: 'couchestor.io' }

function move(name: string, more: object = {}, annotations: Record<string, string> = {}): object {
  return {
    apiVersion: 'couchestor.io/v1alpha1',
    kind: 'VolumeMigration',
    metadata: { name, namespace: NAMESPACE, annotations },
    spec: { claim: { name: 'nobody' }, to: 'cold', policy: 'chart-rights', ...more },
  }
}

function binding(user: string, role: string): object {
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name: user, namespace: NAMESPACE },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user }],
  }
}

describeLab('on the real authorizer', () => {
  beforeAll(async () => {
    await install()
    await kubectl(['apply', '-f', 'deploy/agent.yaml', '-f', 'deploy/admission.yaml'])
    const all = await render({ admission: { restrictForceTier: true } })
    await apply(one(all, 'ValidatingAdmissionPolicy', 'couchestor-force-tier'))
    await apply(one(all, 'ValidatingAdmissionPolicyBinding', 'couchestor-force-tier'))
    await apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } })
    await apply({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: CANCELLER },
      rules: [
        {
          apiGroups: ['couchestor.io'],
          resources: ['volumemigrations'],
          verbs: ['get', 'patch', 'create'],
        },
      ],
    })
    const roles = {
      [EDITOR]: 'edit',
      [ADMIN]: 'admin',
      [VIEWER]: 'view',
      [OPERATOR]: 'couchestor-operate',
    }
    for (const [user, role] of Object.entries(roles)) await apply(binding(user, role))
    await apply(binding(CANCELLER, CANCELLER))
    const probe = move('probe', { reason: 'Policy' })
    await eventually('the admission policy is in force', async () =>
      (await as(CANCELLER, ['create', '--dry-run=server', '-f', '-'], probe)).includes(
        'spec.reason',
      ),
    )
  })
  afterAll(async () => {
    await kubectl([
      'delete',
      '--ignore-not-found',
      '-f',
      'deploy/agent.yaml',
      '-f',
      'deploy/admission.yaml',
    ])
    const names = [
      'validatingadmissionpolicy/couchestor-force-tier',
      'validatingadmissionpolicybinding/couchestor-force-tier',
    ]
    await kubectl(['delete', '--ignore-not-found', `clusterrole/${CANCELLER}`, ...names])
    await kubectl(['delete', 'namespace', NAMESPACE, '--ignore-not-found'])
  })

  it.each<Ask>([
    { verb: 'patch', resource: 'persistentvolumeclaims', namespace: 'default' },
    { verb: 'list', resource: 'persistentvolumes' },
    { verb: 'watch', resource: 'pods' },
    { verb: 'create', resource: 'volumemigrations', ...own, namespace: 'default' },
    { verb: 'plan', resource: 'volumemigrations', ...own, namespace: 'default' },
    { verb: 'patch', resource: 'volumemigrations/status', ...own, namespace: 'default' },
    { verb: 'patch', resource: 'storagepolicies/status', ...own },
    {
      verb: 'get',
      resource: 'secrets',
      name: 'openstack-credentials',
      namespace: 'couchestor-system',
    },
    {
      verb: 'update',
      resource: 'leases',
      group: 'coordination.k8s.io',
      name: 'couchestor-controller',
      namespace: 'couchestor-system',
    },
  ])('the controller may $verb $resource', async (ask) => {
    expect(await may(CONTROLLER, ask)).toBe(true)
  })

  it.each<Ask>([
    { verb: 'list', resource: 'secrets', namespace: 'couchestor-system' },
    { verb: 'get', resource: 'secrets', name: 'other', namespace: 'couchestor-system' },
    { verb: 'get', resource: 'secrets', name: 'openstack-credentials', namespace: 'default' },
    { verb: 'create', resource: 'pods/exec', namespace: 'default' },
    { verb: 'delete', resource: 'pods', namespace: 'default' },
    { verb: 'create', resource: 'pods', namespace: 'couchestor-system' },
    { verb: 'delete', resource: 'persistentvolumeclaims', namespace: 'default' },
    { verb: 'update', resource: 'persistentvolumeclaims', namespace: 'default' },
    { verb: 'patch', resource: 'persistentvolumes' },
    { verb: 'delete', resource: 'persistentvolumes' },
    { verb: 'patch', resource: 'nodes' },
    { verb: 'patch', resource: 'storagepolicies', ...own },
    { verb: 'delete', resource: 'storagepolicies', ...own },
    { verb: 'approve', resource: 'volumemigrations', ...own, namespace: 'default' },
    { verb: 'list', resource: 'configmaps', namespace: 'couchestor-system' },
    { verb: 'create', resource: 'serviceaccounts/token', namespace: 'couchestor-system' },
    {
      verb: 'delete',
      resource: 'leases',
      group: 'coordination.k8s.io',
      namespace: 'couchestor-system',
    },
    {
      verb: 'get',
      resource: 'leases',
      group: 'coordination.k8s.io',
      name: 'x',
      namespace: 'couchestor-system',
    },
    { verb: 'delete', resource: 'volumeattachments', group: 'storage.k8s.io' },
    { verb: 'delete', resource: 'customresourcedefinitions', group: 'apiextensions.k8s.io' },
    { verb: 'escalate', resource: 'clusterroles', group: 'rbac.authorization.k8s.io' },
    { verb: 'impersonate', resource: 'users' },
  ])('the controller may not $verb $resource', async (ask) => {
    expect(await may(CONTROLLER, ask)).toBe(false)
  })

  it.each<Ask>([
    { verb: 'get', resource: 'pods', namespace: 'couchestor-system' },
    { verb: 'list', resource: 'nodes' },
    {
      verb: 'get',
      resource: 'secrets',
      namespace: 'couchestor-system',
      name: 'openstack-credentials',
    },
    { verb: 'get', resource: 'persistentvolumeclaims', namespace: 'default' },
    { verb: 'list', resource: 'volumemigrations', ...own, namespace: 'default' },
  ])('the agent may not $verb $resource', async (ask) => {
    expect(await may(AGENT, ask)).toBe(false)
  })

  it.each([VIEWER, EDITOR, ADMIN])(
    '%s sees the moves of the namespace and changes none',
    async (user) => {
      const ask = { resource: 'volumemigrations', ...own, namespace: NAMESPACE }
      for (const verb of ['get', 'list', 'watch'])
        expect(await may(user, { verb, ...ask })).toBe(true)
      for (const verb of ['create', 'update', 'patch', 'delete', 'approve', 'plan', 'force'])
        expect(await may(user, { verb, ...ask })).toBe(false)
      expect(await may(user, { verb: 'patch', ...ask, resource: 'volumemigrations/status' })).toBe(
        false,
      )
      expect(await may(user, { verb: 'create', resource: 'storagepolicies', ...own })).toBe(false)
      const refused = await as(user, ['create', '-f', '-'], move('by-hand'))
      expect(refused).toMatch(
        /forbidden: User "chart-rights-\w+" cannot create resource "volumemigrations"/,
      )
    },
  )

  describe('a move', () => {
    const create = (user: string, ...of: Parameters<typeof move>) =>
      as(user, ['create', '--dry-run=server', '-f', '-'], move(...of))
    const patch = (user: string, change: object, ...more: string[]) =>
      as(user, ['patch', 'vmig', 'waits', '--type=merge', '-p', JSON.stringify(change), ...more])

    beforeAll(() => apply(move('waits', { reason: 'Policy' })))

    it('by hand is made by an operator, and is Manual', async () => {
      expect(await create(OPERATOR, 'm')).toBe('done')
      expect(await create(OPERATOR, 'm', { reason: 'Manual' })).toBe('done')
      for (const reason of ['Policy', 'Forced'])
        expect(await create(OPERATOR, 'm', { reason })).toMatch(
          /is not the controller: leave spec\.reason out/,
        )
      expect(await create(CONTROLLER, 'm', { reason: 'Policy' })).toBe('done')
      expect(await create(CONTROLLER, 'm', { reason: 'Forced' })).toBe('done')
    })

    it('is approved by an operator, not by one who may only cancel, and not by the controller', async () => {
      const yes = { spec: { approved: true } }
      const dry = '--dry-run=server'
      for (const user of [CANCELLER, CONTROLLER]) {
        expect(await patch(user, yes, dry)).toMatch(
          /may not approve moves.*couchestor-operate gives/,
        )
        expect(await create(user, 'm', { approved: true })).toMatch(/may not approve moves/)
      }
      expect(await patch(CANCELLER, { spec: { cancel: true } }, dry)).toBe('done')
      expect(await patch(OPERATOR, yes)).toBe('done')
      // what is approved stays so, no matter who writes next
      expect(await patch(CANCELLER, { spec: { cancel: true } }, dry)).toBe('done')
      expect(await patch(CONTROLLER, { metadata: { annotations: { x: 'y' } } }, dry)).toBe('done')
    })

    it('bears the name of the person who approved or cancelled it', async () => {
      const by = (who: string) => ({
        metadata: { annotations: { 'couchestor.io/approved-by': who } },
      })
      expect(await patch(OPERATOR, by('somebody'))).toMatch(
        /here chart-rights-operator: write that name/,
      )
      expect(await create(OPERATOR, 'm', {}, { 'couchestor.io/cancelled-by': 'else' })).toMatch(
        /write that name/,
      )
      expect(await patch(OPERATOR, by(OPERATOR))).toBe('done')
      expect(await patch(CANCELLER, by(CANCELLER), '--dry-run=server')).toBe('done')
      // others leave it as it is
      expect(await patch(CONTROLLER, { metadata: { annotations: { x: 'z' } } })).toBe('done')
    })
  })

  describe('where forcing is restricted', () => {
    const claim = (annotations: Record<string, string>) => ({
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'data', namespace: NAMESPACE, annotations },
      spec: {
        storageClassName: 'none',
        accessModes: ['ReadWriteOnce'],
        resources: { requests: { storage: '1Gi' } },
      },
    })
    const annotate = (user: string, ...pairs: string[]) =>
      as(user, ['annotate', '--overwrite', 'pvc', 'data', ...pairs])

    it('the owner of a claim does all but pin its tier', async () => {
      expect(
        await as(EDITOR, ['create', '-f', '-'], claim({ 'couchestor.io/force-tier': 'hot' })),
      ).toMatch(/may not pin tiers/)
      expect(await as(EDITOR, ['create', '-f', '-'], claim({}))).toBe('done')
      expect(await annotate(EDITOR, 'couchestor.io/paused=true')).toBe('done')
      expect(await annotate(EDITOR, 'couchestor.io/force-tier=hot')).toMatch(
        /may not pin tiers.*couchestor-operate gives/,
      )
      await kubectl(['-n', NAMESPACE, 'annotate', 'pvc', 'data', 'couchestor.io/force-tier=hot'])
      expect(await annotate(EDITOR, 'couchestor.io/paused-')).toBe('done')
      expect(await annotate(EDITOR, 'couchestor.io/force-tier=warm')).toMatch(/may not pin tiers/)
      expect(await annotate(EDITOR, 'couchestor.io/force-tier-')).toBe('done')
      expect(await annotate(CONTROLLER, 'couchestor.io/tier=hot')).toBe('done')
    })
  })
})
