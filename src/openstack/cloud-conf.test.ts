import { expect, it } from 'vitest'
import { loginBody } from './authenticate.ts'
import { readCloudConf } from './cloud-conf.ts'
import { readCredentials } from './credentials.ts'

const read = (conf: string, more: Record<string, string> = {}) =>
  readCredentials({ env: {}, secretData: { 'cloud.conf': conf, ...more } })

it("the CSI driver's Secret with an application credential is a credential", () => {
  const credentials = read(`[Global]
auth-url = "https://k.test:5000/v3"
application-credential-id = 0123456789
application-credential-secret = "a#b;c \\"d\\" \\\\e"   # a comment
region=RegionOne
os-endpoint-type = internalURL
tls-insecure = true
ca-file = /etc/ca.pem

[BlockStorage]
bs-version = v3
region = NotThisOne
`)
  expect(credentials).toMatchObject({
    authUrl: 'https://k.test:5000/v3',
    region: 'RegionOne',
    interface: 'internal',
    tls: { insecure: true, ca: '/etc/ca.pem' },
  })
  expect(loginBody(credentials.auth)).toEqual({
    auth: {
      identity: {
        methods: ['application_credential'],
        application_credential: { id: '0123456789', secret: 'a#b;c "d" \\e' },
      },
    },
  })
})

it.each([
  ['one domain for both', 'domain-name = Corp', { name: 'Corp' }, { name: 'Corp' }],
  ['a domain each', 'user-domain-id = u1\ntenant-domain-name = T', { id: 'u1' }, { name: 'T' }],
  ['both kinds', 'domain-id = d1\nuser-domain-name = U', { name: 'U' }, { id: 'd1' }],
])('a user with %s logs in to the project', (_, domains, user, project) => {
  const { auth } = read(`[global]\r
AUTH-URL = https://k.test\r
username = mia\r
password = "0042"\r
tenant-name = disks\r
${domains}\r
`)
  expect(auth).toMatchObject({
    kind: 'password',
    user: { name: 'mia', domain: user },
    project: { name: 'disks', domain: project },
  })
})

it('ids need no domains', () => {
  const { auth } = read('[Global]\nauth-url=https://k.test\nuser-id=u\npassword=p\ntenant-id=t\n')
  expect(auth).toMatchObject({ user: { id: 'u' }, project: { id: 't' } })
})

it('use-clouds takes the cloud from the clouds.yaml of the same Secret', () => {
  const yaml = `clouds: {a: {}, b: {auth: {auth_url: 'https://b.test', application_credential_id: x, application_credential_secret: y}}}`
  const conf = '[Global]\nuse-clouds\nclouds-file = /etc/openstack/clouds.yaml\ncloud = b\n'
  expect(read(conf, { 'clouds.yaml': yaml }).authUrl).toBe('https://b.test/v3')
  expect(() => read(conf)).toThrow(
    /use-clouds = true, and its clouds-file "\/etc\/openstack\/clouds\.yaml" .* add that file to the Secret/,
  )
})

it.each([
  ['', /cloud\.conf of the Secret/],
  ['[Global]\nauth-url = not a url\n', /OS_AUTH_URL must be a URL/],
  ['[LoadBalancer]\nauth-url = https://k.test\n', /OS_AUTH_URL .* is missing/],
])('a cloud.conf that does not do is one message (%j)', (conf, message) => {
  expect(() => read(conf)).toThrow(message)
})

it('goes on after a backslash, and takes the last of several', () => {
  expect(readCloudConf('[Global]\nregion = a\nregion = b\\\nc\n').variables).toEqual({
    OS_REGION_NAME: 'bc',
  })
})
