import { describe, expect, it } from 'vitest'
import { UserError } from '../../errors.ts'
import type { PrometheusSourceConfig } from './config.ts'
import { checkPrometheusConfig } from './config.ts'

const good: PrometheusSourceConfig = {
  endpoint: 'https://mimir.example/prometheus',
  queryTimeoutMs: 30_000,
  preset: 'agent',
}
const custom = {
  operations: 'sum by (volume_id) (rate(a{volume_id=~"{{volumes}}"}[{{range}}]))',
  bytes: 'sum by (volume_id) (rate(b[{{ window }}s]))',
  readSamples: 'count_over_time(a[{{range}}])',
  writeSamples: 'count_over_time(a[{{range}}])',
}

describe('the configuration of the Prometheus source', () => {
  it.each([
    ['a preset', good],
    ['own queries', { ...good, preset: 'custom', custom, scrapeIntervalSeconds: 15 }],
  ] as [string, PrometheusSourceConfig][])('accepts %s', (_, config) => {
    expect(() => checkPrometheusConfig(config)).not.toThrow()
  })

  it.each([
    ['no URL', { endpoint: 'prometheus:9090' }, /prometheus\.endpoint.*give it like/],
    ['a whole path', { endpoint: 'http://p:9090/api/v1/query' }, /contains \/api\/v1/],
    ['a short timeout', { queryTimeoutMs: 5 }, /query_timeout is 5 ms; give/],
    ['an interval of 0', { scrapeIntervalSeconds: 0 }, /scrape_interval is 0 s/],
    ['a negative lag', { lagSeconds: -1 }, /lag is -1 s/],
    ['a wrong label', { matchers: { 'a-b': 'x' } }, /"a-b", which is no label name/],
    ['queries beside a preset', { custom }, /preset is "agent"; set preset: custom/],
    ['custom without queries', { preset: 'custom', scrapeIntervalSeconds: 15 }, /without queries/],
    ['custom without interval', { preset: 'custom', custom }, /scrape_interval is missing/],
    [
      'an unknown placeholder',
      {
        preset: 'custom',
        scrapeIntervalSeconds: 15,
        custom: { ...custom, bytes: 'rate(b[{{rnage}}])' },
      },
      /custom\.bytes has the placeholder "\{\{rnage\}\}".*custom\.bytes never uses/,
    ],
  ] as [string, Partial<PrometheusSourceConfig>, RegExp][])(
    'refuses %s, naming the field and the fix',
    (_, wrong, message) => {
      const check = () => checkPrometheusConfig({ ...good, ...wrong })

      expect(check).toThrow(UserError)
      expect(check).toThrow(message)
    },
  )

  it('reports all mistakes at once', () => {
    expect(() =>
      checkPrometheusConfig({ ...good, endpoint: 'x', queryTimeoutMs: 0, lagSeconds: -1 }),
    ).toThrow(/endpoint.*query_timeout.*lag/)
  })

  it.each(['http://admin:s3cr3t@p:9090', 'http://admin:s3cr3t@[p'])(
    'does not repeat the password in the endpoint %#',
    (endpoint) => {
      const check = () => checkPrometheusConfig({ ...good, endpoint })

      expect(check).toThrow(/endpoint/)
      expect(check).not.toThrow(/s3cr3t/)
    },
  )
})
