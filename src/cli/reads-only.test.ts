import { expect, it } from 'vitest'
import type { HttpClient, HttpRequest } from '../http.ts'
import { KEYSTONE_LOGIN, readsOnly } from './reads-only.ts'

const sent: string[] = []
const network: HttpClient = {
  request: ({ method, url }: HttpRequest) => {
    sent.push(`${method} ${url}`)
    return Promise.reject(new Error('sent'))
  },
  close: () => Promise.resolve(),
}

it.each([
  ['GET', 'http://k/api/v1/pods', undefined, true],
  ['HEAD', 'http://k/api', undefined, true],
  ['POST', 'http://k/v3/auth/tokens', KEYSTONE_LOGIN, true],
  ['POST', 'http://k/v3/auth/tokens', undefined, false],
  ['POST', 'http://c/v3/p/volumes/1/action', KEYSTONE_LOGIN, false],
  ['PATCH', 'http://k/v3/auth/tokens', KEYSTONE_LOGIN, false],
  ['PUT', 'http://k/x', undefined, false],
  ['DELETE', 'http://k/x', undefined, false],
])('%s %s goes out only when it reads or logs in', async (method, url, login, goes) => {
  sent.length = 0
  await expect(readsOnly(network, login).request({ method, url })).rejects.toThrow(
    goes ? 'sent' : 'only reads',
  )
  expect(sent).toHaveLength(goes ? 1 : 0)
})
