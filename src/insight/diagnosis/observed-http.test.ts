import { describe, expect, it } from 'vitest'
import { createVirtualClock } from '../../../test/virtual-clock.ts'
import { ConnectionError } from '../../http.ts'
import type { HttpClient, HttpResponse } from '../../http.ts'
import { observed } from './observed-http.ts'

const NOW = Date.UTC(2026, 0, 1)

function answering(answer: Partial<HttpResponse> | ConnectionError): HttpClient {
  return {
    close: () => Promise.resolve(),
    request: () =>
      answer instanceof ConnectionError
        ? Promise.reject(answer)
        : Promise.resolve({
            status: 200,
            headers: {},
            text: () => Promise.resolve(''),
            chunks: () => {
              throw new Error('not used')
            },
            ...answer,
          }),
  }
}

const get = { method: 'GET', url: 'https://a.test/x' }
const at = (ms: number) => ({ headers: { date: new Date(NOW + ms).toUTCString() } })

describe('what answers say in passing', () => {
  it.each([
    ['the same second', 0, 0],
    ['a second behind, which may be the fraction that the header cuts', -1000, 0],
    ['a minute ahead', 60_000, 60_000],
    ['a minute behind', -60_000, -59_000],
  ])('%s', async (_, offset, ahead) => {
    const { http, seen } = observed(answering(at(offset)), createVirtualClock(NOW))
    await http.request(get)
    expect(seen.skews.get('https://a.test')).toBe(ahead)
  })

  it.each(['48', 'tomorrow', '2026-01-01 00:00:00', 'Thu, 01 Jan 2026 00:00:00 +0500', ''])(
    'a Date of "%s" says nothing about a clock',
    async (date) => {
      const answer = { headers: { date } }
      const { http, seen } = observed(answering(answer), createVirtualClock(NOW))
      await http.request(get)
      expect([...seen.skews]).toEqual([])
    },
  )

  it('a login without a zone in its time is UTC, wherever this runs', async () => {
    const issued_at = new Date(NOW).toISOString().replace('Z', '')
    const text = () => Promise.resolve(JSON.stringify({ token: { issued_at } }))
    const { http, seen } = observed(answering({ status: 201, text }), createVirtualClock(NOW))
    await http.request({ method: 'POST', url: 'https://k.test/v3/auth/tokens' })
    expect(seen.skews.get('https://k.test')).toBe(0)
  })

  it('keeps what was in the way until somebody answers', async () => {
    const down = observed(answering(new ConnectionError('tls', 'no')), createVirtualClock(NOW))
    await expect(down.http.request(get)).rejects.toThrow('no')
    expect([...down.seen.failures]).toEqual([['https://a.test', 'tls']])
  })

  it('remembers what a login returned, and passes it on', async () => {
    const body = JSON.stringify({ token: { issued_at: new Date(NOW + 9000).toISOString() } })
    const login = { method: 'POST', url: 'https://k.test/v3/auth/tokens' }
    const text = () => Promise.resolve(body)
    const { http, seen } = observed(answering({ status: 201, text }), createVirtualClock(NOW))
    expect(await (await http.request(login)).text()).toBe(body)
    expect(seen.login).toEqual(JSON.parse(body))
    expect(seen.skews.get('https://k.test')).toBe(9000)
  })
})
