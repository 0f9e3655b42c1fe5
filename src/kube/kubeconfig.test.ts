import { describe, expect, it } from 'vitest'
import { createVirtualClock } from '../../test/virtual-clock.ts'
import { textOf } from '../text-file.ts'
import { loadKubeAccess } from './credentials.ts'
import type { KubeAccessOptions } from './credentials.ts'

type Files = Record<string, string>

const CA = '-----BEGIN CERTIFICATE-----'
const base64 = (text: string) => Buffer.from(text).toString('base64')

function load(files: Files, options: Partial<KubeAccessOptions> = {}) {
  const clock = createVirtualClock()
  const readFile = (path: string) => {
    const text = files[path]
    if (text === undefined) throw new Error(`ENOENT: no such file, open '${path}'`)
    return text
  }
  return loadKubeAccess({
    env: { KUBECONFIG: '/k', PATH: process.env['PATH'] },
    readFile,
    clock,
    ...options,
  })
}

const messageOf = async (loaded: Promise<unknown>) => {
  const error = await loaded.catch((e: unknown) => e)
  expect(error).toMatchObject({ name: 'UserError' })
  return (error as Error).message
}

const kubeconfig = (user: object, cluster: object = {}, context: object = {}) =>
  JSON.stringify({
    'current-context': 'c',
    clusters: [{ name: 'k', cluster: { server: 'https://api.test:6443', ...cluster } }],
    users: [{ name: 'u', user }],
    contexts: [{ name: 'c', context: { cluster: 'k', user: 'u', ...context } }],
  })

const TWO = `
current-context: prod
clusters:
  - {name: prod, cluster: {server: "https://prod:6443"}}
  - {name: test, cluster: {server: "https://test:6443"}}
users:
  - {name: admin, user: {token: admin-token}}
  - {name: reader, user: {token: reader-token}}
contexts:
  - {name: prod, context: {cluster: prod, user: admin, namespace: shop}}
  - {name: test, context: {cluster: test, user: reader}}
`

/** A credential command that prints its own ExecCredential, and what it was sent. */
const plugin = (script: string, more: object = {}) => ({
  exec: {
    apiVersion: 'client.authentication.k8s.io/v1',
    command: process.execPath,
    args: ['-e', script],
    interactiveMode: 'Never',
    ...more,
  },
})

describe('several files', () => {
  it('one that is not there is passed over', async () => {
    const access = await load({ '/b': TWO }, { env: { KUBECONFIG: '/a:/b::/c' } })
    expect(access.server).toBe('https://prod:6443')
  })

  it('when none is there, all are named', async () => {
    const message = await messageOf(load({}, { env: { KUBECONFIG: '/a:/b' } }))
    expect(message).toContain('none of the files of the kubeconfig /a:/b exists')
  })

  it('the one that --kubeconfig names must be there, also beside KUBECONFIG', async () => {
    const message = await messageOf(
      load({ '/b': TWO }, { env: { KUBECONFIG: '/b' }, kubeconfigPath: '/a' }),
    )
    expect(message).toContain('cannot read the kubeconfig "/a"')
  })

  it('the first that sets a thing wins, and a relative path is beside its own file', async () => {
    const access = await load(
      {
        '/one/a': `
current-context: c
users: [{name: u, user: {tokenFile: tok}}]
`,
        '/two/b': kubeconfig({ token: 'second' }, { 'certificate-authority': 'certs/ca.crt' }),
        '/one/tok': 'first',
        '/two/certs/ca.crt': CA,
      },
      { env: { KUBECONFIG: '/one/a:/two/b' } },
    )
    expect(await access.authorization()).toBe('Bearer first')
    expect(access.tls.ca).toBe(CA)
  })

  it('an empty file, and lists that are null, change nothing', async () => {
    const access = await load(
      { '/a': '', '/b': 'clusters: null\nusers: ~\n', '/c': TWO },
      { env: { KUBECONFIG: '/a:/b:/c' } },
    )
    expect(access.server).toBe('https://prod:6443')
  })
})

