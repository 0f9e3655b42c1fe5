import { describe, expect, it } from 'vitest'
import { readCloud } from './clouds-yaml.ts'
import { loginBody } from './authenticate.ts'
import { readCredentials } from './credentials.ts'
import type { CredentialSources } from './credential-variables.ts'

const variables = (text: string, cloud?: string, region?: string) => {
  const found = readCloud({ clouds: { text, where: 'clouds.yaml' } }, cloud, { asked: region })
  return 'cloud' in found ? found.variables : undefined
}

const read = (cloudsYaml: string, from: Partial<CredentialSources> = {}) =>
  readCredentials({ env: { OS_CLOUD: 'c' }, cloudsYaml, ...from })

const AUTH = `auth_url: https://k.test, username: u, password: p, project_id: x, user_domain_id: d`

describe('a clouds.yaml', () => {
  it('keeps every text as it is written, digits too', () => {
    const text = `
clouds:
  c:
    region_name: 0123
    auth:
      application_credential_id: 9876543210987655
      application_credential_secret: 0x1F
      password: 1e3
      username: 1_000
      project_name: 2024-01-02
      user_domain_name: yes
      project_domain_name: '007'
      project_id: 12345678901234567890
`
    expect(variables(text)).toEqual({
      OS_REGION_NAME: '0123',
      OS_APPLICATION_CREDENTIAL_ID: '9876543210987655',
      OS_APPLICATION_CREDENTIAL_SECRET: '0x1F',
      OS_PASSWORD: '1e3',
      OS_USERNAME: '1_000',
      OS_PROJECT_NAME: '2024-01-02',
      OS_USER_DOMAIN_NAME: 'yes',
      OS_PROJECT_DOMAIN_NAME: '007',
      OS_PROJECT_ID: '12345678901234567890',
    })
  })

  it('may name a cloud by digits', () => {
    expect(variables(`clouds: {0042: {auth: {username: u}}, 43: {}}`, '0042')).toEqual({
      OS_USERNAME: 'u',
    })
  })

  it('has merge keys as PyYAML reads them: own keys win, of several maps the first', () => {
    const text = `
base: &base {auth_type: password, region_name: Base, interface: internal}
more: &more {region_name: More, verify: false}
auth: &auth {auth_url: 'https://k.test', username: base}
clouds:
  c:
    <<: [*base, *more]
    interface: admin
    auth:
      <<: *auth
      username: own
`
    expect(variables(text)).toEqual({
      OS_AUTH_TYPE: 'password',
      OS_REGION_NAME: 'Base',
      OS_INTERFACE: 'admin',
      OS_VERIFY: 'false',
      OS_INSECURE: 'true',
      OS_AUTH_URL: 'https://k.test',
      OS_USERNAME: 'own',
    })
  })

  it.each([
    ['the first of its regions', undefined, 'One'],
    ['the region that is asked for', 'Three', 'Three'],
  ])('is read for %s', (_, region, name) => {
    const text = `clouds: {c: {regions: [One, {name: Two, values: {interface: internal}}, Three], auth: {${AUTH}}}}`
    expect(variables(text, 'c', region)).toMatchObject({ OS_REGION_NAME: name })
  })

  it('gives a region its own values', () => {
    const text = `clouds: {c: {regions: [One, {name: Two, values: {interface: internal, auth: {project_id: two}}}], auth: {${AUTH}}}}`
    expect(variables(text, 'c', 'Two')).toMatchObject({
      OS_REGION_NAME: 'Two',
      OS_INTERFACE: 'internal',
      OS_PROJECT_ID: 'two',
      OS_USERNAME: 'u',
    })
  })

  it('that lacks the wanted region names those it has', () => {
    const env = { OS_CLOUD: 'c', OS_REGION_NAME: 'Four' }
    const cloudsYaml = `clouds: {c: {regions: [One, {name: Two}], auth: {${AUTH}}}}`
    expect(() => readCredentials({ env, cloudsYaml })).toThrow(
      /OS_REGION_NAME is "Four", which cloud "c" of clouds\.yaml does not have: choose one of One, Two/,
    )
  })

  it('may write its keys with dashes, and values as null', () => {
    const text = `clouds: {c: {region-name: null, auth: {auth-url: 'https://k.test', username: ~, password: }}}`
    expect(variables(text)).toEqual({ OS_AUTH_URL: 'https://k.test' })
  })

  it('may be written by an editor of Windows', () => {
    const text = `\uFEFFclouds:\r\n  c:\r\n    auth: {${AUTH}}\r\n`
    expect(read(text).authUrl).toBe('https://k.test/v3')
  })

  it.each([
    ['with tabs', 'clouds:\n\tc: {}\n', /clouds\.yaml is not valid YAML: .*line 2.*spaces/],
    [
      'with a key twice',
      'clouds:\n  c:\n    auth: {password: marker-1, password: marker-2}\n',
      /is not valid YAML: duplicated .* in line 3, column \d+; remove one of the two/,
    ],
    ['that is a list', '- clouds\n', /is not a clouds\.yaml: write a map "clouds"/],
    ['whose clouds are a list', 'clouds: [marker-1]', /is not a clouds\.yaml: write a map/],
    ['that is empty', '', /OS_CLOUD is "c", which clouds\.yaml does not have: add it there/],
    ['of comments only', '# nothing\n---\n', /OS_CLOUD is "c", which clouds\.yaml does not have/],
    ['without clouds', 'cache: {}', /OS_CLOUD is "c", which clouds\.yaml does not have/],
    ['with an unknown alias', 'clouds: {c: *nowhere}', /is not valid YAML: .*nowhere/],
  ])('%s is one sentence, and shows no secret', (_, text, message) => {
    expect(() => read(text)).toThrow(message)
    expect(() => read(text)).not.toThrow(/marker/)
  })

  it('that is empty harms nobody who has no use for it', () => {
    const env = {
      OS_AUTH_URL: 'https://k.test',
      OS_APPLICATION_CREDENTIAL_ID: 'a',
      OS_APPLICATION_CREDENTIAL_SECRET: 'b',
    }
    expect(readCredentials({ env, cloudsYaml: '' }).authUrl).toBe('https://k.test/v3')
  })

  it('has its secrets in secure.yaml', () => {
    const secureYaml = {
      where: 'secure.yaml',
      text: 'clouds: {c: {auth: {password: 0099}}, other: {auth: {password: x}}}',
    }
    const yaml = `clouds: {c: {auth: {auth_url: 'https://k.test', username: u, project_id: x, user_domain_id: d}}}`
    expect(loginBody(read(yaml, { secureYaml }).auth)).toMatchObject({
      auth: { identity: { password: { user: { name: 'u', password: '0099' } } } },
    })
  })

  it.each(['profile', 'cloud'])('takes its profile from clouds-public.yaml by "%s"', (key) => {
    const vendorsYaml = {
      where: 'clouds-public.yaml',
      text: 'public-clouds: {acme: {region_name: Acme, interface: internal, auth: {auth_url: "https://acme.test", user_domain_name: Acme}}}',
    }
    const yaml = `clouds: {c: {${key}: acme, interface: public, auth: {username: u, password: p, project_id: x}}}`
    expect(read(yaml, { vendorsYaml })).toMatchObject({
      authUrl: 'https://acme.test/v3',
      region: 'Acme',
      interface: 'public',
      auth: { user: { domain: { name: 'Acme' } } },
    })
  })

  it('knows the public clouds that openstacksdk knows, with the region in the URL', () => {
    const yaml = `clouds: {c: {profile: otc, region_name: eu-nl, auth: {username: u, password: p, project_id: x, user_domain_id: d}}}`
    expect(read(yaml).authUrl).toBe('https://iam.eu-nl.otc.t-systems.com/v3')
  })

  it('with an unknown profile needs its own auth_url', () => {
    const auth = 'username: u, password: p, project_id: x, user_domain_id: d'
    expect(() => read(`clouds: {c: {profile: nowhere, auth: {${auth}}}}`)).toThrow(
      /profile "nowhere" of cloud "c" in clouds\.yaml .* set auth\.auth_url/,
    )
    const own = `clouds: {c: {profile: nowhere, auth: {auth_url: 'https://k.test', ${auth}}}}`
    expect(read(own).authUrl).toBe('https://k.test/v3')
  })

  it('may name certificates below ~', () => {
    const yaml = `clouds: {c: {cacert: ~/ca.pem, cert: ~/me.pem, key: '~/me.key', auth: {${AUTH}}}}`
    expect(read(yaml, { env: { OS_CLOUD: 'c', HOME: '/home/me' } }).tls).toEqual({
      ca: '/home/me/ca.pem',
      cert: '/home/me/me.pem',
      key: '/home/me/me.key',
      insecure: false,
    })
  })
})

