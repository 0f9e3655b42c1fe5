import { describe, expect, it } from 'vitest'
import { configMap, testServer } from './testing.ts'

const PATH = '/api/v1/namespaces/default/configmaps'

describe('a watch', () => {
  it('bookmarks each minute at the version of the whole server', async () => {
    const { server, clock, watch } = testServer()
    const { events } = await watch(
      `${PATH}?watch=1&allowWatchBookmarks=true&resourceVersion=${server.resourceVersion}`,
    )
    await clock.advance(59_999)
    const early = events.length
    server.seed({ ...configMap('elsewhere'), kind: 'Secret' })
    await clock.advance(60_001)

    expect(early).toBe(0)
    expect(events.map((e) => e.type)).toEqual(['BOOKMARK', 'BOOKMARK'])
    expect(events[1].object).toMatchObject({
      kind: 'ConfigMap',
      metadata: { resourceVersion: String(server.resourceVersion) },
    })
  })

  it('sends no bookmarks unasked', async () => {
    const { server, clock, watch } = testServer()
    const { events } = await watch(`${PATH}?watch=1&resourceVersion=${server.resourceVersion}`)
    await clock.advance(300_000)

    expect(events).toEqual([])
  })

  it('ends after timeoutSeconds and leaves no timer behind', async () => {
    const { server, clock, watch } = testServer()
    const open = await watch(
      `${PATH}?watch=1&allowWatchBookmarks=true&timeoutSeconds=300&resourceVersion=${server.resourceVersion}`,
    )
    await clock.advance(300_000)

    expect(await open.ended).toBe('end')
    expect([server.openWatches, clock.pending]).toEqual([0, 0])
  })

  it('is over for the server when the client aborts', async () => {
    const { server, clock, watch } = testServer()
    const open = await watch(`${PATH}?watch=1&resourceVersion=${server.resourceVersion}`)
    open.stop()

    expect(await open.ended).toBe('aborted')
    expect([server.openWatches, clock.pending]).toEqual([0, 0])
  })

  it('from before the history gets one ERROR event 410, and a list fixes it', async () => {
    const { server, clock, send, watch } = testServer({ historyLimit: 3 })
    const old = server.resourceVersion
    for (let i = 0; i < 10; i++) server.seed(configMap(`c${i}`))
    const late = await watch(`${PATH}?watch=1&resourceVersion=${old}`)
    const list = await send('GET', PATH)
    const fresh = await watch(
      `${PATH}?watch=1&resourceVersion=${list.body.metadata.resourceVersion}`,
    )
    server.seed(configMap('new'))

    expect(await late.ended).toBe('end')
    expect(late.events).toMatchObject([{ type: 'ERROR', object: { code: 410, reason: 'Expired' } }])
    expect(list.body.items).toHaveLength(10)
    await clock.settle()
    fresh.stop()
    await fresh.ended
    expect(fresh.events.map((e) => e.object.metadata.name)).toEqual(['new'])
  })

  it('open during a compaction goes on', async () => {
    const { server, clock, watch } = testServer()
    const open = await watch(`${PATH}?watch=1&resourceVersion=${server.resourceVersion}`)
    server.compact()
    server.seed(configMap('after'))
    await clock.settle()
    open.stop()
    await open.ended

    expect(open.events.map((e) => e.type)).toEqual(['ADDED'])
  })
})

describe('a continue token', () => {
  it('of a compacted version is refused with 410 and a token to go on with', async () => {
    const { server, send } = testServer()
    for (let i = 0; i < 5; i++) server.seed(configMap(`c${i}`))
    const first = await send('GET', `${PATH}?limit=2`)
    server.seed(configMap('c00'))
    server.compact()
    const refused = await send('GET', `${PATH}?limit=9&continue=${first.body.metadata.continue}`)
    const rest = await send('GET', `${PATH}?limit=9&continue=${refused.body.metadata.continue}`)

    expect([refused.status, refused.body.reason]).toEqual([410, 'Expired'])
    expect(rest.body.items.map((o: { metadata: { name: string } }) => o.metadata.name)).toEqual([
      'c2',
      'c3',
      'c4',
    ])
  })
})
