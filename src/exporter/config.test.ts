import { readFileSync } from 'node:fs'
import { load } from 'js-yaml'
import { describe, expect, it } from 'vitest'
import { UserError } from '../errors.ts'
import { parseExporterConfig } from './config.ts'

const GUIDE = readFileSync('test/crds/guide/ceilometer-integration.yaml', 'utf8')
const guideKey = (load(GUIDE) as { data: Record<string, string> }).data['ceilometer.yaml'] ?? ''

function mistakes(text: string): string {
  try {
    parseExporterConfig(text, 'ceilometer.yaml')
  } catch (e) {
    if (e instanceof UserError) return e.message
    throw e
  }
  throw new Error('no mistake was reported')
}

describe("the guide's ceilometer.yaml", () => {
  it.each([
    ['the mounted key', guideKey],
    ['the whole ConfigMap', GUIDE],
  ])('is read unchanged: %s', (_, text) => {
    const config = parseExporterConfig(text, 'ceilometer.yaml')
    expect(config).toMatchObject({
      periodSeconds: 300,
      gnocchiEndpoint: 'http://gnocchi-api.openstack.svc:8041',
      names: {
        readRequests: 'disk.device.read.requests',
        writeRequests: 'disk.device.write.requests',
        readBytes: 'disk.device.read.bytes',
        writeBytes: 'disk.device.write.bytes',
      },
    })
  })

  it('is answered in one line for each thing that no longer exists, with what is used instead', () => {
    const { notices } = parseExporterConfig(guideKey, 'ceilometer.yaml')
    const about = (key: string) => notices.filter((n) => n.includes(key))
    expect(about('endpoint http://ceilometer-api.openstack.svc:8777')).toEqual([
      expect.stringContaining('Gnocchi at http://gnocchi-api.openstack.svc:8041 is read instead'),
    ])
    expect(about('volume.read.requests.rate')).toEqual([
      expect.stringContaining('disk.device.read.requests'),
    ])
    for (const key of ['iops_read', 'iops_write', 'throughput_read', 'throughput_write', 'latency'])
      expect(about(`volume_${key}`)).toHaveLength(1)
    expect(about('archive_policy "high"')).toHaveLength(1)
    expect(notices).toHaveLength(7)
  })
})

describe('without a file', () => {
  it('measures are expected every 300 s, from the Gnocchi of the catalog, and nothing is said', () => {
    expect(parseExporterConfig('', 'defaults')).toMatchObject({
      periodSeconds: 300,
      gnocchiEndpoint: undefined,
      notices: [],
    })
  })
})

describe('the period', () => {
  it.each([
    ['aggregation_period: "60"', 60],
    ['aggregation_period: 600', 600],
    ['aggregation_period: 5m', 300],
  ])('%s is %d s', (text, seconds) => {
    expect(parseExporterConfig(text, 'x').periodSeconds).toBe(seconds)
  })
})

describe('a file with mistakes', () => {
  it('is refused with all of them in one message: field, value, fix', () => {
    const message = mistakes(
      [
        'endpoint: ceilometer',
        'metrics_mapping:',
        '  volume_iops_read: disk.read.requests',
        '  volume_iops: disk.device.read.requests',
        'aggregation_period: often',
        'gnocchi: { endpoint: "http://user:pw@gnocchi:8041", archive_polcy: high }',
      ].join('\n'),
    )
    expect(message).toMatch(/^ceilometer\.yaml has 6 mistakes:/)
    expect(message).toMatch(/endpoint is "ceilometer": write an http or https URL/)
    expect(message).toMatch(
      /metrics_mapping.volume_iops_read is "disk.read.requests": .* write disk/,
    )
    expect(message).toMatch(/metrics_mapping.volume_iops is unknown/)
    expect(message).toMatch(/aggregation_period is "often": write a granularity/)
    expect(message).toMatch(/gnocchi.endpoint is "http:\/\/\[hidden\]@gnocchi:8041"/)
    expect(message).toMatch(
      /gnocchi.archive_polcy is unknown: did you mean gnocchi.archive_policy\?/,
    )
    expect(message).not.toContain('pw')
  })

  it.each([
    ['aggregation_period:', /aggregation_period is empty/],
    ['aggregation_period: 0', /aggregation_period is 0/],
    ['aggregation_period: 86401', /aggregation_period is 86401/],
    ['aggregation_period: 1.5', /aggregation_period is 1.5/],
    ['metrics_mapping: { volume_iops_read: 5 }', /volume_iops_read is 5: write a text/],
    ['metrics_mapping: [a]', /metrics_mapping/],
    ['- a', /the document is a list/],
    ['a: [', /is not YAML/],
    ['kind: ConfigMap\ndata: {}', /data.ceilometer.yaml is missing/],
    ['colour: red', /colour is unknown: remove it; known are endpoint/],
  ])('%s', (text, expected) => expect(mistakes(text)).toMatch(expected))
})
