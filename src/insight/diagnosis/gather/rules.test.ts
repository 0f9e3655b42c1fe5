import { expect, it } from 'vitest'
import type { KubeClient } from '../../../kube/types.ts'
import { gatherRules } from './rules.ts'

type Review = {
  readonly spec: {
    readonly resourceAttributes: {
      readonly verb: string
      readonly resource: string
      readonly name?: string
    }
  }
}

it('asks for the Secret that credential_ref names, since the account may read no other', async () => {
  const create = (_: unknown, { spec: { resourceAttributes: asked } }: Review) =>
    Promise.resolve({
      metadata: {},
      status: { allowed: asked.resource !== 'secrets' || asked.name === 'mine' },
    })
  const kube = { create } as unknown as KubeClient
  const controller = { namespace: 'couchestor-system', serviceAccount: 'couchestor' }
  const of = async (secretName: string | undefined) => {
    const { denied } = await gatherRules(kube, 'admin', controller, {
      secretName,
      replacing: false,
      restarting: false,
    })
    return denied.map(({ name }) => name)
  }
  expect(await of('mine')).toEqual([])
  expect(await of('theirs')).toEqual(['theirs'])
  expect(await of(undefined)).toEqual(['openstack-credentials'])
})

it('asks for the rights of replacements only where a policy wants them, and apart from the others', async () => {
  const create = (_: unknown, { spec: { resourceAttributes: asked } }: Review) =>
    Promise.resolve({
      metadata: {},
      status: { allowed: asked.resource !== 'persistentvolumes' || asked.verb !== 'create' },
    })
  const kube = { create } as unknown as KubeClient
  const controller = { namespace: 'couchestor-system', serviceAccount: 'couchestor' }
  const of = (replacing: boolean) =>
    gatherRules(kube, 'admin', controller, { secretName: undefined, replacing, restarting: false })
  expect(await of(false)).toMatchObject({ denied: [], replacing: [] })
  expect(await of(true)).toMatchObject({
    denied: [],
    replacing: [{ verb: 'create', resource: 'persistentvolumes' }],
  })
})

it('asks for the rights of restarts only where a policy wants them, and apart from the others', async () => {
  const create = (_: unknown, { spec: { resourceAttributes: asked } }: Review) =>
    Promise.resolve({
      metadata: {},
      status: { allowed: asked.resource !== 'statefulsets' || asked.verb !== 'patch' },
    })
  const kube = { create } as unknown as KubeClient
  const controller = { namespace: 'couchestor-system', serviceAccount: 'couchestor' }
  const of = (restarting: boolean) =>
    gatherRules(kube, 'admin', controller, { secretName: undefined, replacing: false, restarting })
  expect(await of(false)).toMatchObject({ denied: [], replacing: [], restarting: [] })
  expect(await of(true)).toMatchObject({
    denied: [],
    replacing: [],
    restarting: [{ verb: 'patch', group: 'apps', resource: 'statefulsets' }],
  })
})
