import { describe, expect, it } from 'vitest'
import { createAuthority } from '../../test/cli/certificates.ts'
import { createVirtualClock } from '../../test/virtual-clock.ts'
import { loadKubeAccess } from './credentials.ts'

const SA = '/var/run/secrets/kubernetes.io/serviceaccount'

type Files = Record<string, string>

function access(files: Files, env: Record<string, string> = {}, kubeconfigPath?: string) {
  const clock = createVirtualClock()
  const reads: string[] = []
  const readFile = (path: string) => {
    reads.push(path)
    const text = files[path]
    if (text === undefined) throw new Error(`ENOENT: no such file, open '${path}'`)
    return text
  }
  return { clock, reads, files, loaded: loadKubeAccess({ env, readFile, clock, kubeconfigPath }) }
}

const kubeconfig = (user: object, cluster: object = {}) =>
  JSON.stringify({
    'current-context': 'c',
    clusters: [{ name: 'k', cluster: { server: 'https://api.test:6443/', ...cluster } }],
    users: [{ name: 'u', user }],
    contexts: [{ name: 'c', context: { cluster: 'k', user: 'u' } }],
  })

const pod: Files = {
  [`${SA}/ca.crt`]: 'CA',
  [`${SA}/token`]: 'one\n',
  [`${SA}/namespace`]: 'mine\n',
}
const inPod = { KUBERNETES_SERVICE_HOST: '10.0.0.1', KUBERNETES_SERVICE_PORT: '443' }

describe('in a pod', () => {
  it('the service account is used', async () => {
    const { loaded } = access(pod, inPod)

    expect(await loaded).toMatchObject({
      server: 'https://10.0.0.1:443',
      tls: { ca: 'CA' },
      namespace: 'mine',
      source: 'in-cluster',
    })
    expect(await (await loaded).authorization()).toBe('Bearer one')
  })

  it('the token is read again after a minute, and at once when it was refused', async () => {
    const { loaded, clock, files } = access({ ...pod }, inPod)
    const { authorization } = await loaded
    await authorization()
    files[`${SA}/token`] = 'two'
    await clock.advance(59_000)
    expect(await authorization()).toBe('Bearer one')
    expect(await authorization(true)).toBe('Bearer two')
    files[`${SA}/token`] = 'three'
    await clock.advance(60_000)

    expect(await authorization()).toBe('Bearer three')
  })

  it('a token file that is away for a moment leaves the old token', async () => {
    const { loaded, clock, files } = access({ ...pod }, inPod)
    const { authorization } = await loaded
    await authorization()
    delete files[`${SA}/token`]
    await clock.advance(61_000)

    expect(await authorization()).toBe('Bearer one')
  })

  it('an IPv6 address is put in brackets', async () => {
    const { loaded } = access(pod, { ...inPod, KUBERNETES_SERVICE_HOST: 'fd00::1' })

    expect((await loaded).server).toBe('https://[fd00::1]:443')
  })

  it('without a mounted token the fix is reported', async () => {
    const { loaded } = access({}, inPod)

    await expect(loaded).rejects.toThrow(/automountServiceAccountToken: true/)
  })
})

describe('--context in a pod', () => {
  const prod = kubeconfig({ token: 'mine' })
  const choosing = (files: Files, env: Record<string, string>) => {
    const clock = createVirtualClock()
    const readFile = (path: string) => {
      const text = files[path]
      if (text === undefined) throw new Error(`ENOENT: no such file, open '${path}'`)
      return text
    }
    return loadKubeAccess({ env: { ...inPod, ...env }, readFile, clock, choice: { context: 'c' } })
  }

  it("chooses in ~/.kube/config, and never falls back to the pod's own cluster", async () => {
    const loaded = await choosing({ ...pod, '/h/.kube/config': prod }, { HOME: '/h' })
    expect(loaded).toMatchObject({ server: 'https://api.test:6443', source: '/h/.kube/config' })
  })

  it('is refused where there is no kubeconfig to choose in', async () => {
    await expect(choosing(pod, { HOME: '/h' })).rejects.toThrow(
      /--context chooses in a kubeconfig, and there is none: .*leave --context out to use the pod's own/,
    )
  })
})

