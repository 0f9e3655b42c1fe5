import { mkdtempSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { RequestListener, Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { createAuthority } from './certificates.ts'
import { couchestor } from './program.ts'

const opened: Server[] = []
afterEach(() => {
  for (const server of opened.splice(0)) server.close()
})

async function listening(server: Server): Promise<number> {
  opened.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

function kubeconfig(server: string, cluster: object = {}): string {
  const file = join(mkdtempSync(join(tmpdir(), 'couchestor-access-')), 'config')
  writeFileSync(
    file,
    JSON.stringify({
      'current-context': 'c',
      clusters: [{ name: 'k', cluster: { server, ...cluster } }],
      users: [{ name: 'u', user: { token: 'abc' } }],
      contexts: [{ name: 'c', context: { cluster: 'k', user: 'u' } }],
    }),
  )
  return file
}

const COMMANDS = [['plan'], ['explain', 'pvc/x'], ['approve', 'x'], ['pause', 'gold']]

/** What `plan` says: one line on standard error, exit code 2, and nothing else. */
async function plan(file: string, args: readonly string[] = ['plan']): Promise<string> {
  const { code, out, err } = await couchestor([...args, '--kubeconfig', file])
  expect({ args, code, out }).toEqual({ args, code: 2, out: '' })
  expect(err.trim().split('\n')).toHaveLength(1)
  return err
}

/** The same of each command that needs a cluster, and the findings of the doctor. */
async function everybody(file: string): Promise<readonly string[]> {
  const all: string[] = []
  for (const args of COMMANDS) all.push(await plan(file, args))
  const { out, err } = await couchestor(['doctor', '--kubeconfig', file])
  expect(err).toBe('')
  return [...all, out]
}

const answering =
  (status: number, body: string, type = 'application/json'): RequestListener =>
  (_, res) =>
    void res.writeHead(status, { 'content-type': type }).end(body)

const refusal = (code: number, reason: string, message: string) =>
  JSON.stringify({ kind: 'Status', code, reason, message })

describe('what is wrong with the way to the API server is one sentence with its fix:', () => {
  it('nothing listens there', async () => {
    for (const said of await everybody(kubeconfig('https://127.0.0.1:1')))
      expect(said).toMatch(
        /nothing answers at the API server https:\/\/127\.0\.0\.1:1 \(ECONNREFUSED\): start the cluster, or correct the server in .*kubeconfig/,
      )
  })

  it('its authority is not known, its name is another, or the given authority is another one', async () => {
    const own = createAuthority()
    const port = await listening(
      createTlsServer(own.issue('localhost'), answering(200, '{"gitVersion":"v1"}')),
    )
    const ca = (text: string) => ({
      'certificate-authority-data': Buffer.from(text).toString('base64'),
    })
    const server = `https://127.0.0.1:${port}`
    const unknown =
      /is not signed by an authority that is trusted here .*: set certificate-authority-data in kubeconfig/
    expect(await plan(kubeconfig(server))).toMatch(unknown)
    expect(await plan(kubeconfig(server, ca(createAuthority().ca)))).toMatch(unknown)
    expect(
      await plan(kubeconfig(server, { ...ca(own.ca), 'tls-server-name': 'kube.internal' })),
    ).toMatch(/is for another name .*tls-server-name/)
    // and with all of it right the next thing is missing
    expect(await plan(kubeconfig(server, ca(own.ca)))).toMatch(
      /the kinds of CoucheStor|OS_AUTH_URL|answers/,
    )
  })

  it('the credential is refused', async () => {
    const body = refusal(401, 'Unauthorized', 'Unauthorized')
    const port = await listening(createServer(answering(401, body)))
    for (const said of await everybody(kubeconfig(`http://127.0.0.1:${port}`)))
      expect(said).toMatch(
        /does not accept the credential of .*kubeconfig.* \(401 Unauthorized\): log in again, or choose another user/,
      )
  })

  it('something else listens there', async () => {
    const html = answering(200, '<html>Welcome</html>', 'text/html')
    const port = await listening(createServer(html))
    expect(await plan(kubeconfig(`http://127.0.0.1:${port}`))).toMatch(
      /is not an API server of Kubernetes: correct/,
    )
    const tls = await listening(createServer(answering(200, '{}')))
    expect(await plan(kubeconfig(`https://127.0.0.1:${tls}`))).toMatch(
      /does not speak TLS .*: correct the server in .*: another port, or http/,
    )
  })

  it('the account lacks a right, or the server is away', async () => {
    let answer = answering(200, '{"gitVersion":"v1"}')
    const port = await listening(
      createServer((req, res) =>
        (req.url === '/version' ? answering(200, '{"gitVersion":"v1"}') : answer)(req, res),
      ),
    )
    const file = kubeconfig(`http://127.0.0.1:${port}`)
    const pause = async () => couchestor(['pause', 'gold', '--kubeconfig', file])
    const forbidden = 'storagepolicies.couchestor.io "gold" is forbidden: User "jane" cannot patch'
    answer = answering(403, refusal(403, 'Forbidden', forbidden))
    const refused = await pause()
    expect(refused.code).toBe(2)
    expect(refused.err).toMatch(
      /does not allow it: .*User "jane" cannot patch; ask an administrator.* ClusterRole couchestor-operate, or couchestor-view to read/,
    )
    expect(refused.err.trim().split('\n')).toHaveLength(1)
    answer = answering(503, 'upstream is away', 'text/plain')
    const away = await pause()
    expect(away.code).toBe(2)
    expect(away.err).toMatch(/answers 503 .*upstream is away; try again/)
  })

  it('a context that is not there, for the controller too', async () => {
    const file = kubeconfig('http://127.0.0.1:1')
    for (const command of ['plan', 'controller']) {
      const { code, err } = await couchestor([command, '--kubeconfig', file, '--context', 'prod'])
      expect({ command, code }).toEqual({ command, code: 2 })
      expect(err).toMatch(/^couchestor: .*--context "prod" is not in the file; choose one of c\n$/)
    }
  })
})
