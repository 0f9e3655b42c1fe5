import { mkdtempSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { createServer } from 'node:https'
import type { Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createAuthority } from '../cli/certificates.ts'
import { behindAProxy } from './behind-a-proxy.ts'
import type { Behind } from './behind-a-proxy.ts'

const MOUNTED = '/var/run/secrets/kubernetes.io/serviceaccount'
const authority = createAuthority()

let behind: Behind
let tls: Server
/** What the API server was asked with. */
const tokens = new Set<string | undefined>()
let mount: string

beforeEach(async () => {
  tls = createServer(authority.issue('api.internal'), (req, res) => {
    tokens.add(req.headers.authorization)
    const there = request(
      `http://${behind.direct('kube')}${req.url}`,
      { method: req.method ?? 'GET', headers: req.headers },
      (answer) => void answer.pipe(res.writeHead(answer.statusCode ?? 500, answer.headers)),
    )
    req.pipe(there)
  })
  await new Promise<void>((resolve) => tls.listen(0, '127.0.0.1', resolve))
  const { port } = tls.address() as AddressInfo
  behind = await behindAProxy({
    credentials: 'user:proxy-password',
    hosts: { 'api.internal:443': `127.0.0.1:${port}` },
  })
  mount = mkdtempSync(join(tmpdir(), 'couchestor-pod-'))
  for (const [name, text] of Object.entries({
    'ca.crt': authority.ca,
    token: 'pod-token\n',
    namespace: 'couchestor-system\n',
  }))
    writeFileSync(join(mount, name), text)
})
afterEach(async () => {
  tls.close()
  tls.closeAllConnections()
  await behind.close()
  tokens.clear()
})

/** The environment of a pod; the files that the kubelet mounts are read from a folder. */
function podEnv(proxies: Readonly<Record<string, string>>): Record<string, string> {
  const preload = join(mount, 'mount.mjs')
  writeFileSync(
    preload,
    `import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
const { readFileSync } = fs
fs.readFileSync = (path, ...more) =>
  readFileSync(typeof path === 'string' ? path.replace(${JSON.stringify(MOUNTED)}, ${JSON.stringify(mount)}) : path, ...more)
syncBuiltinESMExports()
`,
  )
  return {
    KUBERNETES_SERVICE_HOST: 'api.internal',
    KUBERNETES_SERVICE_PORT: '443',
    NODE_OPTIONS: `--import=${preload}`,
    ...proxies,
  }
}

const throughProxy = () => behind.proxy.url.replace('//', '//user:proxy-password@')
const tunnels = () => behind.proxy.seen.filter((s) => s === 'CONNECT api.internal:443')

it('the API server is reached through HTTPS_PROXY, with the token and the authority of the pod', async () => {
  const env = podEnv({ HTTPS_PROXY: throughProxy(), HTTP_PROXY: throughProxy() })
  const { out, err } = await behind.run(['doctor', '--output', 'json'], env, null)
  expect(tunnels().length).toBeGreaterThan(0)
  expect([...tokens]).toEqual(['Bearer pod-token'])
  expect(out).toContain('"findings"')
  expect(out + err).not.toMatch(/proxy-password|pod-token|API server api\.internal/)
})

it('the API server that NO_PROXY names is not asked of the proxy', async () => {
  const env = podEnv({
    https_proxy: throughProxy(),
    http_proxy: throughProxy(),
    no_proxy: '.internal,10.96.0.0/12',
  })
  const { out } = await behind.run(['doctor', '--output', 'json'], env, null)
  expect(tunnels()).toEqual([])
  // the name exists behind the proxy only
  expect(out).toContain('the name of the API server https://api.internal:443 is not known here')
})

it('a proxy that refuses the tunnel is named, without its password', async () => {
  const refused = behind.proxy.url.replace('//', '//user:wrong-password@')
  const { code, err } = await behind.run(['plan'], podEnv({ HTTPS_PROXY: refused }), null)
  expect(code).toBe(2)
  expect(err).toMatch(
    /the API server https:\/\/api\.internal:443 is not reached through .* \(HTTPS_PROXY\): the proxy answered 407: /,
  )
  expect(err).not.toContain('wrong-password')
})

it('a proxy that is not there is named, and not the API server behind it', async () => {
  const env = podEnv({ HTTPS_PROXY: 'http://user:proxy-password@127.0.0.1:1' })
  const { code, err } = await behind.run(['plan'], env, null)
  expect(code).toBe(2)
  expect(err).toMatch(
    /is not reached through the proxy http:\/\/127\.0\.0\.1:1 \(HTTPS_PROXY\): refused .*; correct HTTPS_PROXY/,
  )
  expect(err).not.toContain('proxy-password')
})

it('behind the proxy it is the certificate of the API server that is judged', async () => {
  writeFileSync(join(mount, 'ca.crt'), createAuthority().ca)
  const { err } = await behind.run(['plan'], podEnv({ HTTPS_PROXY: throughProxy() }), null)
  expect(err).toMatch(/the certificate of the API server .* is not signed by an authority/)
  expect(err).not.toContain('(HTTPS_PROXY);')
})