describe('of several regions', () => {
  const TWO = `
clouds:
  c:
    auth_type: v3password
    regions: [{name: One, values: {interface: internal}}, {name: Two, values: {interface: admin}}]
    auth: {${AUTH.replace('https://k.test', "'https://{region_name}.test'")}}
`
  const ONE = `clouds: {c: {region_name: One, auth: {${AUTH}}}}`

  it('openstack.region chooses, and OS_REGION_NAME goes before it', () => {
    const config = { region: 'Two' }
    expect(read(TWO, { config })).toMatchObject({
      region: 'Two',
      interface: 'admin',
      authUrl: 'https://two.test/v3',
    })
    const env = { OS_CLOUD: 'c', OS_REGION_NAME: 'One' }
    expect(read(TWO, { config, env })).toMatchObject({ region: 'One', interface: 'internal' })
    // a cloud with one region leaves no choice
    expect(read(ONE, { config }).region).toBe('One')
  })

  it('one that openstack.region names and that is not there is named as that', () => {
    expect(() => read(TWO, { config: { region: 'Tow' } })).toThrow(
      /openstack\.region is "Tow", which cloud "c" .*choose one of One, Two/,
    )
  })

  it.each([{ OS_REGION_NAME: 'Two\n' }, { 'cloud.conf': '[Global]\nregion = Two\n' }])(
    'the Secret that holds the clouds.yaml chooses with its own key: %j',
    (own) => {
      const secretData = { 'clouds.yaml': TWO, ...own } as unknown as Record<string, string>
      expect(readCredentials({ env: {}, secretData })).toMatchObject({
        region: 'Two',
        interface: 'admin',
        authUrl: 'https://two.test/v3',
      })
    },
  )

  it('one may be written as a text', () => {
    expect(variables(`clouds: {c: {regions: One, auth: {${AUTH}}}}`)).toMatchObject({
      OS_REGION_NAME: 'One',
    })
  })
})

