import { createServer } from 'node:https'
import type { Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { afterEach, expect, it } from 'vitest'
import { createAuthority } from '../../test/cli/certificates.ts'
import type { Pair } from '../../test/cli/certificates.ts'
import { createVirtualClock } from '../../test/virtual-clock.ts'
import { createHttpClient } from '../http.ts'
import { silentLog } from '../log.ts'
import { loadKubeAccess } from './credentials.ts'
import { createTransport } from './transport.ts'

const authority = createAuthority()
let server: Server | undefined
afterEach(() => {
  server?.closeAllConnections()
  server?.close()
})

/** An API server that knows its users by certificate, as kube-apiserver does: at each request, also on an old connection. */
async function apiServer(own: Pair, ca: string, port = 0) {
  const accepted = { name: 'first' }
  server = createServer(
    { ...own, ca, requestCert: true, rejectUnauthorized: false },
    (req, res) => {
      const subject = (req.socket as TLSSocket).getPeerCertificate().subject as
        { CN?: string } | undefined
      const fine = subject?.CN === accepted.name
      if (req.url?.includes('watch') && fine) {
        res.writeHead(200)
        res.flushHeaders()
        return
      }
      res.writeHead(fine ? 200 : 401).end(subject?.CN ?? 'nobody')
    },
  )
  await new Promise<void>((resolve) => server?.listen(port, '127.0.0.1', resolve))
  return { accepted, port: (server.address() as AddressInfo).port }
}

type Files = Record<string, string | undefined>

async function client(port: number, files: Files) {
  const clock = createVirtualClock()
  files['/k'] = JSON.stringify({
    'current-context': 'c',
    clusters: [
      {
        name: 'k',
        cluster: { server: `https://127.0.0.1:${port}`, 'certificate-authority': '/ca' },
      },
    ],
    users: [{ name: 'u', user: { 'client-certificate': '/cert', 'client-key': '/key' } }],
    contexts: [{ name: 'c', context: { cluster: 'k', user: 'u' } }],
  })
  const readFile = (path: string) => {
    const text = files[path]
    if (text === undefined) throw new Error(`ENOENT: ${path}`)
    return text
  }
  const access = await loadKubeAccess({ env: { KUBECONFIG: '/k' }, readFile, clock })
  const http = createHttpClient({ ...access.tls, connections: 2 })
  const { server: url, authorization } = access
  const options = { http, server: url, authorization, clock, random: () => 0.5, log: silentLog }
  const transport = createTransport(options)
  return {
    get: () => transport.call({ method: 'GET', path: '/x', repeat: 'unprocessed' }),
    watch: (signal: AbortSignal) =>
      transport.open({
        method: 'GET',
        path: '/x?watch',
        repeat: 'unprocessed',
        signal,
        idleMs: 60_000,
      }),
    clock,
    close: () => http.close(),
  }
}

const pair = (files: Files, { cert, key }: Pair): Files =>
  Object.assign(files, { '/cert': cert, '/key': key })

it('a client certificate that was renewed on disk is used once the server refuses the old one', async () => {
  const { accepted, port } = await apiServer(authority.issue('server'), authority.ca)
  const files = pair({ '/ca': authority.ca }, authority.issue('first'))
  const { get, watch, close } = await client(port, files)
  expect(await get()).toBe('first')
  const stop = new AbortController()
  const stream = await watch(stop.signal)
  pair(files, authority.issue('second'))
  accepted.name = 'second'

  expect(await Promise.all([get(), get(), get()])).toEqual(['second', 'second', 'second'])
  // a watch under way is not broken off
  expect(stream.status).toBe(200)
  stop.abort()
  await close()
})

it('a renewed certificate is used after a minute also where the old one is still good', async () => {
  const { accepted, port } = await apiServer(authority.issue('server'), authority.ca)
  const files = pair({ '/ca': authority.ca }, authority.issue('first'))
  const { get, clock, close } = await client(port, files)
  expect(await get()).toBe('first')
  pair(files, authority.issue('second'))
  await clock.advance(59_000)
  expect(await get()).toBe('first')
  await clock.advance(2_000)
  accepted.name = 'second'
  expect(await get()).toBe('second')
  await close()
})

it('half a renewal, or a file that is away, leaves the old pair in use', async () => {
  const { port } = await apiServer(authority.issue('server'), authority.ca)
  const first = authority.issue('first')
  const files = pair({ '/ca': authority.ca }, first)
  const { get, clock, close } = await client(port, files)
  files['/cert'] = authority.issue('second').cert
  await clock.advance(61_000)
  expect(await get()).toBe('first')
  files['/cert'] = undefined
  await clock.advance(61_000)
  expect(await get()).toBe('first')
  await close()
})

it('a new authority of the cluster is trusted as soon as the server shows a certificate of it', async () => {
  const { port } = await apiServer(authority.issue('server'), authority.ca)
  const files = pair({ '/ca': authority.ca }, authority.issue('first'))
  const { get, close } = await client(port, files)
  expect(await get()).toBe('first')
  server?.closeAllConnections()
  await new Promise((resolve) => server?.close(resolve))
  const next = createAuthority()
  await apiServer(next.issue('server'), authority.ca, port)
  await expect(get()).rejects.toThrow(/tls/)
  files['/ca'] = next.ca
  expect(await get()).toBe('first')
  await close()
})

it('a certificate that nobody renews ends in the refusal', async () => {
  const { accepted, port } = await apiServer(authority.issue('server'), authority.ca)
  const files = pair({ '/ca': authority.ca }, authority.issue('first'))
  const { get, close } = await client(port, files)
  accepted.name = 'second'
  await expect(get()).rejects.toThrow('401')
  await close()
})
