import { describe, expect, it } from 'vitest'
import {
  failureOf,
  LOGIN,
  read,
  type Reply,
  SECRET,
  setUp,
  testCredentials,
  tokenReply,
  VOLUME,
} from './testing.ts'

const OK = { [VOLUME]: { json: { ok: true } } }
const moved = (location: string, status = 302): Reply => ({ status, headers: { location } })

describe('a login that is redirected', () => {
  it.each([301, 302, 307, 308])(
    'with %i to another path of Keystone on the same host goes there, with its body',
    async (status) => {
      const { session, of } = setUp({
        ...OK,
        [LOGIN]: moved('/identity/v3/auth/tokens', status),
        'POST /identity/v3/auth/tokens': tokenReply(1),
      })
      await expect(session.request(read)).resolves.toMatchObject({ status: 200 })
      expect(of('POST /identity/v3/auth/tokens')[0]?.body).toContain(SECRET)
    },
  )

  it('from http to https goes there, also with another port', async () => {
    const { session, requests } = setUp(
      {
        ...OK,
        [LOGIN]: (request) =>
          request.url.startsWith('http:')
            ? moved('https://keystone.test:5443/v3/auth/tokens')
            : tokenReply(1),
      },
      { ...testCredentials, authUrl: 'http://keystone.test:5000/v3' },
    )
    await expect(session.request(read)).resolves.toMatchObject({ status: 200 })
    expect(requests[1]?.url).toBe('https://keystone.test:5443/v3/auth/tokens')
  })

  it.each([
    ['another host', 'https://other.test/v3/auth/tokens', 'https://other.test/v3'],
    ['another port', 'https://keystone.test:8443/v3/auth/tokens', 'https://keystone.test:8443/v3'],
    ['http', 'http://keystone.test/v3/auth/tokens', 'http://keystone.test/v3'],
    [
      'a login page',
      '/dashboard/auth/login/?next=/v3',
      'https://keystone.test/dashboard/auth/login/',
    ],
    ['a user of its own', 'https://me:pw@keystone.test/v3/auth/tokens', 'https://keystone.test/v3'],
    ['another scheme', 'ftp://keystone.test/v3/auth/tokens', 'ftp://keystone.test/v3'],
  ])('to %s is reported with the target, and the secret stays here', async (_, location, shown) => {
    const { session, requests } = setUp({ ...OK, [LOGIN]: moved(location) })
    const failure = await failureOf(session.request(read))
    expect(failure).toMatchObject({ code: 'OpenStackAuthUrl' })
    expect(String(failure)).toContain('OS_AUTH_URL https://keystone.test/v3 redirects')
    expect(String(failure)).toContain(shown)
    expect(String(failure)).not.toMatch(/new credential|OS_APPLICATION_CREDENTIAL|pw@/)
    expect(requests).toHaveLength(1)
  })

  it('in a circle ends', async () => {
    const { session, of } = setUp({ ...OK, [LOGIN]: moved('/v3/auth/tokens') })
    await expect(session.request(read)).rejects.toMatchObject({ code: 'OpenStackAuthUrl' })
    expect(of(LOGIN)).toHaveLength(4)
  })
})

const own = (status: number, message: string): Reply => ({
  status,
  json: { error: { code: status, message, title: 'x' } },
})

describe('a login that something else answers', () => {
  it.each<[string, Reply]>([
    ['an HTML 404', { status: 404, text: '<html>Not Found</html>' }],
    ["Keystone's 404 for a path", own(404, '(http://k/v3): The resource could not be found.')],
    ['an HTML 400', { status: 400, text: '<html>plain HTTP request was sent to HTTPS port' }],
    ['an HTML 403', { status: 403, text: '<html>blocked' }],
    ['a 405', { status: 405 }],
    ['a 410', { status: 410 }],
    ['a 501', { status: 501 }],
    ['a list of versions', { status: 300, json: { versions: { values: [] } } }],
    ['a page', { status: 200, text: '<html>Welcome' }],
    ['a redirect without a target', { status: 302 }],
  ])('%s leads to OS_AUTH_URL, and not to a new credential', async (_, reply) => {
    const { session, clock } = setUp({ ...OK, [LOGIN]: reply })
    const failing = failureOf(session.request(read))
    await clock.advance(120_000)
    const failure = await failing
    expect(failure).toMatchObject({ code: 'OpenStackAuthUrl' })
    expect(String(failure)).toMatch(
      /OS_AUTH_URL https:\/\/keystone\.test\/v3 does not lead to Keys/,
    )
    expect(String(failure)).not.toMatch(/OS_APPLICATION_CREDENTIAL/)
  })

  it.each<[string, Reply]>([
    ['a 401', own(401, 'The request you have made requires authentication.')],
    ['a 401 without a body', { status: 401 }],
    ['a 404 for the credential', own(404, 'Could not find Application Credential: app-1.')],
    ['a 403', own(403, 'The account is locked')],
    ['a 400', own(400, 'Expecting to find id or name in application_credential')],
  ])('%s of Keystone itself is about the credential', async (_, reply) => {
    const { session } = setUp({ ...OK, [LOGIN]: reply })
    await expect(session.request(read)).rejects.toMatchObject({ code: 'OpenStackAuthentication' })
  })
})

it('a wrong OS_AUTH_URL is not asked again for a minute', async () => {
  const { session, of, clock } = setUp({ ...OK, [LOGIN]: { status: 405 } })
  await failureOf(session.request(read))
  await failureOf(session.request(read))
  expect(of(LOGIN)).toHaveLength(1)
  await clock.advance(61_000)
  await failureOf(session.request(read))
  expect(of(LOGIN)).toHaveLength(2)
})
