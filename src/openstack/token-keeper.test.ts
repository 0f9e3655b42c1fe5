import { describe, expect, it } from 'vitest'
import { ConnectionError } from '../http.ts'
import { SecretText } from './secret-text.ts'
import {
  failureOf,
  ACTION,
  type Handler,
  LOGIN,
  never,
  PROJECT,
  read,
  type Reply,
  setUp,
  testCredentials,
  tokenReply,
  VOLUME,
  write,
} from './testing.ts'

describe('logging in', () => {
  it('happens once for any number of requests that start together', async () => {
    const { session, of } = setUp({ [VOLUME]: { json: {} } })
    await Promise.all(Array.from({ length: 50 }, () => session.request(read)))
    expect(of(LOGIN)).toHaveLength(1)
    expect(of(VOLUME)).toHaveLength(50)
    expect(of(VOLUME)[0]?.headers).toMatchObject({ 'x-auth-token': 'marker-token-1' })
  })

  it('is renewed two minutes before the end without making requests wait', async () => {
    const login: Handler = (_, nth) => (nth === 2 ? never : tokenReply(nth))
    const { session, of, clock } = setUp({ [LOGIN]: login, [VOLUME]: { json: {} } })
    await session.request(read)
    await clock.advance(3600_000 - 121_000)
    await session.request(read)
    expect(of(LOGIN)).toHaveLength(1)
    await clock.advance(2_000)
    await session.request(read)
    expect(of(LOGIN)).toHaveLength(2)
    expect(of(VOLUME)[2]?.headers).toMatchObject({ 'x-auth-token': 'marker-token-1' })
  })

  it('is done again before sending once the old token is too old to use, also after the machine slept', async () => {
    const { session, of, clock } = setUp({ [VOLUME]: { json: {} } })
    await session.request(read)
    clock.suspend(3600_000)
    await session.request(read)
    expect(of(VOLUME)[1]?.headers).toMatchObject({ 'x-auth-token': 'marker-token-2' })
  })

  it("goes by Keystone's clock: ours may be half an hour ahead", async () => {
    const { session, of, clock } = setUp({ [VOLUME]: { json: {} } })
    clock.jumpWall(30 * 60_000)
    await session.request(read)
    await clock.advance(45 * 60_000)
    await session.request(read)
    expect(of(LOGIN)).toHaveLength(1)
  })

  it.each<[string, Handler, string]>([
    ['answers 503', () => ({ status: 503 }), 'ServerError'],
    ['breaks off', () => Promise.reject(new ConnectionError('reset', 'reset')), 'Unreachable'],
  ])(
    'is repeated while Keystone %s, and the caller notified in the end',
    async (_, reply, code) => {
      const { session, of, clock } = setUp({ [LOGIN]: reply })
      const failed = failureOf(session.request(read))
      await clock.advance(120_000)
      expect(await failed).toMatchObject({
        name: 'CinderError',
        code,
        sent: false,
        retryable: true,
      })
      expect(of(LOGIN)).toHaveLength(5)
    },
  )

  it('is not repeated for a minute when it was refused, so that no user gets locked', async () => {
    const refused: Reply = { status: 401, json: { error: { message: 'no', code: 401 } } }
    const { session, of, clock } = setUp({ [LOGIN]: refused })
    for (let i = 0; i < 5; i++)
      await expect(session.request(read)).rejects.toThrow(
        /Keystone https:\/\/keystone.test\/v3 refused application credential "app-1": 401.*OS_APPLICATION_CREDENTIAL_SECRET/,
      )
    expect(of(LOGIN)).toHaveLength(1)
    await clock.advance(61_000)
    await expect(session.request(read)).rejects.toMatchObject({ code: 'OpenStackAuthentication' })
    expect(of(LOGIN)).toHaveLength(2)
  })

  it.each([429, 500, 503])(
    'is asked for a few times a minute while Keystone answers %i, however many requests wait, and works again within a minute',
    async (status) => {
      let down = true
      const login: Handler = (_, nth) => (down ? { status } : tokenReply(nth))
      const { session, of, clock } = setUp({ [LOGIN]: login, [VOLUME]: { json: {} } })
      for (let second = 0; second < 600; second++) {
        session.request(read).catch(() => {})
        await clock.advance(1_000)
      }
      expect(of(LOGIN).length).toBeGreaterThan(20)
      expect(of(LOGIN).length).toBeLessThan(60)
      down = false
      await clock.advance(61_000)
      await expect(session.request(read)).resolves.toMatchObject({ status: 200 })
    },
  )

  it('that is refused is asked for as seldom when Keystone fails in between', async () => {
    let refused = 0
    // a failed login is five tries
    const login: Handler = (_, nth) => {
      if (nth % 6 !== 1) return { status: 503 }
      refused += 1
      return { status: 401 }
    }
    const { session, clock } = setUp({ [LOGIN]: login })
    for (let i = 0; i < 720; i++) {
      session.request(read).catch(() => {})
      await clock.advance(10_000)
    }
    // after the first few once in a quarter of an hour
    expect(refused).toBeGreaterThan(5)
    expect(refused).toBeLessThan(13)
  })

  it('that was under way at forget and fails holds up no later one', async () => {
    let turnAway: (reply: Reply) => void = () => {}
    const slow = new Promise<Reply>((resolve) => (turnAway = resolve))
    const login: Handler = (_, nth) => (nth === 1 ? slow : tokenReply(nth, 60))
    const { session, clock } = setUp({ [LOGIN]: login, [VOLUME]: { json: {} } })
    const first = session.request(read)
    session.forget()
    await session.request(read)
    turnAway({ status: 401 })
    await expect(first).rejects.toMatchObject({ refusedBy: 'identity' })
    await clock.advance(55_000)
    await expect(session.request(read)).resolves.toMatchObject({ status: 200 })
  })

  it('takes a changed secret at once, also after a refusal', async () => {
    let secret = 'old-secret'
    const login: Handler = (req) =>
      req.body?.includes('new-secret') ? tokenReply(9) : { status: 401 }
    const { session } = setUp({ [LOGIN]: login, [VOLUME]: { json: {} } }, () => ({
      ...testCredentials,
      auth: {
        kind: 'applicationCredential',
        credential: { id: 'a' },
        secret: new SecretText(secret),
      },
    }))
    await expect(session.request(read)).rejects.toMatchObject({ refusedBy: 'identity' })
    secret = 'new-secret'
    await expect(session.request(read)).resolves.toMatchObject({ status: 200 })
  })

  it('after forget is done again', async () => {
    const { session, of } = setUp({ [VOLUME]: { json: {} } })
    await session.request(read)
    session.forget()
    await session.request(read)
    expect(of(LOGIN)).toHaveLength(2)
  })

  it('that was under way at forget is not used for later requests', async () => {
    let letIn: (reply: Reply) => void = () => {}
    const slow = new Promise<Reply>((resolve) => (letIn = resolve))
    const login: Handler = (_, nth) => (nth === 1 ? slow : tokenReply(nth))
    const { session, of } = setUp({ [LOGIN]: login, [VOLUME]: {} })
    const first = session.request(read)
    session.forget()
    await session.request(read)
    letIn(tokenReply(1))
    await first
    await session.request(read)
    expect(of(VOLUME).at(-1)?.headers).toMatchObject({ 'x-auth-token': 'marker-token-2' })
  })

  it('without a project is refused with the variables to set', async () => {
    const { session } = setUp({ [LOGIN]: tokenReply(1, 3600, { project: undefined }) })
    await expect(session.request(read)).rejects.toThrow(
      /belongs to no project: set OS_PROJECT_NAME/,
    )
  })

  it('with a given token uses that token as it is', async () => {
    const reply = tokenReply(1)
    const { session, of } = setUp(
      { 'GET /v3/auth/tokens': { ...reply, status: 200, headers: {} }, [VOLUME]: { json: {} } },
      { ...testCredentials, auth: { kind: 'token', token: new SecretText('given-token') } },
    )
    await session.request(read)
    expect(of(LOGIN)).toHaveLength(0)
    expect(of(VOLUME)[0]?.headers).toMatchObject({ 'x-auth-token': 'given-token' })
    await expect(session.projectId()).resolves.toBe(PROJECT)
  })
})

