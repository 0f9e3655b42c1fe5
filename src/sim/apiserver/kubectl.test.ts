import { expect, it } from 'vitest'
import { testServer } from './testing.ts'
import type { Json } from './testing.ts'

const CRD = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'widgets.test.io' },
  spec: {
    group: 'test.io',
    scope: 'Namespaced',
    names: { plural: 'widgets', kind: 'Widget', categories: ['things'] },
    versions: [
      {
        name: 'v1',
        served: true,
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: { spec: { type: 'object', description: 'What is wanted.' } },
          },
        },
      },
    ],
  },
}

it('kubectl explain finds the schema of a kind by its group, version and kind', async () => {
  const { send } = testServer({ crds: [CRD] })
  const { body } = await send('GET', '/openapi/v3/apis/test.io/v1')
  const schema = Object.values<Json>(body.components.schemas).find(
    (s) => s['x-kubernetes-group-version-kind'][0].kind === 'Widget',
  )
  expect(schema.properties.spec.description).toBe('What is wanted.')
})

it('kubectl get knows the category of a kind', async () => {
  const { send } = testServer({ crds: [CRD] })
  const { body } = await send('GET', '/apis/test.io/v1')
  expect(body.resources[0].categories).toEqual(['things'])
})

it('kubectl --sort-by gets the whole objects with its table, and other lists their metadata', async () => {
  const { send } = testServer()
  const path = '/api/v1/namespaces/a/configmaps'
  await send('POST', '/api/v1/namespaces', { metadata: { name: 'a' } })
  await send('POST', path, { metadata: { name: 'one' }, data: { x: '1' } })
  const accept = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' }
  const rows = async (query: string) =>
    (await send('GET', `${path}${query}`, undefined, accept)).body.rows as Json[]
  const [whole] = await rows('?includeObject=Object')
  expect(whole.object.data).toEqual({ x: '1' })
  const [brief] = await rows('')
  expect(brief.object.data).toBeUndefined()
})
