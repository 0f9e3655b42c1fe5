import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type {
  PrometheusSourceConfig,
  QueryTemplates,
} from '../../src/activity/prometheus/config.ts'
import { createPrometheusSource } from '../../src/activity/prometheus/source.ts'
import type { VolumeActivity, WindowAnswer } from '../../src/activity/types.ts'
import { createHttpClient } from '../../src/http.ts'
import type { HttpClient } from '../../src/http.ts'
import { silentLog } from '../../src/log.ts'
import { systemClock } from '../../src/main/system-clock.ts'
import {
  INTERVAL,
  reusedDevice,
  SCHEMES,
  seriesFor,
  twoPaths,
  volumeCases,
  WINDOW,
} from './prometheus.fixtures.ts'
import type { Expected, SeriesFixture } from './prometheus.fixtures.ts'

export type PrometheusBackend = {
  /** Base URL. */
  readonly endpoint: string
  stop(): Promise<void>
}

export type ContractOptions = {
  /** End of the window all samples lie in: a multiple of 1800, in the past. */
  readonly end: number
  /** Twelve hex digits that no other run uses. */
  readonly run: string
  /** Starts the server; the samples are visible when it resolves. */
  start(series: readonly SeriesFixture[]): Promise<PrometheusBackend>
}

/** Volume ids of a run; they differ within the first 20 characters, so that a cut serial names one volume. */
function contractId(run: string, n: number): string {
  const digits = n.toString(16).padStart(3, '0')
  return `${run.slice(0, 8)}-${run.slice(8)}-4${digits}-8${digits}-${run}`
}

const of = (fn: string, metric: string) =>
  `max by (volume_id, node) (${fn}(${metric}{volume_id=~"{{volumes}}"}[{{range}}]))`
const perVolume = (inner: string) => `sum by (volume_id) (${inner})`
const CUSTOM: QueryTemplates = {
  operations: perVolume(`${of('rate', 'contract_reads')} + ${of('rate', 'contract_writes')}`),
  bytes: perVolume(
    `${of('rate', 'contract_read_bytes')} + ${of('rate', 'contract_written_bytes')}`,
  ),
  readSamples: perVolume(of('count_over_time', 'contract_reads')),
  writeSamples: perVolume(of('count_over_time', 'contract_writes')),
}

function contractConfig(
  preset: string,
  endpoint: string,
  extra: Partial<PrometheusSourceConfig> = {},
  measured = false,
): PrometheusSourceConfig {
  return {
    endpoint,
    queryTimeoutMs: 30_000,
    preset: preset as PrometheusSourceConfig['preset'],
    ...(measured ? {} : { scrapeIntervalSeconds: INTERVAL }),
    ...(preset === 'custom' ? { custom: CUSTOM } : {}),
    ...extra,
  }
}

/** Presets whose devices can be paths to one volume. */
const MULTIPATH = ['agent', 'node-exporter']

/** All that the tests of a run need to be stored. */
function contractSeries({ end, run }: ContractOptions): SeriesFixture[] {
  const cases = volumeCases(end, (n) => contractId(run, n))
  return [
    ...Object.keys(SCHEMES).flatMap((preset) => seriesFor(preset, run, cases)),
    ...reusedDevice(run, end, contractId(run, 100), contractId(run, 101)),
    ...MULTIPATH.flatMap((preset) => twoPaths(preset, run, end, contractId(run, 102)).series),
    { name: 'contract_nan', labels: { contract_run: run }, samples: [[end - 1, Number.NaN]] },
    { name: 'contract_inf', labels: { contract_run: run }, samples: [[end - 1, Infinity]] },
  ]
}