describe('an answer 401', () => {
  it.each([
    ['a read', read, VOLUME],
    ['a write', write, ACTION],
  ])('makes %s log in again and go out once more', async (_, request, route) => {
    const { session, of } = setUp({ [route]: [{ status: 401 }, { status: 202 }] })
    await expect(session.request(request)).resolves.toMatchObject({ status: 202 })
    expect(of(LOGIN)).toHaveLength(2)
    expect(of(route)).toHaveLength(2)
    expect(of(route)[1]?.headers).toMatchObject({ 'x-auth-token': 'marker-token-2' })
  })

  it('to many requests at once leads to one new login', async () => {
    const volume: Handler = (req) => ({
      status: req.headers?.['x-auth-token'] === 'marker-token-1' ? 401 : 200,
    })
    const { session, of } = setUp({ [VOLUME]: volume })
    await Promise.all(Array.from({ length: 20 }, () => session.request(read)))
    expect(of(LOGIN)).toHaveLength(2)
  })

  it('that comes late, after others have logged in again, leads to no third login', async () => {
    let late: (reply: Reply) => void = () => {}
    const volume: Handler = (req, nth) => {
      if (req.headers?.['x-auth-token'] !== 'marker-token-1') return {}
      return nth === 1 ? new Promise<Reply>((resolve) => (late = resolve)) : { status: 401 }
    }
    const { session, of } = setUp({ [VOLUME]: volume })
    const slow = session.request(read)
    await session.request(read)
    late({ status: 401 })
    await expect(slow).resolves.toMatchObject({ status: 200 })
    expect(of(LOGIN)).toHaveLength(2)
  })

  it('that comes again is the end, with a cause to look for', async () => {
    const { session, of } = setUp({ [VOLUME]: { status: 401 } })
    const error = await session.request(read).catch((e: unknown) => e)
    expect(error).toMatchObject({
      code: 'OpenStackAuthentication',
      refusedBy: 'service',
      status: 401,
    })
    expect((error as Error).message).toMatch(/access rules/)
    expect(of(VOLUME)).toHaveLength(2)
  })
})