describe('a kubeconfig', () => {
  const b64 = (text: string) => Buffer.from(text).toString('base64')

  it('gives certificates from files beside it and from data', async () => {
    const authority = createAuthority()
    const { ca } = authority
    const { cert, key } = authority.issue('admin')
    const { loaded } = access(
      {
        '/home/kc': kubeconfig(
          { 'client-certificate': 'admin.crt', 'client-key-data': b64(key) },
          { 'certificate-authority': '/etc/ca.crt' },
        ),
        '/home/admin.crt': cert,
        '/etc/ca.crt': ca,
      },
      {},
      '/home/kc',
    )

    expect(await loaded).toMatchObject({
      server: 'https://api.test:6443',
      tls: { ca, cert, key },
      namespace: 'couchestor-system',
      source: '/home/kc',
    })
    expect(await (await loaded).authorization()).toBeUndefined()
  })

  it.each([
    ['a token', { token: 't' }, 'Bearer t'],
    ['a token file', { tokenFile: 'tok' }, 'Bearer from-file'],
    ['name and password', { username: 'me', password: 'pw' }, `Basic ${b64('me:pw')}`],
    [
      'a command',
      {
        exec: {
          apiVersion: 'client.authentication.k8s.io/v1',
          command: process.execPath,
          args: ['-e', 'console.log(JSON.stringify({status:{token:"exec-token"}}))'],
        },
      },
      'Bearer exec-token',
    ],
  ])('with %s authorizes with it', async (_, user, header) => {
    const { loaded } = access(
      { '/d/kc': kubeconfig(user), '/d/tok': 'from-file\n' },
      { KUBECONFIG: '/d/kc' },
    )

    expect(await (await loaded).authorization()).toBe(header)
  })

  it('in several files: the first that names a thing wins', async () => {
    const { loaded } = access(
      {
        '/a': JSON.stringify({ users: [{ name: 'u', user: { token: 'first' } }] }),
        '/b': kubeconfig({ token: 'second' }),
      },
      { KUBECONFIG: '/a:/b' },
    )

    expect(await (await loaded).authorization()).toBe('Bearer first')
  })

  it.each([
    ['the flag before KUBECONFIG', { KUBECONFIG: '/b', HOME: '/h', ...inPod }, '/a', '/a'],
    ['KUBECONFIG before the pod', { KUBECONFIG: '/b', HOME: '/h', ...inPod }, undefined, '/b'],
    ['the pod before the home', { HOME: '/h', ...inPod }, undefined, 'in-cluster'],
    ['the home last', { HOME: '/h' }, undefined, '/h/.kube/config'],
  ])('is chosen: %s', async (_, env, flag, source) => {
    const kc = kubeconfig({ token: 't' })
    const { loaded } = access({ ...pod, '/a': kc, '/b': kc, '/h/.kube/config': kc }, env, flag)

    expect((await loaded).source).toBe(source)
  })
})

describe('a mistake is reported with its fix:', () => {
  it.each([
    ['nothing is configured', {}, {}, /pass --kubeconfig/],
    ['the file is missing', {}, { KUBECONFIG: '/no' }, /cannot read the kubeconfig "\/no"/],
    ['the file is no YAML', { '/k': '{' }, { KUBECONFIG: '/k' }, /kubeconfig \/k cannot be read/],
    ['there is no context', { '/k': 'clusters: []' }, { KUBECONFIG: '/k' }, /use-context/],
    [
      'the proxy is none',
      { '/k': kubeconfig({}, { 'proxy-url': 'ftp://x' }) },
      { KUBECONFIG: '/k' },
      /proxy-url of kubeconfig \/k is "ftp:\/\/x", which is not the URL of a proxy/,
    ],
    [
      'the certificate file is missing',
      { '/k': kubeconfig({ 'client-certificate': '/no.crt' }) },
      { KUBECONFIG: '/k' },
      /client-certificate "\/no.crt"/,
    ],
    [
      'the command fails',
      {
        '/k': kubeconfig({
          exec: {
            command: process.execPath,
            args: ['-e', 'console.error("Bearer xyz"); process.exit(1)'],
          },
        }),
      },
      { KUBECONFIG: '/k' },
      /of user "u" failed: Bearer \[hidden\]; run it by hand/,
    ],
  ] as [string, Files, Record<string, string>, RegExp][])('%s', async (_, files, env, message) => {
    const error = await access(files, env).loaded.catch((e: unknown) => e)

    expect(error).toMatchObject({ name: 'UserError' })
    expect((error as Error).message).toMatch(message)
  })

  it('a token that cannot be sent, without showing it', async () => {
    const { loaded } = access(
      { '/k': kubeconfig({ token: 'sec ret\u00e9' }) },
      { KUBECONFIG: '/k' },
    )
    const error = await (await loaded).authorization().catch((e: unknown) => e)

    expect((error as Error).message).toContain('user "u"')
    expect((error as Error).message).not.toContain('sec')
  })
})

it('callers at the same time share one read', async () => {
  const { loaded, reads } = access(pod, inPod)
  const { authorization } = await loaded
  reads.length = 0
  await Promise.all([authorization(), authorization(), authorization(true)])

  expect(reads).toEqual([`${SA}/token`])
})
