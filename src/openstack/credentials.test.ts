import { describe, expect, it } from 'vitest'
import { inspect } from 'node:util'
import { cloudFilePaths } from './clouds-file.ts'
import type { CredentialSources } from './credential-variables.ts'
import { readCredentials } from './credentials.ts'
import { loginBody } from './authenticate.ts'

const URL = { OS_AUTH_URL: 'https://keystone.test:5000/v3' }
const APP = {
  ...URL,
  OS_APPLICATION_CREDENTIAL_ID: 'app',
  OS_APPLICATION_CREDENTIAL_SECRET: 's3cret',
}
const PASSWORD = {
  ...URL,
  OS_USERNAME: 'mia',
  OS_PASSWORD: 'pa ss',
  OS_USER_DOMAIN_NAME: 'Default',
  OS_PROJECT_NAME: 'disks',
  OS_PROJECT_DOMAIN_ID: 'default',
}

const loginOf = (from: CredentialSources) => loginBody(readCredentials(from).auth)

function errorOf(from: CredentialSources): unknown {
  try {
    return readCredentials(from)
  } catch (e) {
    return e
  }
}
const messageOf = (from: CredentialSources) => String((errorOf(from) as Error).message)

describe('what Keystone is sent', () => {
  it('an application credential by id names no project', () => {
    const leftOver = { OS_PROJECT_NAME: 'x', OS_USERNAME: 'y' }
    expect(loginOf({ env: { ...APP, ...leftOver } })).toEqual({
      auth: {
        identity: {
          methods: ['application_credential'],
          application_credential: { id: 'app', secret: 's3cret' },
        },
      },
    })
  })

  it('an application credential by name is sent with its user', () => {
    const env = {
      ...URL,
      OS_APPLICATION_CREDENTIAL_NAME: 'operator',
      OS_APPLICATION_CREDENTIAL_SECRET: 's3cret',
      OS_USERNAME: 'mia',
      OS_USER_DOMAIN_ID: 'default',
    }
    expect(loginOf({ env })).toMatchObject({
      auth: {
        identity: {
          application_credential: {
            name: 'operator',
            user: { name: 'mia', domain: { id: 'default' } },
          },
        },
      },
    })
  })

  it('a password is sent with user, project and their domains', () => {
    expect(loginOf({ env: PASSWORD })).toEqual({
      auth: {
        identity: {
          methods: ['password'],
          password: { user: { name: 'mia', domain: { name: 'Default' }, password: 'pa ss' } },
        },
        scope: { project: { name: 'disks', domain: { id: 'default' } } },
      },
    })
  })

  it('ids need no domain', () => {
    const env = { ...URL, OS_USER_ID: 'u1', OS_PASSWORD: 'x', OS_PROJECT_ID: 'p1' }
    expect(loginOf({ env })).toMatchObject({
      auth: { identity: { password: { user: { id: 'u1' } } }, scope: { project: { id: 'p1' } } },
    })
  })

  it('a token with a project asks for that project', () => {
    const env = { ...URL, OS_TOKEN: 't', OS_PROJECT_ID: 'p1' }
    expect(loginOf({ env })).toEqual({
      auth: {
        identity: { methods: ['token'], token: { id: 't' } },
        scope: { project: { id: 'p1' } },
      },
    })
  })
})