describe('--context, --cluster, --user', () => {
  it.each([
    [{}, 'https://prod:6443', 'Bearer admin-token', 'shop'],
    [{ context: 'test' }, 'https://test:6443', 'Bearer reader-token', 'default'],
    [{ cluster: 'test' }, 'https://test:6443', 'Bearer admin-token', 'shop'],
    [{ user: 'reader' }, 'https://prod:6443', 'Bearer reader-token', 'shop'],
  ])('%j', async (choice, server, authorization, namespace) => {
    const access = await load({ '/k': TWO }, { choice })
    expect(access.server).toBe(server)
    expect(await access.authorization()).toBe(authorization)
    expect(access.defaultNamespace).toBe(namespace)
  })

  it.each([
    [{ context: 'prd' }, '--context "prd" is not in the file; choose one of prod, test'],
    [{ cluster: 'x' }, '--cluster "x" is not in the file; choose one of prod, test'],
    [{ user: 'x' }, '--user "x" is not in the file; choose one of admin, reader'],
  ])('%j that is not there is named with those that are', async (choice, message) => {
    expect(await messageOf(load({ '/k': TWO }, { choice }))).toContain(message)
  })

  it('a context whose user is not there is named, and does not log in as nobody', async () => {
    const text = TWO.replace('user: admin,', 'user: gone,')
    expect(await messageOf(load({ '/k': text }))).toContain('names user "gone"')
  })
})

describe('what a cluster says', () => {
  it('tls-server-name, proxy-url and insecure-skip-tls-verify reach the connection', async () => {
    const { tls } = await load({
      '/k': kubeconfig(
        {},
        {
          'tls-server-name': 'kube.internal',
          'proxy-url': 'socks5://proxy:1080',
          'insecure-skip-tls-verify': true,
        },
      ),
    })
    expect(tls).toMatchObject({
      servername: 'kube.internal',
      insecureSkipVerify: true,
    })
    expect(tls.proxy?.(new URL('https://api.test:6443'))).toMatchObject({
      url: 'socks5://proxy:1080',
    })
  })

  it('data goes before the file beside it', async () => {
    const { tls } = await load({
      '/k': kubeconfig(
        {},
        { 'certificate-authority': '/ca', 'certificate-authority-data': base64(CA) },
      ),
      '/ca': 'FILE',
    })
    expect(tls.ca).toBe(CA)
  })

  it.each([
    [
      { 'certificate-authority-data': '!!! no base64' },
      'certificate-authority-data of the kubeconfig cannot be used: it is no PEM text in base64',
    ],
    [{ 'certificate-authority-data': base64('PEM') }, 'it is no PEM text in base64'],
    [
      { 'certificate-authority': '/ca' },
      'certificate-authority "/ca" of the kubeconfig cannot be used: it is no PEM text;',
    ],
  ])('an authority that is none is named before a connection breaks: %j', async (cluster, said) => {
    const files = { '/k': kubeconfig({}, cluster), '/ca': 'FILE' }
    expect(await messageOf(load(files))).toContain(said)
  })

  it.each([
    ['localhost:8080', 'http://localhost:8080'],
    ['https://api/base/', 'https://api/base'],
  ])('the server %s is %s', async (server, url) => {
    expect((await load({ '/k': kubeconfig({}, { server }) })).server).toBe(url)
  })

  it.each([
    ['https://jane:s3cret@api', 'carries a user'],
    ['https://jane:s3cret@a b', 'is no address'],
    ['https://api/?token=s3cret', 'carries a query'],
  ])('the server %s is refused without its secret', async (server, said) => {
    const message = await messageOf(load({ '/k': kubeconfig({}, { server }) }))
    expect(message).toContain(said)
    expect(message).not.toContain('s3cret')
  })

  it.each(['', 'https://', 'ftp://x', 'https://a b'])(
    'the server "%s" is refused',
    async (server) => {
      expect(await messageOf(load({ '/k': kubeconfig({}, { server }) }))).toContain('is no address')
    },
  )
})

