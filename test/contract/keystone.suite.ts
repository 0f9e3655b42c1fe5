import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { credentialAuth, openSession, passwordAuth } from './cloud-target.ts'
import type { CloudTarget, Session } from './cloud-target.ts'
import { call } from './raw-http.ts'

/** What CoucheStor relies on in Keystone, tried over HTTP; the same for the simulator and the real service. `block` is the describe to use. */
export function keystoneContract(
  name: string,
  open: () => Promise<CloudTarget>,
  block: typeof describe.skip = describe,
): void {
  block(`Keystone of ${name}`, () => {
    let cloud: CloudTarget
    let member: Session
    const made: string[] = []

    const login = (body: unknown, query = '') =>
      call('POST', `${cloud.authUrl}/auth/tokens${query}`, { body })
    const credentials = () => `${cloud.authUrl}/users/${member.userId}/application_credentials`
    const makeCredential = async (input: object) => {
      const body = { application_credential: input }
      const answer = await call('POST', credentials(), { token: member.token, body })
      if (answer.status === 201) made.push(answer.body.application_credential.id)
      return answer
    }

    beforeAll(async () => {
      cloud = await open()
      member = await openSession(cloud, passwordAuth(cloud.couchestor))
    })
    afterAll(async () => {
      for (const id of made) await call('DELETE', `${credentials()}/${id}`, { token: member.token })
      await cloud.stop()
    })

    it('gives a token with a catalog for a name and a password', async () => {
      const answer = await login(passwordAuth(cloud.couchestor))
      expect(answer.status).toBe(201)
      expect(answer.headers['x-subject-token']).toMatch(/^gAAAAA/)
      expect(answer.headers['x-openstack-request-id']).toMatch(/^req-[0-9a-f-]{36}$/)
      const { token } = answer.body
      expect(token.methods).toEqual(['password'])
      expect(token.project).toEqual({
        id: expect.stringMatching(/^[0-9a-f]{32}$/),
        name: 'couchestor',
        domain: { id: 'default', name: 'Default' },
      })
      expect(token.expires_at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000000Z$/)
      expect(token.roles.map((r: { name: string }) => r.name)).toContain('member')
    })

    it('lists the volume service with three interfaces of a region and the project in its URL', async () => {
      const { body } = await login(passwordAuth(cloud.couchestor))
      const entry = body.token.catalog.find((e: { type: string }) => e.type === 'volumev3')
      const faces = entry.endpoints.map((e: { interface: string }) => e.interface)
      expect(faces.toSorted()).toEqual(['admin', 'internal', 'public'])
      for (const endpoint of entry.endpoints) {
        expect(endpoint.region).toBe('RegionOne')
        expect(endpoint.region_id).toBe('RegionOne')
        expect(endpoint.url).toMatch(new RegExp(`/v3/${body.token.project.id}$`))
      }
    })

    it('gives an application credential a token without a scope in the request, and less roles', async () => {
      const answer = await login(credentialAuth(cloud.operator))
      expect(answer.status).toBe(201)
      expect(answer.body.token.methods).toEqual(['application_credential'])
      expect(answer.body.token.application_credential).toEqual({
        id: cloud.operator.id,
        name: 'operator',
        restricted: true,
      })
      expect(answer.body.token.roles.map((r: { name: string }) => r.name)).toEqual(['member'])
      expect(answer.body.token.catalog).toBeDefined()
    })

    it('takes an application credential by name and user id', async () => {
      const credential = {
        name: 'operator',
        secret: cloud.operator.secret,
        user: { id: member.userId },
      }
      const identity = {
        methods: ['application_credential'],
        application_credential: credential,
      }
      expect((await login({ auth: { identity } })).status).toBe(201)
    })

    it('leaves the catalog out on ?nocatalog', async () => {
      const answer = await login(credentialAuth(cloud.operator), '?nocatalog')
      expect(answer.status).toBe(201)
      expect(answer.body.token.catalog).toBeUndefined()
    })

    it.each<[string, (c: CloudTarget) => unknown]>([
      ['a wrong password', (c) => passwordAuth({ ...c.couchestor, password: 'wrong' })],
      ['an unknown user', (c) => passwordAuth({ ...c.couchestor, username: 'nobody' })],
      ['an unknown project', (c) => passwordAuth({ ...c.couchestor, project: 'nowhere' })],
      ['a project of others', (c) => passwordAuth({ ...c.couchestor, project: 'other' })],
      ['a wrong secret', (c) => credentialAuth({ ...c.operator, secret: 'wrong' })],
      ['no method', () => ({ auth: { identity: { methods: [] } } })],
      ['an unknown method', () => ({ auth: { identity: { methods: ['magic'], magic: {} } } })],
      [
        'an application credential with a scope',
        (c) => ({
          auth: { ...credentialAuth(c.operator).auth, scope: { project: { id: 'a' } } },
        }),
      ],
    ])('answers 401 to %s', async (_, body) => {
      const answer = await login(body(cloud))
      expect(answer.status).toBe(401)
      expect(answer.headers['www-authenticate']).toMatch(/^Keystone uri="/)
      expect(answer.body.error).toMatchObject({ code: 401, title: 'Unauthorized' })
    })

    it('answers 404 to an application credential that is not there', async () => {
      const answer = await login(credentialAuth({ id: 'nope', secret: 'x' }))
      expect(answer.status).toBe(404)
      expect(answer.body.error.message).toBe('Could not find Application Credential: nope.')
    })

    it.each([
      ['a body without auth', {}, /^Expecting to find auth in request body\./],
      ['a body that is not JSON', '{x', /^Expecting to find valid JSON in request body\./],
    ])('answers 400 to %s', async (_, body, message) => {
      const answer = await login(body)
      expect(answer.status).toBe(400)
      expect(answer.body.error).toMatchObject({ code: 400, title: 'Bad Request' })
      expect(answer.body.error.message).toMatch(message)
    })

    it('describes a token to its owner', async () => {
      const answer = await call('GET', `${cloud.authUrl}/auth/tokens?nocatalog`, {
        token: member.token,
        headers: { 'x-subject-token': member.token },
      })
      expect(answer.status).toBe(200)
      expect(answer.body.token.project.id).toBe(member.projectId)
    })

    it.each<[string, (m: Session) => object, number]>([
      ['without a token', () => ({}), 401],
      ['with an invalid token', () => ({ token: 'nope' }), 401],
      ['without a subject', (m) => ({ token: m.token }), 403],
      [
        'about an unknown subject',
        (m) => ({ token: m.token, headers: { 'x-subject-token': 'nope' } }),
        404,
      ],
    ])('refuses to describe a token %s', async (_, options, status) => {
      const answer = await call('GET', `${cloud.authUrl}/auth/tokens`, options(member))
      expect(answer.status).toBe(status)
      expect(answer.body.error.code).toBe(status)
    })

    it('refuses a token everywhere once it is revoked', async () => {
      const session = await openSession(cloud, credentialAuth(cloud.operator))
      const revoked = await call('DELETE', `${cloud.authUrl}/auth/tokens`, {
        token: session.token,
        headers: { 'x-subject-token': session.token },
      })
      expect(revoked.status).toBe(204)
      const again = await call('GET', `${cloud.authUrl}/auth/tokens`, {
        token: session.token,
        headers: { 'x-subject-token': session.token },
      })
      expect(again.status).toBe(401)
      expect((await session.cinder('GET', '/types')).status).toBe(401)
    })

    it('lets a user make an application credential, which works until it is deleted', async () => {
      const answer = await makeCredential({ name: `${cloud.prefix}-short` })
      expect(answer.status).toBe(201)
      const created = answer.body.application_credential
      expect(created).toMatchObject({ project_id: member.projectId, expires_at: null })
      const session = await openSession(cloud, credentialAuth(created))
      const url = `${credentials()}/${created.id}`
      expect((await call('DELETE', url, { token: member.token })).status).toBe(204)
      expect((await login(credentialAuth(created))).status).toBe(404)
      expect((await session.cinder('GET', '/types')).status).toBe(401)
    })

    it('refuses an application credential to make another', async () => {
      const session = await openSession(cloud, credentialAuth(cloud.operator))
      const answer = await call('POST', credentials(), {
        token: session.token,
        body: { application_credential: { name: `${cloud.prefix}-child` } },
      })
      expect(answer.status).toBe(403)
      expect(answer.body.error.message).toContain('application_credential')
    })

    it.each<[string, object, number]>([
      ['a second one of the same name', { name: 'operator' }, 409],
      ['an expiry in the past', { name: 'past', expires_at: '2001-01-01T00:00:00.000000' }, 400],
      ['no name', {}, 400],
    ])('refuses an application credential with %s', async (_, input, status) => {
      const answer = await makeCredential(input)
      expect(answer.status).toBe(status)
      expect(answer.body.error.code).toBe(status)
    })

    it('ends an application credential and its tokens at its expiry', async () => {
      const expiresAt = new Date(cloud.now() + 10_000).toISOString().replace('Z', '000')
      const answer = await makeCredential({ name: `${cloud.prefix}-dying`, expires_at: expiresAt })
      const created = answer.body.application_credential
      const session = await openSession(cloud, credentialAuth(created))
      expect((await session.cinder('GET', '/types')).status).toBe(200)
      await cloud.pass(12_000)
      expect((await login(credentialAuth(created))).status).toBe(401)
      expect((await session.cinder('GET', '/types')).status).toBe(401)
    })
  })
}
