import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { UserError } from '../errors.ts'
import { loadConfig, parseConfig } from './config.ts'
import { notices } from './config-notices.ts'
import { configKeys } from './config-schema.ts'

const GUIDE = `
cloud_provider: openstack

openstack:
  auth_url: "https://keystone.example.com:5000/v3"
  region: "RegionOne"
  credential_ref:
    secret_name: openstack-credentials
    namespace: couchestor-system

prometheus:
  endpoint: "http://prometheus-server.monitoring.svc:9090"
  query_timeout: 30s
  # ceilometer_endpoint: "http://ceilometer-api.openstack.svc:8777"

tiers:
  hot:
    storage_class: "couchestor-hot"
    cinder_volume_type: "couchestor-hot"
    iops_threshold: 100
    min_capacity_gb: 100
  warm:
    storage_class: "couchestor-warm"
    cinder_volume_type: "couchestor-warm"
    iops_threshold: 10
    min_capacity_gb: 500
  cold:
    storage_class: "couchestor-cold"
    cinder_volume_type: "couchestor-cold"
    iops_threshold: 0
    min_capacity_gb: 2000

erasure_coding:
  enabled: true
  data_shards: 4
  parity_shards: 2
  stripe_size_mb: 64

migration:
  cooldown_period: 1h
  batch_size: 5
  concurrent_migrations: 2
  use_cinder_transfer: true

cache:
  l1_size_mb: 1024
  l2_size_mb: 10240
  compression: zstd
  prefetch_enabled: true
`

/** What the file is answered with; undefined when it is accepted. Anything but a UserError is thrown on. */
function answerTo(yaml: string): string | undefined {
  try {
    parseConfig(yaml, 'config.yaml')
    return undefined
  } catch (e) {
    if (e instanceof UserError) return e.message
    throw e
  }
}

function messageFor(yaml: string): string {
  const answer = answerTo(yaml)
  if (answer === undefined) throw new Error('the file was accepted')
  return answer
}