describe('impersonation', () => {
  it('is sent in headers, groups one by one', async () => {
    const { tls } = await load({
      '/k': kubeconfig({
        token: 't',
        as: 'jane',
        'as-uid': '42',
        'as-groups': ['dev', 'ops'],
        'as-user-extra': { 'Example.com/scopes': ['a', 'b'] },
      }),
    })
    expect(tls.headers).toEqual({
      'impersonate-user': 'jane',
      'impersonate-uid': '42',
      'impersonate-group': ['dev', 'ops'],
      'impersonate-extra-example.com%2Fscopes': ['a', 'b'],
    })
  })

  it('of groups without a user is refused', async () => {
    expect(await messageOf(load({ '/k': kubeconfig({ 'as-groups': ['x'] }) }))).toContain(
      'add "as"',
    )
  })
})

describe('tokens', () => {
  it('the file goes before the token beside it, which holds while there is no file', async () => {
    const text = kubeconfig({ token: 'old', tokenFile: '/t' })
    const first = await load({ '/k': text, '/t': 'new' })
    expect(await first.authorization()).toBe('Bearer new')
    expect(await (await load({ '/k': text })).authorization()).toBe('Bearer old')
  })

  it('the id-token of auth-provider oidc is used until it expires, then the fix is named', async () => {
    const jwt = (exp: number) => `h.${Buffer.from(JSON.stringify({ exp })).toString('base64url')}.s`
    const text = (exp: number) =>
      kubeconfig({ 'auth-provider': { name: 'oidc', config: { 'id-token': jwt(exp) } } })
    const fresh = await load({ '/k': text(4e9) })
    expect(await fresh.authorization()).toBe(`Bearer ${jwt(4e9)}`)
    const stale = await load({ '/k': text(1) })
    expect(await messageOf(stale.authorization())).toContain('run kubectl get namespaces once')
  })

  it('an auth-provider that kubectl has given up is refused by name', async () => {
    const text = kubeconfig({ 'auth-provider': { name: 'gcp' } })
    expect(await messageOf(load({ '/k': text }))).toContain('auth-provider "gcp"')
  })
})