describe('where it is read from', () => {
  const yaml = `
clouds:
  one:
    region_name: Yaml
    auth: {auth_url: 'https://yaml.test/v3', application_credential_id: yaml, application_credential_secret: 12345}
  two:
    verify: false
    interface: internal
    auth_type: password
    auth: {auth_url: 'https://two.test', username: u, password: p, project_id: x, user_domain_id: d}
`
  it('the environment beats clouds.yaml, which beats the Secret, which beats config.yaml', () => {
    const config = { auth_url: 'https://config.test', region: 'Config' }
    const secretData = { ...APP, OS_APPLICATION_CREDENTIAL_ID: 'secret' }
    const ids = (from: CredentialSources) => /"id":"(\w+)"/.exec(JSON.stringify(loginOf(from)))?.[1]
    expect(ids({ env: { ...APP, OS_CLOUD: 'one' }, cloudsYaml: yaml, secretData })).toBe('app')
    expect(ids({ env: { OS_CLOUD: 'one' }, cloudsYaml: yaml, secretData })).toBe('yaml')
    expect(ids({ env: {}, cloudsYaml: yaml, secretData })).toBe('secret')
    expect(readCredentials({ env: {}, secretData, config })).toMatchObject({
      region: 'Config',
      authUrl: 'https://keystone.test:5000/v3',
    })
  })

  it('a cloud of clouds.yaml brings region, interface and TLS, and a number is a fine secret', () => {
    expect(readCredentials({ env: { OS_CLOUD: 'two' }, cloudsYaml: yaml })).toMatchObject({
      authUrl: 'https://two.test/v3',
      interface: 'internal',
      tls: { insecure: true },
    })
    expect(loginOf({ env: { OS_CLOUD: 'one' }, cloudsYaml: yaml })).toMatchObject({
      auth: { identity: { application_credential: { secret: '12345' } } },
    })
  })

  it('a Secret may hold a clouds.yaml instead', () => {
    const secretData = { 'clouds.yaml': yaml, OS_CLOUD: 'one' }
    expect(readCredentials({ env: {}, secretData }).region).toBe('Yaml')
  })

  it('the line end of an encoded Secret does not count', () => {
    const secretData = { ...APP, OS_APPLICATION_CREDENTIAL_SECRET: 's3cret\n' }
    expect(loginOf({ env: {}, secretData })).toMatchObject({
      auth: { identity: { application_credential: { secret: 's3cret' } } },
    })
  })

  it('a name in the environment beats an id of a later source', () => {
    const secretData = { OS_PROJECT_ID: 'other' }
    expect(loginOf({ env: PASSWORD, secretData })).toMatchObject({
      auth: { scope: { project: { name: 'disks' } } },
    })
  })

  it('clouds.yaml is looked for where openstacksdk looks, OS_CLIENT_CONFIG_FILE first', () => {
    const env = { OS_CLIENT_CONFIG_FILE: '/x.yaml', HOME: '/h', XDG_CONFIG_HOME: '/xdg' }
    expect(cloudFilePaths(env, 'clouds').filter((path) => !path.endsWith('.json'))).toEqual([
      '/x.yaml',
      'clouds.yaml',
      'clouds.yml',
      '/xdg/openstack/clouds.yaml',
      '/xdg/openstack/clouds.yml',
      '/h/.config/openstack/clouds.yaml',
      '/h/.config/openstack/clouds.yml',
      '/etc/xdg/openstack/clouds.yaml',
      '/etc/xdg/openstack/clouds.yml',
      '/etc/openstack/clouds.yaml',
      '/etc/openstack/clouds.yml',
    ])
    expect(cloudFilePaths({ OS_CLIENT_SECURE_FILE: '/s' }, 'secure')[0]).toBe('/s')
    expect(cloudFilePaths(env, 'clouds-public')[0]).toBe('clouds-public.yaml')
  })
})

describe('the identity URL', () => {
  it.each([
    ['https://k.test:5000/v3', 'https://k.test:5000/v3'],
    ['https://k.test:5000/v3/', 'https://k.test:5000/v3'],
    ['https://k.test:5000', 'https://k.test:5000/v3'],
    ['https://k.test/identity/', 'https://k.test/identity/v3'],
  ])('%s becomes %s', (raw, url) => {
    expect(readCredentials({ env: { ...APP, OS_AUTH_URL: raw } }).authUrl).toBe(url)
  })
})