describe('parseConfig', () => {
  it('reads the config.yaml of the guide whole', () => {
    const config = parseConfig(GUIDE, 'config.yaml')
    expect(config).toMatchObject({
      openstack: {
        authUrl: 'https://keystone.example.com:5000/v3',
        region: 'RegionOne',
        credentialRef: { secretName: 'openstack-credentials', namespace: 'couchestor-system' },
      },
      prometheus: {
        endpoint: 'http://prometheus-server.monitoring.svc:9090',
        queryTimeoutMs: 30_000,
      },
      migration: {
        cooldownPeriodMs: 3_600_000,
        concurrentMigrations: 2,
        batchSize: 5,
        paused: false,
      },
    })
    expect(Object.keys(config.tiers)).toEqual(['hot', 'warm', 'cold'])
    expect(config.tiers['warm']).toEqual({
      storageClass: 'couchestor-warm',
      cinderVolumeType: 'couchestor-warm',
      iopsThreshold: 10,
      minCapacityGb: 500,
    })
  })

  it.each([
    '',
    '\n',
    '# nothing yet\n',
    '---\n',
    '--- \n# nothing\n',
    'null',
    '{}',
    'migration:\ncache:\n',
  ])('takes %j as all defaults', (yaml) => {
    const config = parseConfig(yaml, 'config.yaml')
    expect(config.migration).toMatchObject({
      cooldownPeriodMs: 86_400_000,
      concurrentMigrations: 2,
      useCinderTransfer: false,
      paused: false,
    })
    expect(config.prometheus).toMatchObject({
      queryTimeoutMs: 30_000,
      preset: 'agent',
      lagMs: 60_000,
    })
  })

  it.each([
    [
      'prometheus: {end_point: "http://p:9090"}',
      'prometheus.end_point is unknown: did you mean prometheus.endpoint?',
    ],
    [
      'prometheus: {queryTimeout: 30s}',
      'prometheus.queryTimeout is unknown: did you mean prometheus.query_timeout?',
    ],
    [
      'migration: {cooldown: 1h}',
      'migration.cooldown is unknown: did you mean migration.cooldown_period?',
    ],
    ['promehteus: {}', 'promehteus is unknown: did you mean prometheus?'],
    ['auth_url: "http://k"', 'auth_url is unknown: did you mean openstack.auth_url?'],
    [
      'tiers: {hot: {iops_treshold: 1}}',
      'tiers.hot.iops_treshold is unknown: did you mean tiers.hot.iops_threshold?',
    ],
    [
      'cache: {zzzzzzzzzzzz: 1}',
      'cache.zzzzzzzzzzzz is unknown: remove it; known here: l1_size_mb, l2_size_mb, compression, prefetch_enabled',
    ],
    [
      'prometheus: {query_timeout: 30}',
      'prometheus.query_timeout is 30: write a duration from 1s to 10m with its unit',
    ],
    ['prometheus: {query_timeout: -30s}', 'prometheus.query_timeout is "-30s": write a duration'],
    [
      'prometheus: {query_timeout: 1h}',
      'prometheus.query_timeout is "1h": write a duration from 1s to 10m',
    ],
    [
      'prometheus: {endpoint: "prometheus:9090"}',
      'prometheus.endpoint is "prometheus:9090": write an http or https URL',
    ],
    ['prometheus: {endpoint: }', 'prometheus.endpoint is empty: write an http or https URL'],
    ['openstack: {auth_url: 5}', 'openstack.auth_url is 5: write an http or https URL'],
    [
      'openstack: {credential_ref: {namespace: a}}',
      'openstack.credential_ref.secret_name is missing: write a text',
    ],
    [
      'openstack: {interface: Public}',
      'openstack.interface is "Public": write one of public, internal, admin',
    ],
    ['openstack: []', 'openstack is a list: write a mapping of keys to values'],
    ['- a', 'the document is a list: write a mapping of keys to values'],
    ['just text', 'the document is "just text": write a mapping of keys to values'],
    ['cloud_provider: aws', 'cloud_provider is "aws": write openstack'],
    [
      'migration: {concurrent_migrations: 0}',
      'migration.concurrent_migrations is 0: write a whole number from 1 to 100',
    ],
    [
      'migration: {concurrent_migrations: 2.5}',
      'migration.concurrent_migrations is 2.5: write a whole number',
    ],
    ['migration: {paused: "yes"}', 'migration.paused is "yes": write true or false'],
    ['tiers: {Hot Tier: {}}', 'tiers.Hot Tier is no tier name: write lower-case letters'],
    [
      'tiers: {hot: {iops_threshold: .nan}}',
      'tiers.hot.iops_threshold is null: write a number from 0',
    ],
    ['tiers: [hot]', 'tiers is a list: write a mapping of keys to values'],
    [
      'erasure_coding: {data_shards: 2, parity_shards: 4}',
      'erasure_coding.parity_shards is 4, more than data_shards (2)',
    ],
    [
      'prometheus: {preset: custom}',
      'prometheus.queries is missing: preset custom needs operations',
    ],
    [
      'prometheus: {preset: custom}',
      'prometheus.scrape_interval is missing: preset custom needs it',
    ],
    [
      'prometheus: {queries: {operations: a, bytes: b, read_samples: c, write_samples: d}}',
      'prometheus.queries is given, but preset is agent',
    ],
    [
      'prometheus: {auth: {basic: {username: a, password_file: /b}, bearer_token_file: /c}}',
      'prometheus.auth has both basic and bearer_token_file: keep one',
    ],
    [
      'prometheus: {tls: {cert_file: /a}}',
      'prometheus.tls.key_file is missing: a client certificate needs both',
    ],
  ])('answers %s with field, value and fix', (yaml, expected) => {
    expect(messageFor(yaml)).toContain(`- ${expected}`)
  })

  it('reports all mistakes in one message', () => {
    const message = messageFor(`
prometheus: {endpint: x, query_timeout: soon}
migration: {batch_size: many, pausd: true}
colour: blue
`)
    expect(message.split('\n')[0]).toBe('config.yaml has 5 mistakes:')
    for (const path of [
      'prometheus.endpint',
      'prometheus.query_timeout',
      'migration.batch_size',
      'migration.pausd',
      'colour',
    ])
      expect(message).toContain(`- ${path} is`)
  })

  it.each([
    'prometheus: {endpoint: "http://user:hunter2@p:9090"}',
    'prometheus: {endpoint: "ftp://us/er:hunter2@p:9090"}',
    'prometheus: {headers: {Authorization: [hunter2]}}',
    'prometheus: {headers: {X-Number: 4711, hunter2x: 5}}',
    'prometheus: {password: hunter2}',
    'openstack: {password: {a: hunter2}}',
    'openstack: {password: hunter2',
  ])('does not repeat the secret in %s', (yaml) => {
    expect(messageFor(yaml)).not.toMatch(/hunter2(?!x)|4711/)
  })

  it.each([
    ['a: 1\na: 2', /config\.yaml is not YAML: duplicated mapping key \(line 2, column 1\)$/],
    ['a: [', /config\.yaml is not YAML: .* \(line 1, column \d\)$/],
    ['a: 1\n---\nb: 2', /config\.yaml is not YAML/],
  ])('says where %j is no YAML', (yaml, expected) => {
    expect(messageFor(yaml)).toMatch(expected)
  })

  it('accepts or says UserError for any text, nothing else', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (yaml) => {
        expect(() => answerTo(yaml)).not.toThrow()
      }),
    )
  })

  it('finds the right key for every key with one letter dropped', () => {
    for (const key of configKeys().filter((k) => !k.includes('<name>'))) {
      const parts = key.split('.')
      const leaf = parts.at(-1)!
      const at = leaf.length > 4 ? 3 : 1
      const typo = leaf.slice(0, at) + leaf.slice(at + 1)
      const yaml = parts
        .slice(0, -1)
        .map((p, i) => `${' '.repeat(i)}${p}:\n`)
        .join('')
      const message = messageFor(`${yaml}${' '.repeat(parts.length)}${typo}: 1`)
      expect(message).toContain(
        `${[...parts.slice(0, -1), typo].join('.')} is unknown: did you mean ${key}?`,
      )
    }
  })
})