describe('a credential command', () => {
  it('is given KUBERNETES_EXEC_INFO with the cluster, its env, and no terminal', async () => {
    const script =
      'console.log(JSON.stringify({status: {token: Buffer.from(process.env.KUBERNETES_EXEC_INFO + process.env.EXTRA).toString("base64url")}}))'
    const access = await load({
      '/k': kubeconfig(
        plugin(script, { provideClusterInfo: true, env: [{ name: 'EXTRA', value: '!' }] }),
        {
          'tls-server-name': 'n',
        },
      ),
    })
    const header = (await access.authorization()) ?? ''
    const reported = Buffer.from(header.replace('Bearer ', ''), 'base64url').toString('utf8')
    expect(reported.endsWith('!')).toBe(true)
    expect(JSON.parse(reported.slice(0, -1))).toEqual({
      kind: 'ExecCredential',
      apiVersion: 'client.authentication.k8s.io/v1',
      spec: {
        interactive: false,
        cluster: { server: 'https://api.test:6443', 'tls-server-name': 'n' },
      },
    })
  })

  it('with a slash is a path beside the kubeconfig', async () => {
    const text = kubeconfig({ exec: { command: './bin/login' } })
    const message = await messageOf(
      load({ '/nowhere/k': text }, { env: { KUBECONFIG: '/nowhere/k' } }),
    )
    expect(message).toContain('"/nowhere/bin/login"')
  })

  it('that is not installed is named with its installHint, in one line', async () => {
    const text = kubeconfig({
      exec: { command: 'no-such-login', installHint: 'Install it:\n\n  brew install login\n' },
    })
    expect(await messageOf(load({ '/k': text }))).toBe(
      'the credential command "no-such-login" of user "u" failed: it is not installed; Install it: brew install login',
    )
  })

  it('that wants a terminal is refused where there is none', async () => {
    const text = kubeconfig(plugin('0', { interactiveMode: 'Always' }))
    expect(await messageOf(load({ '/k': text }))).toContain('it wants a terminal')
  })

  it.each([
    ['console.log("hello")', 'is not JSON'],
    ['console.log("{}")', 'neither status.token nor'],
    ['process.exit(3)', 'exit code 3'],
  ])('that answers %s is named', async (script, message) => {
    expect(await messageOf(load({ '/k': kubeconfig(plugin(script)) }))).toContain(message)
  })

  it('gives a client certificate, and is asked again once its answer has expired', async () => {
    const script = `
      const fs = require('fs'), count = process.env.COUNT
      fs.appendFileSync(count, 'x')
      const n = fs.readFileSync(count, 'utf8').length
      console.log(JSON.stringify({status: {token: 't' + n, expirationTimestamp: new Date(60000 * n).toISOString()}}))`
    const { mkdtempSync } = await import('node:fs')
    const count = `${mkdtempSync('/tmp/couchestor-exec-')}/count`
    const clock = createVirtualClock()
    const start = clock.now()
    const expiring = script.replace('60000 * n', `${start} + 60000 * n`)
    const access = await load(
      { '/k': kubeconfig(plugin(expiring, { env: [{ name: 'COUNT', value: count }] })) },
      { clock },
    )
    expect(await access.authorization()).toBe('Bearer t1')
    await clock.advance(61_000)
    expect(await access.authorization()).toBe('Bearer t2')
    expect(await access.authorization(true)).toBe('Bearer t3')
  })

  it('stands back where the kubeconfig has a token of its own', async () => {
    const access = await load({ '/k': kubeconfig({ ...plugin('process.exit(1)'), token: 'own' }) })
    expect(await access.authorization()).toBe('Bearer own')
  })

  it('that never ends, nor what it has started, is given up after three minutes', async () => {
    const clock = createVirtualClock()
    // the pipes stay open until the test ends
    const script = `require('child_process').spawn(process.execPath, ['-e', 'setTimeout(() => {}, 10_000)'], {stdio: 'inherit'}); setTimeout(() => {}, 10_000)`
    const loaded = messageOf(load({ '/k': kubeconfig(plugin(script)) }, { clock }))
    await clock.settle()
    await clock.advance(180_000)
    expect(await loaded).toContain('it gave no answer within 3 minutes')
  })

  it.each([
    [{ status: { token: 12345 } }, 'neither status.token nor'],
    [{ status: 'x' }, 'neither status.token nor'],
    [{ status: { token: 't', expirationTimestamp: '48' } }, 'expirationTimestamp is no time'],
    [
      { status: { clientCertificateData: 'c', clientKeyData: 'k' } },
      'client certificate of user "u" of the kubeconfig cannot be used',
    ],
  ])('that prints %j is named', async (answer, said) => {
    const script = `console.log(${JSON.stringify(JSON.stringify(answer))})`
    expect(await messageOf(load({ '/k': kubeconfig(plugin(script)) }))).toContain(said)
  })
})