describe('mistakes', () => {
  const without = (from: Record<string, string>, ...names: string[]) =>
    Object.fromEntries(Object.entries(from).filter(([k]) => !names.includes(k)))

  it.each<[string, CredentialSources, RegExp]>([
    ['nothing at all', { env: {} }, /OS_AUTH_URL .*missing; OS_APPLICATION_CREDENTIAL_ID and/],
    [
      'no secret',
      { env: without(APP, 'OS_APPLICATION_CREDENTIAL_SECRET') },
      /CREDENTIAL_SECRET is missing/,
    ],
    [
      'an empty id',
      { env: { ...APP, OS_APPLICATION_CREDENTIAL_ID: '' } },
      /CREDENTIAL_ID is missing/,
    ],
    [
      'a password without project and domain',
      { env: without(PASSWORD, 'OS_PROJECT_NAME', 'OS_USER_DOMAIN_NAME') },
      /OS_USER_DOMAIN_NAME \(or OS_USER_DOMAIN_ID\) is missing; OS_PROJECT_ID or OS_PROJECT_NAME is missing/,
    ],
    [
      'an override of version 2',
      { env: APP, config: { endpoint_override: 'https://c/v2/abc' } },
      /openstack\.endpoint_override .* "https:\/\/c\/v2\/abc", .*version 3.*: set it to https:\/\/c\/v3\/abc/,
    ],
    [
      'an override that is no URL',
      { env: { ...APP, OS_METRIC_ENDPOINT_OVERRIDE: 'gnocchi:8041' } },
      /OS_METRIC_ENDPOINT_OVERRIDE must be a URL/,
    ],
    [
      'two ways to log in',
      { env: { ...APP, ...PASSWORD } },
      /both OS_APPLICATION_CREDENTIAL_\* and OS_PASSWORD/,
    ],
    [
      'an unknown auth type',
      { env: { ...APP, OS_AUTH_TYPE: 'v3kerberos' } },
      /"v3kerberos" is not supported/,
    ],
    [
      'a token type without token',
      { env: { ...URL, OS_AUTH_TYPE: 'token' } },
      /OS_TOKEN is missing/,
    ],
    [
      'Keystone v2',
      { env: { ...APP, OS_AUTH_URL: 'https://k.test/v2.0' } },
      /only v3 is supported/,
    ],
    ['no URL', { env: { ...APP, OS_AUTH_URL: 'keystone' } }, /OS_AUTH_URL must be a URL/],
    [
      'an unknown interface',
      { env: { ...APP, OS_INTERFACE: 'privat' } },
      /OS_INTERFACE "privat" must be/,
    ],
    [
      'an unknown cloud',
      { env: { OS_CLOUD: 'x' }, cloudsYaml: 'clouds: {a: {}, b: {}}' },
      /choose one of a, b/,
    ],
    ['a cloud without a file', { env: { OS_CLOUD: 'x' } }, /no clouds.yaml was found/],
    ['a file that is no clouds.yaml', { env: {}, cloudsYaml: '[]' }, /write a map "clouds"/],
    [
      "the guide's placeholder",
      { env: { ...APP, OS_APPLICATION_CREDENTIAL_ID: '<credential-id>' } },
      /OS_APPLICATION_CREDENTIAL_ID still holds the placeholder/,
    ],
  ])('%s is reported in one message', (_, from, message) => {
    expect(errorOf(from)).toMatchObject({ name: 'UserError', code: 'OpenStackCredentials' })
    expect(messageOf(from)).toMatch(message)
  })

  it('OS_AUTH_TYPE settles a contradiction', () => {
    const env = { ...APP, ...PASSWORD, OS_AUTH_TYPE: 'v3password' }
    expect(readCredentials({ env }).auth.kind).toBe('password')
  })

  it.each([
    ['a password in the URL', { env: { ...APP, OS_AUTH_URL: 'https://u:hunter2@k.test/v3' } }],
    ['a password alone in the URL', { env: { ...APP, OS_AUTH_URL: 'https://:hunter2@k.test/v3' } }],
    ['broken YAML', { env: {}, cloudsYaml: 'clouds: {a: {auth: {password: hunter2' }],
    ['a missing project', { env: { ...URL, OS_USERNAME: 'u', OS_PASSWORD: 'hunter2' } }],
  ])('%s is refused without repeating the secret', (_, from) => {
    expect(messageOf(from)).toMatch(/OS_|YAML/)
    expect(messageOf(from)).not.toContain('hunter2')
  })

  it('credentials print without their secrets', () => {
    const printed =
      inspect(readCredentials({ env: PASSWORD })) +
      JSON.stringify(readCredentials({ env: PASSWORD }))
    expect(printed).not.toContain('pa ss')
    expect(printed).toContain('[hidden]')
  })
})