describe('which cloud is meant', () => {
  const other = `clouds: {other: {regions: [Elsewhere], cacert: /other.pem, verify: false, auth: {${AUTH}}}}`

  it('an environment that logs in on its own is not completed by a cloud that nobody named', () => {
    const env = {
      OS_AUTH_URL: 'https://mine.test',
      OS_APPLICATION_CREDENTIAL_ID: 'i',
      OS_APPLICATION_CREDENTIAL_SECRET: 's',
    }
    const plain = readCredentials({ env })
    for (const cloudsYaml of [other, 'clouds: [', 'clouds: {a: {profile: nobody}}'])
      expect(readCredentials({ env, cloudsYaml })).toEqual(plain)
    const named = { ...env, OS_REGION_NAME: 'Mine' }
    expect(readCredentials({ env: named, cloudsYaml: other }).region).toBe('Mine')
    // a cloud that is named completes it
    expect(
      readCredentials({ env: { ...env, OS_CLOUD: 'other' }, cloudsYaml: other }),
    ).toMatchObject({
      region: 'Elsewhere',
      authUrl: 'https://mine.test/v3',
      tls: { insecure: true },
    })
  })

  it('several clouds without a choice are named with what chooses', () => {
    expect(() => readCredentials({ env: {}, cloudsYaml: 'clouds: {a: {}, b: {}}' })).toThrow(
      /read: the environment, clouds\.yaml, where OS_CLOUD has to choose one of a, b,/,
    )
  })

  it('an entry without content may have everything in secure.yaml', () => {
    const secureYaml = { text: `clouds: {c: {auth: {${AUTH}}}}`, where: 'secure.yaml' }
    expect(read('clouds: {c: }', { secureYaml }).authUrl).toBe('https://k.test/v3')
    expect(() => read('clouds: {c: }')).toThrow(/OS_AUTH_URL .*is missing/)
  })

  it.each(['constructor', '__proto__'])('no object has a cloud "%s" of its own', (OS_CLOUD) => {
    expect(() => readCredentials({ env: { OS_CLOUD }, cloudsYaml: 'clouds: {a: {}}' })).toThrow(
      /which clouds\.yaml does not have: choose one of a/,
    )
  })

  it('a file without clouds offers none to choose from', () => {
    const env = { OS_CLOUD: 'prod' }
    expect(() => readCredentials({ env, cloudsYaml: 'clouds: {}' })).toThrow(
      /does not have: add it there, or unset OS_CLOUD$/,
    )
  })

  it.each(['true', 'yes', 'on', '1', 'True'])(
    'tls-insecure = %s of a cloud.conf counts',
    (text) => {
      const conf = `[Global]\nauth-url=https://k.test\napplication-credential-id=i\napplication-credential-secret=s\ntls-insecure=${text}\n`
      const secretData = { 'cloud.conf': conf }
      expect(readCredentials({ env: {}, secretData }).tls.insecure).toBe(true)
    },
  )
})

it.each([{ OS_TRUST_ID: 't' }, { OS_SYSTEM_SCOPE: 'all' }])(
  'a scope that is not supported is named and not left out: %j',
  (env) => {
    expect(() =>
      read(`clouds: {c: {auth: {${AUTH}}}}`, { env: { OS_CLOUD: 'c', ...env } }),
    ).toThrow(/OS_(TRUST_ID|SYSTEM_SCOPE) is not supported/)
  },
)
