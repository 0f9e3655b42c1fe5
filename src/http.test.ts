import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { createHttpClient } from './http.ts'
import type { HttpOptions } from './http.ts'
import { fixedProxy, proxiesFrom } from './proxy.ts'
import { selfSigned } from './sim/certificate.ts'
import { serveProxy, serveSocks } from './sim/proxy.ts'
import type { ProxyOptions } from './sim/proxy.ts'
import { serve } from './sim/server.ts'

const ends: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end()
})

const { cert, key } = selfSigned(['api.example'])

/** Two servers whose names exist only behind a proxy: http://plain.example and https://api.example. */
async function network(options: Partial<ProxyOptions> = {}) {
  const plain = await serve((req) =>
    Promise.resolve({
      status: 200,
      headers: {},
      body: JSON.stringify({ at: req.url, body: req.body, headers: req.headers }),
    }),
  )
  const secure = createServer({ cert, key }, (req, res) => res.end(`secure ${req.url}`))
  await new Promise<void>((resolve) => secure.listen(0, '127.0.0.1', resolve))
  const { port } = secure.address() as AddressInfo
  const proxy = await serveProxy({
    hosts: {
      'plain.example:80': `127.0.0.1:${plain.port}`,
      'plain.example:8080': `127.0.0.1:${plain.port}`,
      'api.example:443': `127.0.0.1:${port}`,
    },
    ...options,
  })
  ends.push(plain.close, proxy.close, () => new Promise((resolve) => secure.close(resolve)))
  return { proxy, plain, secure: `127.0.0.1:${port}` }
}

function client(options: HttpOptions) {
  const http = createHttpClient(options)
  ends.push(() => http.close())
  return http
}

const failureOf = (work: Promise<unknown>) =>
  work.then(
    () => 'an answer',
    (e: unknown) => e,
  )

it('https goes through a tunnel of HTTPS_PROXY, and the server is still checked by its certificate', async () => {
  const { proxy } = await network()
  const choice = proxiesFrom({ HTTPS_PROXY: proxy.url })
  const http = client({ ca: cert, proxy: choice })
  const answer = await http.request({ method: 'GET', url: 'https://api.example/a' })
  expect([answer.status, await answer.text()]).toEqual([200, 'secure /a'])
  expect(proxy.seen).toEqual(['CONNECT api.example:443'])
  const distrusting = client({ proxy: choice })
  expect(
    await failureOf(distrusting.request({ method: 'GET', url: 'https://api.example/a' })),
  ).toMatchObject({ failure: 'tls', sent: false })
})

it('http is handed to HTTP_PROXY by its whole URL, with body and headers', async () => {
  const { proxy } = await network()
  const http = client({ proxy: proxiesFrom({ http_proxy: proxy.url }) })
  const answer = await http.request({
    method: 'POST',
    url: 'http://plain.example:8080/q?x=1',
    headers: { 'x-auth-token': 't' },
    body: 'asked',
  })
  expect(JSON.parse(await answer.text())).toMatchObject({
    at: '/q?x=1',
    body: 'asked',
    headers: { host: 'plain.example:8080', 'x-auth-token': 't' },
  })
  expect(answer.proxy).toBe(`${proxy.url} (http_proxy)`)
  expect(proxy.seen).toEqual(['POST http://plain.example:8080/q?x=1'])
})

it('a host of NO_PROXY is reached directly', async () => {
  const { proxy, plain } = await network()
  const env = { HTTP_PROXY: proxy.url, NO_PROXY: '127.0.0.0/8' }
  const http = client({ proxy: proxiesFrom(env) })
  const answer = await http.request({ method: 'GET', url: `${plain.url}/direct` })
  expect(answer.status).toBe(200)
  expect(answer.proxy).toBeUndefined()
  expect(proxy.seen).toEqual([])
})

it('the credentials of a proxy are sent to it, and to nobody else', async () => {
  const { proxy } = await network({ credentials: 'us er:p@ss%' })
  const url = proxy.url.replace('//', '//us%20er:p%40ss%@')
  const http = client({ ca: cert, proxy: proxiesFrom({ HTTP_PROXY: url, HTTPS_PROXY: url }) })
  const answer = await http.request({ method: 'GET', url: 'http://plain.example/' })
  expect(await answer.text()).not.toContain('proxy-authorization')
  expect((await http.request({ method: 'GET', url: 'https://api.example/' })).status).toBe(200)
})

