import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parseConfig } from '../../src/api/config.ts'
import { SECRET } from '../../src/kube/resources.ts'
import type { KubeClient } from '../../src/kube/types.ts'
import { openStackCredentials } from '../../src/main/cloud-credentials.ts'
import { readText } from '../../src/main/system-files.ts'
import { behindAProxy } from './behind-a-proxy.ts'

const CLOUDS = `clouds:
  couchestor:
    auth:
      auth_url: https://k.test
      application_credential_id: 9876543210987655
      application_credential_secret: 0042
`

let folder: string
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'couchestor-clouds-'))))
afterEach(() => rmSync(folder, { recursive: true }))

function write(name: string, content: string | Buffer): string {
  const path = join(folder, name)
  mkdirSync(join(path, '..'), { recursive: true })
  writeFileSync(path, content)
  return path
}

function read(env: Record<string, string>, secret?: Record<string, Buffer>) {
  const get = (kind: unknown) => {
    expect(kind).toBe(SECRET)
    const data = Object.entries(secret ?? {}).map(([k, v]) => [k, v.toString('base64')])
    return Promise.resolve({ data: Object.fromEntries(data) as object })
  }
  const yaml =
    secret === undefined ? '' : 'openstack: {credential_ref: {secret_name: cloud-config}}'
  return openStackCredentials({
    kube: { get } as unknown as KubeClient,
    env: { HOME: folder, ...env },
    config: () => parseConfig(yaml, 'config.yaml'),
    readFile: readText,
  }).read()
}

const id = async (credentials: ReturnType<typeof read>) => {
  const { auth } = await credentials
  return auth.kind === 'applicationCredential' ? auth.credential : undefined
}

describe('clouds.yaml', () => {
  it.each(['clouds.yaml', 'clouds.yml', 'clouds.json'])(
    'is found in the home folder as %s',
    async (name) => {
      const json = JSON.stringify({
        clouds: {
          c: {
            auth: {
              auth_url: 'https://k.test',
              application_credential_id: '9876543210987655',
              application_credential_secret: 'x',
            },
          },
        },
      })
      write(`.config/openstack/${name}`, name.endsWith('json') ? json : CLOUDS)
      expect(await id(read({}))).toEqual({ id: '9876543210987655' })
    },
  )

  it.each([
    ['UTF-8 with its mark', Buffer.from(`\uFEFF${CLOUDS}`)],
    ['UTF-16 of little ends', Buffer.from(`\uFEFF${CLOUDS}`, 'utf16le')],
    ['UTF-16 of big ends', Buffer.from(`\uFEFF${CLOUDS}`, 'utf16le').swap16()],
    ['Windows line ends', Buffer.from(CLOUDS.replaceAll('\n', '\r\n'))],
  ])('may be written as %s', async (_, content) => {
    const OS_CLIENT_CONFIG_FILE = write('any.yaml', content)
    expect(await id(read({ OS_CLIENT_CONFIG_FILE }))).toEqual({ id: '9876543210987655' })
  })

  it('lies beside its secure.yaml', async () => {
    write('.config/openstack/clouds.yaml', CLOUDS.replace(/^.*secret.*$/m, ''))
    write(
      '.config/openstack/secure.yaml',
      'clouds: {couchestor: {auth: {application_credential_secret: s}}}',
    )
    expect(await id(read({}))).toEqual({ id: '9876543210987655' })
  })

  it('that is a directory is named as one', async () => {
    mkdirSync(join(folder, 'mounted'))
    const env = { OS_CLOUD: 'couchestor', OS_CLIENT_CONFIG_FILE: join(folder, 'mounted') }
    await expect(read(env)).rejects.toThrow(
      /OS_CLOUD is "couchestor" but no clouds\.yaml was found \(.*mounted is a directory and not a file\)/,
    )
  })

  it('that OS_CLIENT_CONFIG_FILE names and that does not exist is named', async () => {
    await expect(read({ OS_CLIENT_CONFIG_FILE: join(folder, 'gone.yaml') })).rejects.toThrow(
      /gone\.yaml does not exist/,
    )
  })
})

it.each([
  ['is not there', undefined, /cannot read the certificate authority of OpenStack ".*ca\.pem"/],
  ['is empty', '', /the certificate authority of OpenStack ".*ca\.pem" is no PEM text/],
  ['is binary', Buffer.from([0x30, 0x82, 1, 2]), /ca\.pem" is no PEM text/],
])('a certificate authority below ~ that %s is named', async (_, content, message) => {
  write(
    '.config/openstack/clouds.yaml',
    CLOUDS.replace('    auth:', '    cacert: ~/ca.pem\n    auth:'),
  )
  if (content !== undefined) write('ca.pem', content)
  const { tls } = openStackCredentials({
    env: { HOME: folder },
    config: () => parseConfig('', 'config.yaml'),
    readFile: readText,
  })
  await expect(tls()).rejects.toThrow(message)
  await expect(tls()).rejects.toMatchObject({ name: 'UserError' })
})

it("the CSI driver's Secret serves as it is, also written by Windows", async () => {
  const conf = `[Global]\r\nauth-url=https://k.test\r\napplication-credential-id=007\r\napplication-credential-secret=s\r\n`
  const secret = { 'cloud.conf': Buffer.from(`\uFEFF${conf}`, 'utf16le') }
  expect(await id(read({}, secret))).toEqual({ id: '007' })
})

it('the program logs in with a clouds.yaml of merge keys, regions and digits', async () => {
  const { world, run, close, direct } = await behindAProxy()
  const { seams } = world.cloud
  seams.setOrigin({
    identity: `http://${direct('identity')}`,
    volume: `http://${direct('volume')}`,
  })
  const { id: credential, secret } = seams.operator
  const path = write(
    'clouds.yaml',
    `
auth: &auth {auth_url: 'http://${direct('identity')}', application_credential_id: ${credential}}
clouds:
  0042:
    regions: [{name: RegionOne, values: {interface: public}}, Elsewhere]
    auth: {<<: *auth, application_credential_secret: '${secret}'}
`,
  )
  const empty = { OS_AUTH_URL: '', OS_APPLICATION_CREDENTIAL_ID: '' }
  const { out } = await run(
    ['doctor', '--output', 'json'],
    {
      ...empty,
      OS_APPLICATION_CREDENTIAL_SECRET: '',
      OS_CLOUD: '0042',
      OS_CLIENT_CONFIG_FILE: path,
    },
    `http://${direct('kube')}`,
  )
  await close()
  expect(out).toContain('logged in at http://127.0.0.1')
  expect(out).not.toMatch(/RegionAmbiguous|CredentialMissing/)
})