/** What any Prometheus must answer, and what our source must make of it. */
export function prometheusContract(title: string, options: ContractOptions): void {
  describe.each([title])('%s', () => {
    const { end, run } = options
    const cases = volumeCases(end, (n) => contractId(run, n))
    const http = createHttpClient()
    let backend: PrometheusBackend
    beforeAll(async () => {
      backend = await options.start(contractSeries(options))
    })
    afterAll(async () => {
      await backend?.stop()
      await http.close()
    })

    describe.each(Object.keys(SCHEMES))('preset %s', (preset) => {
      let answer: WindowAnswer
      beforeAll(async () => {
        answer = await sourceOf(http, contractConfig(preset, backend.endpoint), cases).window({
          endSeconds: end,
          windowSeconds: WINDOW,
        })
      })

      it.each(cases)('gives the right numbers for $title', ({ id, expected }) => {
        expect(volumesOf(answer).get(id)).toEqual(near(expected))
      })
    })

    it.each(MULTIPATH)(
      'adds up the I/O of the paths to a volume, and not their samples, with preset %s',
      async (preset) => {
        const config = contractConfig(preset, backend.endpoint)
        const answer = await sourceOf(http, config, cases).window({
          endSeconds: end,
          windowSeconds: WINDOW,
        })
        const id = contractId(run, 102)

        expect(volumesOf(answer).get(id)).toEqual(near(twoPaths(preset, run, end, id).expected))
      },
    )

    it('charges the I/O of a device that changed hands within the window to nobody', async () => {
      const answer = await sourceOf(
        http,
        contractConfig('node-exporter', backend.endpoint),
        cases,
      ).window({ endSeconds: end, windowSeconds: WINDOW })
      const volumes = volumesOf(answer)

      expect(volumes.has(contractId(run, 100))).toBe(false)
      expect(volumes.has(contractId(run, 101))).toBe(false)
      expect(volumes.has(cases[0]!.id)).toBe(true)
    })

    it.each(Object.keys(SCHEMES).filter((preset) => preset !== 'custom'))(
      'measures the scrape interval with preset %s',
      async (preset) => {
        const config = contractConfig(
          preset,
          backend.endpoint,
          { matchers: { contract_run: run } },
          true,
        )
        const answer = await sourceOf(http, config, cases).window({
          endSeconds: end,
          windowSeconds: WINDOW,
        })

        for (const { id, expected } of cases)
          expect(volumesOf(answer).get(id)).toEqual(near(expected))
      },
    )

    it('knows nothing of a window before the first sample', async () => {
      const config = contractConfig('agent', backend.endpoint, { matchers: { contract_run: run } })
      const answer = await sourceOf(http, config, cases).window({
        endSeconds: end - 2 * WINDOW,
        windowSeconds: WINDOW,
      })

      expect(answer).toEqual({ kind: 'Answer', volumes: new Map(), warnings: [] })
    })

    it('goes down, and says why, when the server rejects a query', async () => {
      const config = contractConfig('custom', backend.endpoint, {
        custom: { ...CUSTOM, bytes: 'sum by (volume_id) (rate(contract_reads[{{range}}])' },
      })
      const answer = await sourceOf(http, config, cases).window({
        endSeconds: end,
        windowSeconds: WINDOW,
      })

      expect(answer.kind).toBe('Down')
      expect(answer).toHaveProperty(
        'why',
        expect.stringMatching(/HTTP 400: bad_data: .*parse error/),
      )
    })

    const single = `{contract_run="${run}"}`
    it.each([
      ['', 400, 'bad_data', 'invalid parameter "query"'],
      ['sum(', 400, 'bad_data', 'invalid parameter "query"'],
      ['no_such_function(up)', 400, 'bad_data', 'invalid parameter "query"'],
      ['rate(contract_nan)', 400, 'bad_data', 'invalid parameter "query"'],
      [
        `node_disk_reads_completed_total${single} * on (contract_run) node_disk_writes_completed_total${single}`,
        422,
        'execution',
        '',
      ],
    ])('answers the query "%s" with %i %s', async (query, status, errorType, error) => {
      const answered = await ask(http, backend.endpoint, { query, time: String(end) })

      expect(answered.status).toBe(status)
      expect(answered.body).toMatchObject({
        status: 'error',
        errorType,
        error: expect.stringContaining(error),
      })
    })

    it.each([
      ['contract_none', { resultType: 'vector', result: [] }],
      ['2 + 2 * 3', { resultType: 'scalar', result: [end, '8'] }],
      ['1 / 0', { resultType: 'scalar', result: [end, '+Inf'] }],
      [
        `sum(contract_nan${single})`,
        { resultType: 'vector', result: [{ metric: {}, value: [end, 'NaN'] }] },
      ],
      [
        `max(contract_inf${single})`,
        { resultType: 'vector', result: [{ metric: {}, value: [end, '+Inf'] }] },
      ],
      [
        `contract_inf${single}[5s]`,
        {
          resultType: 'matrix',
          result: [
            {
              metric: { __name__: 'contract_inf', contract_run: run },
              values: [[end - 1, '+Inf']],
            },
          ],
        },
      ],
      [
        `count(contract_reads${single}) == 0 or contract_inf${single} > 5`,
        {
          resultType: 'vector',
          result: [
            { metric: { __name__: 'contract_inf', contract_run: run }, value: [end, '+Inf'] },
          ],
        },
      ],
    ])('evaluates "%s" at the given time, by GET and by POST', async (query, data) => {
      const params = { query, time: String(end), timeout: '30s', partial_response: 'false' }
      const posted = await ask(http, backend.endpoint, params)
      const got = await ask(http, backend.endpoint, params, 'GET')

      expect(posted.body).toEqual({ status: 'success', data })
      expect(got).toEqual(posted)
    })

    it.each([
      [{ query: 'up', time: 'yesterday' }, 'time'],
      [{ query: 'up', timeout: 'soon' }, 'timeout'],
    ])('refuses the parameters %j', async (params, name) => {
      const answered = await ask(http, backend.endpoint, params)

      expect(answered.status).toBe(400)
      expect(answered.body).toMatchObject({
        status: 'error',
        errorType: 'bad_data',
        error: expect.stringContaining(`invalid parameter "${name}"`),
      })
    })

    it('forgets an instant sample after five minutes and keeps it in a range', async () => {
      const at = String(end + 600)
      const query = `contract_nan${single}`
      const instant = await ask(http, backend.endpoint, { query, time: at })
      const ranged = await ask(http, backend.endpoint, {
        query: `count_over_time(${query}[1h])`,
        time: at,
      })

      expect(instant.body).toHaveProperty('data.result', [])
      expect(ranged.body).toHaveProperty('data.result', [
        { metric: { contract_run: run }, value: [end + 600, '1'] },
      ])
    })

    it('says that it is ready', async () => {
      const response = await http.request({ method: 'GET', url: `${backend.endpoint}/-/ready` })
      await response.text()

      expect(response.status).toBe(200)
    })
  })
}

