import { describe, expect, it } from 'vitest'
import type { Setup } from './apiserver-setup.ts'

/** Discovery, health, errors of the server itself. */
export function serverContract(use: () => Setup) {
  describe('the server itself', () => {
    it.each(['/healthz', '/livez', '/readyz'])('%s answers ok as plain text', async (path) => {
      const { status, body } = await use().api.get(path)

      expect([status, body]).toEqual([200, 'ok'])
    })

    it('reports its version', async () => {
      const { body } = await use().api.get('/version')

      expect(body).toMatchObject({ major: '1', gitVersion: expect.stringMatching(/^v1\.\d+\.\d+/) })
    })

    it('lists groups, versions and resources of custom kinds too', async () => {
      const { api } = use()
      const groups = await api.get('/apis')
      const resources = await api.get('/apis/contract.couchestor.io/v1')

      const names = groups.body.groups.map((g: { name: string }) => g.name)
      expect(names).toEqual(expect.arrayContaining(['storage.k8s.io', 'contract.couchestor.io']))
      expect(resources.body).toMatchObject({
        kind: 'APIResourceList',
        groupVersion: 'contract.couchestor.io/v1',
        resources: [
          { name: 'widgets', kind: 'Widget', namespaced: true },
          { name: 'widgets/status', kind: 'Widget' },
        ],
      })
    })

    it.each([
      ['an unknown resource of a known group', '/api/v1/gadgets', 'NotFound'],
      ['an unknown subresource', '/api/v1/namespaces/default/configmaps/x/log', 'NotFound'],
    ])('answers 404 as a Status for %s', async (_what, path, reason) => {
      const { status, body } = await use().api.get(path)

      expect(status).toBe(404)
      expect(body).toMatchObject({ kind: 'Status', reason, code: 404, status: 'Failure' })
    })

    it('answers 404 as plain text where no group is served', async () => {
      const { status, body } = await use().api.get('/apis/nobody.example/v1/foos')

      expect([status, body]).toEqual([404, '404 page not found\n'])
    })

    it('answers 405 for a method that the path has not', async () => {
      const { api, configmaps } = use()
      const { status, body } = await api.post(`${configmaps}/x`, {})

      expect([status, body.reason]).toEqual([405, 'MethodNotAllowed'])
    })

    it('answers 406 when nothing it can write is accepted', async () => {
      const { api, configmaps } = use()
      const { status, body } = await api.get(configmaps, { accept: 'text/plain' })

      expect([status, body.reason]).toEqual([406, 'NotAcceptable'])
    })

    it('says what an administrator may do', async () => {
      const { status, body } = await use().api.post(
        '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
        {
          kind: 'SelfSubjectAccessReview',
          apiVersion: 'authorization.k8s.io/v1',
          spec: { resourceAttributes: { verb: 'patch', resource: 'persistentvolumeclaims' } },
        },
      )

      expect([status, body.status.allowed]).toEqual([201, true])
    })
  })
}