describe('a value of another kind than it should be', () => {
  it('is a text where digits are meant as one: names, tokens, passwords', async () => {
    const text = `
current-context: 9876543210987655
clusters: [{name: 1, cluster: {server: 'https://api.test:6443'}}]
contexts: [{name: 9876543210987655, context: {cluster: 1, user: 3, namespace: 007}}]
users: [{name: 3, user: {username: 1e3, password: 0042}}]
`
    const access = await load({ '/k': text })
    expect(await access.authorization()).toBe(`Basic ${base64('1e3:0042')}`)
    expect(access.defaultNamespace).toBe('007')
  })

  it.each([
    [{ exec: {} }, 'user "u".exec.command must name the program'],
    [{ exec: { command: '' } }, 'user "u".exec.command'],
    [{ exec: { command: 'x', args: 'abc' } }, 'user "u".exec.args must be a list'],
    [{ exec: { command: 'x', env: { A: 'b' } } }, 'user "u".exec.env must be a list of name'],
    [{ exec: { command: 'x', interactiveMode: 'never' } }, 'must be Never, IfAvailable or Always'],
    [{ as: 'jane', 'as-groups': 'dev' }, 'user "u".as-groups must be a list'],
    [{ as: 'jane', 'as-user-extra': { a: 'b' } }, 'user "u".as-user-extra.a must be a list'],
    [{ token: { secret: 'word' } }, 'user "u".token must be a text'],
    ['secret-word', 'user "u" must be a map'],
  ])('is named without quoting it, and crashes nothing: %j', async (user, said) => {
    const message = await messageOf(load({ '/k': kubeconfig(user as object) }))
    expect(message).toContain(said)
    expect(message).toContain('kubeconfig /k')
    expect(message).not.toContain('secret')
  })

  it('is nothing to a person who uses another entry', async () => {
    const users = '{name: odd, user: {exec: {}}}, {name: reader, user: {token: t}}'
    const text = TWO.replace(/users:\n.*\n.*\n/, `users: [${users}]\n`)
    const access = await load({ '/k': text }, { choice: { context: 'test' } })
    expect(await access.authorization()).toBe('Bearer t')
  })

  it('in the extension for a credential command is handed on as it stands', async () => {
    const script =
      'console.log(JSON.stringify({status: {token: Buffer.from(process.env.KUBERNETES_EXEC_INFO).toString("base64url")}}))'
    const extension = { port: 8443, on: true, name: '0042' }
    const access = await load({
      '/k': kubeconfig(plugin(script, { provideClusterInfo: true }), {
        extensions: [{ name: 'client.authentication.k8s.io/exec', extension }],
      }),
    })
    const reported = ((await access.authorization()) ?? '').replace('Bearer ', '')
    expect(JSON.parse(Buffer.from(reported, 'base64url').toString('utf8'))).toMatchObject({
      spec: { cluster: { config: extension } },
    })
  })
})

it.each([
  [{ 'client-certificate-data': base64('-----BEGIN ') }, 'its key is missing'],
  [{ 'client-key-data': base64('-----BEGIN ') }, 'its certificate is missing'],
  [{ 'client-certificate-data': 'aGVsbG8=' }, 'client-certificate-data of the kubeconfig'],
])('half a client certificate is named before a connection breaks: %j', async (user, said) => {
  expect(await messageOf(load({ '/k': kubeconfig(user) }))).toContain(said)
})

describe('bytes of a file', () => {
  const text = 'current-context: c\n'
  const utf16be = (value: string) => Buffer.from(value, 'utf16le').swap16()
  it.each([
    ['UTF-8', Buffer.from(text)],
    ['UTF-8 with a mark', Buffer.from(`\ufeff${text}`)],
    ['UTF-16 little endian with a mark', Buffer.from(`\ufeff${text}`, 'utf16le')],
    ['UTF-16 big endian with a mark', utf16be(`\ufeff${text}`)],
    ['UTF-16 little endian', Buffer.from(text, 'utf16le')],
    ['UTF-16 big endian', utf16be(text)],
  ])('in %s are the same text', (_, bytes) => expect(textOf(bytes)).toBe(text))

  it('of an empty file are the empty text', () => expect(textOf(Buffer.from(''))).toBe(''))
})

it('a file that is no kubeconfig is named without quoting it', async () => {
  const message = await messageOf(load({ '/k': 'token: secret-word\nclusters: 3' }))
  expect(message).toContain('"clusters" is not a list')
  expect(message).not.toContain('secret-word')
  expect(await messageOf(load({ '/k': 'secret-word' }))).not.toContain('secret-word')
})
