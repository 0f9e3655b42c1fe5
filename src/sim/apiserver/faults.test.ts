import { describe, expect, it } from 'vitest'
import { configMap, testServer } from './testing.ts'

const PATH = '/api/v1/namespaces/default/configmaps'

describe('an injected fault', () => {
  it.each([
    ['refused', { failure: 'refused', sent: false }, 0],
    ['before', { failure: 'reset', sent: true }, 0],
    ['after', { failure: 'reset', sent: true }, 1],
  ] as const)('drops the connection %s the effect', async (when, error, stored) => {
    const { server, send } = testServer()
    server.fail({ match: { verb: 'create' }, fault: { kind: 'drop', when } })

    await expect(send('POST', PATH, configMap('a'))).rejects.toMatchObject(error)
    expect(server.objects(PATH)).toHaveLength(stored)
  })

  it.each([
    ['before', 0],
    ['after', 1],
  ] as const)('answers 500 %s the effect', async (when, stored) => {
    const { server, send } = testServer()
    server.fail({ match: { verb: 'create' }, fault: { kind: 'status', code: 500, when } })
    const { status, body } = await send('POST', PATH, configMap('a'))

    expect([status, body.reason]).toEqual([500, 'InternalError'])
    expect(server.objects(PATH)).toHaveLength(stored)
  })

  it('answers 429 with the time to wait, so often and no more', async () => {
    const { server, send } = testServer()
    server.fail({
      match: { resource: 'configmaps' },
      fault: { kind: 'status', code: 429, retryAfterSeconds: 7 },
      skip: 1,
      times: 2,
    })
    const answers = []
    for (let i = 0; i < 4; i++) answers.push(await send('GET', PATH))

    expect(answers.map((a) => a.status)).toEqual([200, 429, 429, 200])
    expect(answers[1]!.headers['retry-after']).toBe('7')
    expect(answers[1]!.body).toMatchObject({
      reason: 'TooManyRequests',
      details: { retryAfterSeconds: 7 },
    })
  })

  it('strikes only what it matches, until it is removed', async () => {
    const { server, send } = testServer()
    const remove = server.fail({
      match: ({ name }) => name === 'b',
      fault: { kind: 'status', code: 503 },
      times: Infinity,
    })
    const hit = await send('GET', `${PATH}/b`)
    const spared = await send('GET', `${PATH}/a`)
    remove()
    const later = await send('GET', `${PATH}/b`)

    expect([hit.status, spared.status, later.status]).toEqual([503, 404, 404])
  })

  it('delays the effect on the clock of the server', async () => {
    const { server, clock, send } = testServer()
    server.fail({ match: { verb: 'create' }, fault: { kind: 'delay', ms: 3000 } })
    const answer = send('POST', PATH, configMap('a'))
    await clock.advance(2999)
    const early = server.objects(PATH).length
    await clock.advance(1)

    expect((await answer).status).toBe(201)
    expect([early, server.objects(PATH).length]).toEqual([0, 1])
  })

  it('answers reads as of an older version', async () => {
    const { server, send } = testServer()
    await send('POST', PATH, configMap('a', { x: 'old' }))
    const { resourceVersion } = server
    await send('PATCH', `${PATH}/a`, { data: { x: 'new' } })
    await send('POST', PATH, configMap('b'))
    server.fail({
      match: ({ verb }) => verb === 'get' || verb === 'list',
      fault: { kind: 'stale', resourceVersion },
      times: 3,
    })
    const object = await send('GET', `${PATH}/a`)
    const missing = await send('GET', `${PATH}/b`)
    const list = await send('GET', PATH)
    const now = await send('GET', PATH)

    expect([object.body.data, missing.status]).toEqual([{ x: 'old' }, 404])
    expect(list.body.items).toHaveLength(1)
    expect(list.body.metadata.resourceVersion).toBe(String(resourceVersion))
    expect(now.body.items).toHaveLength(2)
  })

  it.each([
    ['end', 'end', 1],
    ['reset', 'reset', 1],
    ['expired', 'end', 2],
  ] as const)('cuts a watch after an event: %s', async (how, ended, events) => {
    const { server, watch } = testServer()
    server.fail({ match: { verb: 'watch' }, fault: { kind: 'cut', afterEvents: 1, how } })
    const first = await watch(`${PATH}?watch=1&resourceVersion=${server.resourceVersion}`)
    server.seed(configMap('a'), configMap('b'))

    expect(await first.ended).toBe(ended)
    expect(first.events).toHaveLength(events)
    expect(first.events[1]?.object.code).toBe(how === 'expired' ? 410 : undefined)
    expect(server.openWatches).toBe(0)
  })

  it('cuts every open watch of one resource at once', async () => {
    const { server, watch } = testServer()
    const configMaps = await watch(`${PATH}?watch=1&resourceVersion=${server.resourceVersion}`)
    await watch(`/api/v1/pods?watch=1&resourceVersion=${server.resourceVersion}`)

    expect(server.cutWatches('reset', 'configmaps')).toBe(1)
    expect(await configMaps.ended).toBe('reset')
    expect(server.openWatches).toBe(1)
  })
})