function sourceOf(
  http: HttpClient,
  config: PrometheusSourceConfig,
  cases: readonly { readonly id: string }[],
) {
  return createPrometheusSource({
    http,
    config,
    clock: systemClock,
    random: () => 0,
    log: silentLog,
    knownVolumes: () => cases.map((c) => c.id),
  })
}

function volumesOf(answer: WindowAnswer): ReadonlyMap<string, VolumeActivity> {
  if (answer.kind === 'Down') throw new Error(answer.why)
  return answer.volumes
}

/** Equal to one part in a million. */
function near(expected: Expected | undefined): object | undefined {
  if (expected === undefined) return undefined
  const digits = (value: number) => Math.ceil(6 - Math.log10(value))
  return Object.fromEntries(
    Object.entries(expected).map(([name, value]) => [name, expect.closeTo(value, digits(value))]),
  )
}

async function ask(
  http: HttpClient,
  endpoint: string,
  params: Readonly<Record<string, string>>,
  method: 'GET' | 'POST' = 'POST',
): Promise<{ status: number; body: unknown }> {
  const form = new URLSearchParams(params).toString()
  const url = `${endpoint}/api/v1/query`
  const response = await http.request(
    method === 'GET'
      ? { method, url: `${url}?${form}` }
      : {
          method,
          url,
          headers: { 'content-type': 'application/x-www-form-urlencoded' },
          body: form,
        },
  )
  return { status: response.status, body: JSON.parse(await response.text()) as unknown }
}