describe('gnocchi', () => {
  it('has the lag and granularity of Ceilometer unless configured otherwise', () => {
    expect(parseConfig('', 'c').gnocchi).toMatchObject({
      granularityMs: 300_000,
      lagMs: 1_200_000,
      queryTimeoutMs: 60_000,
      metricsMapping: {},
    })
  })

  it("takes the guide's section and ours", () => {
    const yaml = `
gnocchi:
  endpoint: "http://gnocchi-api.openstack.svc:8041"
  archive_policy: "high"
  granularity: 60s
  lag: 10m
  metrics_mapping: {volume_iops_read: volume.read.requests.rate}
`
    expect(parseConfig(yaml, 'c').gnocchi).toMatchObject({
      endpoint: 'http://gnocchi-api.openstack.svc:8041',
      archivePolicy: 'high',
      granularityMs: 60_000,
      lagMs: 600_000,
      metricsMapping: { volume_iops_read: 'volume.read.requests.rate' },
    })
  })

  it('knows what a misspelt source was meant to be', () => {
    expect(messageFor('metrics: {source: gnocchi}')).toContain(
      '- metrics.source is "gnocchi": write one of Prometheus, Gnocchi',
    )
    expect(messageFor('gnochi: {lag: 10m}')).toContain('gnochi is unknown: did you mean gnocchi?')
  })
})

describe('loadConfig', () => {
  it('says what to do when the file is not there', async () => {
    const readFile = () => Promise.reject(new Error('ENOENT: no such file'))
    await expect(loadConfig('/etc/couchestor/config.yaml', readFile)).rejects.toThrow(
      /--config names \/etc\/couchestor\/config\.yaml, which cannot be read \(ENOENT.*\): mount the ConfigMap/,
    )
  })

  it('reads the file it is given', async () => {
    const config = await loadConfig('/c.yaml', () => Promise.resolve('migration: {paused: true}'))
    expect(config.migration.paused).toBe(true)
  })
})

describe('notices', () => {
  it('answers each key of the guide that does not do what it says, in one line each', () => {
    const lines = notices(parseConfig(`${GUIDE}`.replace('# ceil', 'ceil'), 'config.yaml'))
    for (const key of ['use_cinder_transfer', 'erasure_coding', 'cache', 'ceilometer_endpoint'])
      expect(lines.filter((line) => line.includes(key))).toHaveLength(1)
    expect(lines.every((line) => !line.includes('\n'))).toBe(true)
  })

  it('does not ask for a Prometheus where Gnocchi is the source', () => {
    expect(notices(parseConfig('metrics: {source: Gnocchi}', 'c'))).toEqual([])
    expect(notices(parseConfig('', 'c'))).toEqual([
      expect.stringMatching(/^prometheus\.endpoint is not set.*metrics\.source Gnocchi/),
    ])
  })

  it('says to the API of Ceilometer what to set instead, with the URL that was given', () => {
    const yaml =
      'prometheus: {endpoint: "http://p:9090", ceilometer_endpoint: "http://c:8777?token=secret"}\ngnocchi: {archive_policy: high}'
    const [ceilometer, policy, ...more] = notices(parseConfig(yaml, 'c'))
    expect(ceilometer).toMatch(/\(http:\/\/c:8777\).*2017.*set metrics\.source to Gnocchi/)
    expect(policy).toMatch(/gnocchi\.granularity says which/)
    expect(more).toEqual([])
  })

  it('is silent about keys that are not there', () => {
    expect(notices(parseConfig('prometheus: {endpoint: "http://p:9090"}', 'c'))).toEqual([])
  })
})