it.each(['http://plain.example/', 'https://api.example/'])(
  'a proxy that wants other credentials is named without them when %s is asked',
  async (url) => {
    const { proxy } = await network({ credentials: 'user:right' })
    const wrong = proxy.url.replace('//', '//user:wrong-secret@')
    const http = client({ proxy: proxiesFrom({ HTTP_PROXY: wrong, HTTPS_PROXY: wrong }) })
    const failure = await failureOf(http.request({ method: 'POST', url, body: 'x' }))
    expect(failure).toMatchObject({ name: 'ConnectionError', failure: 'refused', sent: false })
    expect(String(failure)).toMatch(/407.*HTTPS?_PROXY/)
    expect(String(failure)).toContain(proxy.url)
    expect(JSON.stringify(failure) + String(failure)).not.toContain('wrong-secret')
  },
)

it.each([403, 502, 503])(
  'a proxy that answers %s instead of opening a tunnel has not let the request pass',
  async (refusesWith) => {
    const { proxy } = await network({ refusesWith })
    const http = client({ proxy: proxiesFrom({ HTTPS_PROXY: proxy.url }) })
    const failure = await failureOf(http.request({ method: 'POST', url: 'https://api.example/' }))
    expect(failure).toMatchObject({ failure: 'refused', sent: false })
    expect(String(failure)).toContain(`the proxy answered ${refusesWith}`)
    expect(String(failure)).toContain('NO_PROXY')
  },
)

it('a proxy that is not there is named, and nothing was sent', async () => {
  const { proxy } = await network()
  await proxy.close()
  const http = client({ proxy: proxiesFrom({ HTTPS_PROXY: proxy.url, HTTP_PROXY: proxy.url }) })
  for (const url of ['http://plain.example/', 'https://api.example/']) {
    const failure = await failureOf(http.request({ method: 'POST', url }))
    expect(failure).toMatchObject({ failure: 'refused', sent: false })
    expect(String(failure)).toContain(`through the proxy ${proxy.url}`)
  }
})

it('a proxy that hangs up before the tunnel stands has sent nothing on', async () => {
  const { proxy } = await network({ silent: true })
  const http = client({ proxy: proxiesFrom({ HTTPS_PROXY: proxy.url }) })
  const failure = failureOf(http.request({ method: 'POST', url: 'https://api.example/' }))
  await expect.poll(() => proxy.seen.length).toBe(1)
  await proxy.close()
  expect(await failure).toMatchObject({ failure: 'refused', sent: false })
})

it('a request that is given up while a proxy keeps it waiting is aborted', async () => {
  const { proxy } = await network({ silent: true })
  const http = client({ proxy: proxiesFrom({ HTTPS_PROXY: proxy.url }) })
  const giveUp = new AbortController()
  const failure = failureOf(
    http.request({ method: 'GET', url: 'https://api.example/', signal: giveUp.signal }),
  )
  await expect.poll(() => proxy.seen.length).toBe(1)
  giveUp.abort()
  expect(await failure).toMatchObject({ failure: 'aborted' })
})

it('a proxy given by name serves every URL', async () => {
  const { proxy } = await network()
  const http = client({ ca: cert, proxy: fixedProxy(proxy.url, 'proxy-url of the kubeconfig') })
  expect((await http.request({ method: 'GET', url: 'https://api.example/' })).status).toBe(200)
  expect((await http.request({ method: 'GET', url: 'http://plain.example/' })).status).toBe(200)
  expect(proxy.seen).toHaveLength(2)
})

it('a SOCKS5 proxy resolves the names, and one that does not reach the server has sent nothing', async () => {
  const { secure, plain } = await network()
  const socks = await serveSocks({
    hosts: { 'api.example:443': secure, 'plain.example:80': `127.0.0.1:${plain.port}` },
  })
  ends.push(socks.close)
  const env = { HTTPS_PROXY: socks.url.replace('socks5:', 'socks5h:'), HTTP_PROXY: socks.url }
  const http = client({ ca: cert, proxy: proxiesFrom(env) })
  const answer = await http.request({ method: 'GET', url: 'https://api.example/a' })
  expect(await answer.text()).toBe('secure /a')
  expect((await http.request({ method: 'GET', url: 'http://plain.example/' })).status).toBe(200)
  expect(socks.seen).toEqual(['api.example:443', 'plain.example:80'])
  const failure = await failureOf(http.request({ method: 'POST', url: 'http://other.example/' }))
  expect(failure).toMatchObject({ failure: 'refused', sent: false })
})

it('https to a server that speaks none says so', async () => {
  const { plain } = await network()
  const failure = await failureOf(
    client({}).request({ method: 'GET', url: plain.url.replace('http:', 'https:') }),
  )
  expect(failure).toMatchObject({ failure: 'tls', sent: false })
  expect(String(failure)).toContain('is the URL to begin with http://?')
})
