import { describe, expect, it } from 'vitest'
import { createVirtualClock } from '../../../test/virtual-clock.ts'
import type { HttpRequest } from '../../http.ts'
import { createLog, silentLog } from '../../log.ts'
import { createRegistry } from '../../metrics.ts'
import type { VolumeActivity, WindowAnswer } from '../types.ts'
import type { PrometheusSourceConfig } from './config.ts'
import type { Scripted } from './scripted-http.ts'
import { scriptedHttp, vector } from './scripted-http.ts'
import type { PrometheusSourceOptions } from './source.ts'
import { createPrometheusSource } from './source.ts'

const END = 1_767_226_200
const WINDOW = { endSeconds: END, windowSeconds: 1800 }
const A = 'aaaaaaaa-1111-4222-8333-444444444444'
const B = 'bbbbbbbb-1111-4222-8333-444444444444'
const config: PrometheusSourceConfig = {
  endpoint: 'http://prometheus:9090',
  queryTimeoutMs: 30_000,
  preset: 'agent',
  scrapeIntervalSeconds: 30,
}

type Kind = 'operations' | 'bytes' | 'reads' | 'writes' | 'probe'

/** Which of the four questions, or the measuring of the interval, a request asks. */
function kindOf(request: HttpRequest): Kind {
  const query = new URLSearchParams(request.body).get('query')!
  if (!/max by/.test(query)) return 'probe'
  if (/bytes/.test(query)) return 'bytes'
  if (!/count_over_time/.test(query)) return 'operations'
  return /read/.test(query) ? 'reads' : 'writes'
}

type Rows = readonly (readonly [labels: Record<string, string>, value: string])[]

/** Answers like a server: `rows` where given, else volume A with 12 operations/s of 4 KiB and 60 samples. */
function answers(rows: Partial<Record<Kind, Rows>>, probe: readonly number[] = []): Scripted {
  const usual: Record<Kind, Rows> = {
    operations: [[{ volume_id: A }, '12']],
    bytes: [[{ volume_id: A }, '49152']],
    reads: [[{ volume_id: A }, '60']],
    writes: [[{ volume_id: A }, '60']],
    probe: [],
  }
  return (request) => {
    const kind = kindOf(request)
    if (kind !== 'probe') return vector(END, rows[kind] ?? usual[kind])
    const values = probe.map((t) => [END - 1800 + t, '1'])
    const result = probe.length === 0 ? [] : [{ metric: {}, values }]
    return { body: { status: 'success', data: { resultType: 'matrix', result } } }
  }
}

function volumesIn(answer: WindowAnswer): ReadonlyMap<string, VolumeActivity> {
  return answer.kind === 'Answer' ? answer.volumes : expect.unreachable(answer.why)
}

function warningsIn(answer: WindowAnswer): readonly string[] {
  return answer.kind === 'Answer' ? answer.warnings : expect.unreachable(answer.why)
}

async function ask(
  script: Scripted,
  options: Partial<Omit<PrometheusSourceOptions, 'config'>> & {
    config?: Partial<PrometheusSourceConfig>
    /** Without a configured scrape interval. */
    measured?: boolean
  } = {},
) {
  const http = scriptedHttp(script)
  const clock = createVirtualClock(END * 1000)
  const { config: changed, measured, ...rest } = options
  const { scrapeIntervalSeconds, ...unset } = config
  const source = createPrometheusSource({
    http,
    clock,
    random: () => 0,
    log: silentLog,
    ...rest,
    config: { ...unset, ...(measured ? {} : { scrapeIntervalSeconds }), ...changed },
  })
  const window = async (): Promise<WindowAnswer> => {
    const answer = source.window(WINDOW)
    await clock.advance(120_000)
    return answer
  }
  return { http, source, window, answer: await window() }
}

describe('a window from Prometheus', () => {
  it('joins four answers to operations, bytes and the lesser coverage', async () => {
    const { answer, http } = await ask(answers({ writes: [[{ volume_id: A }, '45']] }))

    expect(answer).toEqual({
      kind: 'Answer',
      volumes: new Map([
        [A, { operationsPerSecond: 12, bytesPerSecond: 49_152, coveragePercent: 75 }],
      ]),
      warnings: [],
    })
    expect(http.requests).toHaveLength(4)
  })

  it('never tells more than 100 % coverage', async () => {
    const { answer } = await ask(
      answers({ reads: [[{ volume_id: A }, '61']], writes: [[{ volume_id: A }, '120']] }),
    )

    expect(answer).toHaveProperty(
      'volumes',
      new Map([[A, expect.objectContaining({ coveragePercent: 100 })]]),
    )
  })

  it('is an answer without volumes when the server knows none', async () => {
    const none = answers({ operations: [], bytes: [], reads: [], writes: [] })

    expect((await ask(none)).answer).toEqual({ kind: 'Answer', volumes: new Map(), warnings: [] })
  })

  it.each(['NaN', '+Inf', '-Inf', '-1', 'abc', ''])(
    'has no data for a volume whose value is "%s", and the other keeps its own',
    async (value) => {
      const both = (a: string): Rows => [
        [{ volume_id: A }, a],
        [{ volume_id: B }, '60'],
      ]
      const { answer } = await ask(
        answers({
          operations: both(value),
          bytes: both('1'),
          reads: both('60'),
          writes: both('60'),
        }),
      )

      expect(answer).toMatchObject({
        kind: 'Answer',
        warnings: [`1 volume with a value that is not a number from 0 on (${A}): no data for them`],
      })
      expect([...volumesIn(answer).keys()]).toEqual([B])
    },
  )

  it.each(['operations', 'bytes', 'reads', 'writes'] as const)(
    'has no data for a volume that is missing among the %s',
    async (kind) => {
      const { answer } = await ask(answers({ [kind]: [] }))

      expect(answer).toMatchObject({
        volumes: new Map(),
        warnings: [`1 volume missing in one of the four answers (${A}): no data for them`],
      })
    },
  )

  it('has no data for a volume with two series', async () => {
    const twice: Rows = [
      [{ volume_id: A }, '1'],
      [{ volume_id: A, cluster: 'x' }, '2'],
    ]
    const { answer } = await ask(answers({ operations: twice }))

    expect(answer).toMatchObject({ volumes: new Map() })
    expect(answer).toHaveProperty('warnings', [expect.stringContaining('more than one series')])
  })

  it('names a few of many faulty volumes in one line', async () => {
    const many: Rows = Array.from({ length: 50 }, (_, i) => [
      { volume_id: A.replace(/^../, String(i + 10)) },
      'NaN',
    ])
    const { answer } = await ask(answers({ operations: many, bytes: [], reads: [], writes: [] }))
    const warnings = warningsIn(answer)

    expect(warnings).toHaveLength(1)
    expect(warnings[0]).toMatch(/^50 volumes .*…\): no data/)
    expect(warnings[0]!.length).toBeLessThan(250)
  })

  it('leaves out series that name no volume, and says so', async () => {
    const { answer } = await ask(
      answers({
        operations: [
          [{}, '1'],
          [{ volume_id: A }, '12'],
        ],
      }),
    )

    expect(answer).toHaveProperty('warnings', [
      'series without the label that names the volume in operations: left out',
    ])
    expect(volumesIn(answer).size).toBe(1)
  })

  const data = { resultType: 'vector', result: [] }
  it.each([
    [
      'warnings',
      { status: 'success', data, warnings: ['receive store unavailable'] },
      /warnings.*receive store/,
    ],
    [
      'a limit that cut it',
      { status: 'success', data, warnings: ['results truncated due to limit'] },
      /truncated/,
    ],
    ['isPartial', { status: 'success', isPartial: true, data }, /partial/],
    [
      'a matrix',
      { status: 'success', data: { resultType: 'matrix', result: [] } },
      /matrix, not a vector/,
    ],
    [
      'a scalar',
      { status: 'success', data: { resultType: 'scalar', result: [END, '1'] } },
      /scalar/,
    ],
    ['an error in a 200', { status: 'error', errorType: 'x', error: 'y' }, /no Prometheus success/],
    ['a list', [], /no Prometheus success/],
    ['null', null, /no Prometheus success/],
    ['no data', { status: 'success' }, /not a vector/],
    [
      'a histogram',
      {
        status: 'success',
        data: { resultType: 'vector', result: [{ metric: {}, histogram: [] }] },
      },
      /cannot be read/,
    ],
    [
      'a number for a value',
      {
        status: 'success',
        data: { resultType: 'vector', result: [{ metric: {}, value: [END, 1] }] },
      },
      /cannot be read/,
    ],
    ['another time', vector(END - 300, [[{ volume_id: A }, '1']]).body, /stale answer/],
  ])('is down after an answer with %s', async (_, body, why) => {
    const { answer } = await ask({ body })

    expect(answer).toEqual({ kind: 'Down', why: expect.stringMatching(why) })
    expect(answer).toHaveProperty(
      'why',
      expect.stringMatching(/^Prometheus http:\/\/prometheus:9090: /),
    )
  })

  it.each(['operations', 'bytes', 'reads', 'writes'] as const)(
    'is down when only the question for %s fails',
    async (kind) => {
      const usual = answers({})
      const { answer } = await ask((request) =>
        kindOf(request) === kind ? { status: 503, body: 'not ready' } : usual,
      )

      expect(answer).toEqual({
        kind: 'Down',
        why: 'Prometheus http://prometheus:9090: HTTP 503: not ready',
      })
    },
  )

  it('takes remarks among the warnings for what they are', async () => {
    const usual = answers({})
    const { answer } = await ask(async (request) => {
      const { body } = await (usual as (r: HttpRequest) => Promise<{ body: object }>)(request)
      return { body: { ...body, warnings: ['PromQL info: metric might not be a counter'] } }
    })

    expect(answer).toMatchObject({ kind: 'Answer', volumes: new Map([[A, expect.anything()]]) })
  })

  it('never throws, whatever happens inside', async () => {
    const { answer } = await ask(answers({}), {
      volumesHint: () => {
        throw new Error('broken hint')
      },
    })

    expect(answer).toEqual({ kind: 'Down', why: 'Prometheus http://prometheus:9090: broken hint' })
  })

  it('shows no token of the endpoint and writes no secret to the log', async () => {
    const lines: string[] = []
    const { answer } = await ask(
      { status: 503, body: 'bearer s3cr3t-token was fine' },
      {
        log: createLog('debug', { write: (line) => void lines.push(line) }),
        config: {
          endpoint: 'http://prometheus:9090/prefix/?token=s3cr3t-query',
          authorization: async () => 'Bearer s3cr3t-token',
        },
      },
    )

    expect(lines.length).toBeGreaterThan(0)
    expect(JSON.stringify([answer, lines])).not.toMatch(/s3cr3t/)
  })

  it('counts its requests by status', async () => {
    const metrics = createRegistry()
    await ask(answers({}), { metrics })

    expect(await metrics.metrics()).toContain(
      'couchestor_activity_requests_total{source="prometheus/agent",code="200"} 4',
    )
  })
})

describe('a large fleet', () => {
  const shardOf = (request: HttpRequest) =>
    /volume_id=~"([^"]*)"/.exec(new URLSearchParams(request.body).get('query')!)![1]!

  it.each([
    [20_000, 4],
    [20_001, 64],
    [300_000, 64],
  ])('of %i volumes is asked for in %i requests', async (size, requests) => {
    const { http } = await ask(answers({ operations: [], bytes: [], reads: [], writes: [] }), {
      volumesHint: () => size,
    })

    expect(http.requests).toHaveLength(requests)
  })

  it('is split so that every id is in exactly one part', async () => {
    const { http } = await ask(answers({ operations: [], bytes: [], reads: [], writes: [] }), {
      volumesHint: () => 50_000,
    })
    const parts = [...new Set(http.requests.map(shardOf))].map((p) => new RegExp(`^(?:${p})$`))

    for (const digit of '0123456789abcdefABCDEF')
      expect(
        parts.filter((p) => p.test(`${digit}aaaaaaa-1111`)),
        digit,
      ).toHaveLength(1)
  })
})

describe('the scrape interval', () => {
  const every = (seconds: number, count = Math.floor(1800 / seconds)) =>
    Array.from({ length: count }, (_, i) => i * seconds)

  const counted = (samples: string): Partial<Record<Kind, Rows>> => ({
    reads: [[{ volume_id: A }, samples]],
    writes: [[{ volume_id: A }, samples]],
  })

  it('is measured once and then remembered', async () => {
    const { answer, http, window } = await ask(answers(counted('120'), every(15)), {
      measured: true,
    })
    await window()

    expect(answer).toHaveProperty(
      'volumes',
      new Map([[A, expect.objectContaining({ coveragePercent: 100 })]]),
    )
    expect(http.requests.map(kindOf).filter((k) => k === 'probe')).toHaveLength(1)
  })

  it('does not take an outage of the server for a longer interval', async () => {
    const withGap = every(15).filter((t) => t < 300 || t >= 1500)
    const { answer } = await ask(answers(counted('40'), withGap), { measured: true })

    expect(answer).toHaveProperty(
      'volumes',
      new Map([[A, expect.objectContaining({ coveragePercent: 100 / 3 })]]),
    )
  })

  it('is measured again when the counts contradict it', async () => {
    let phase = 1
    const first = answers(counted('120'), every(15))
    const second = answers(counted('60'), every(30))
    const { window } = await ask(() => (phase === 1 ? first : second), { measured: true })
    phase = 2

    expect(await window()).toHaveProperty(
      'volumes',
      new Map([[A, expect.objectContaining({ coveragePercent: 100 })]]),
    )
  })

  it('that cannot be measured leaves every volume without data and says what to do', async () => {
    const { answer } = await ask(answers(counted('2'), [0, 900]), { measured: true })

    expect(answer).toMatchObject({ kind: 'Answer', volumes: new Map() })
    expect(answer).toHaveProperty('warnings', [
      expect.stringMatching(/fewer than 4 samples.*set prometheus.scrape_interval/),
    ])
  })
})

describe('serials of 20 characters', () => {
  const rows = (serial: string): Partial<Record<Kind, Rows>> => ({
    operations: [[{ serial }, '12']],
    bytes: [[{ serial }, '49152']],
    reads: [[{ serial }, '60']],
    writes: [[{ serial }, '60']],
  })
  const nodeExporter = { preset: 'node-exporter' as const }

  it.each([
    ['a whole serial', A, [B]],
    ['a cut serial of a known volume', A.slice(0, 20), [A, B]],
    ['a serial in capitals', A.toUpperCase(), []],
  ])('name the volume: %s', async (_, serial, known) => {
    const { answer } = await ask(answers(rows(serial)), {
      config: nodeExporter,
      knownVolumes: () => known,
    })

    expect([...volumesIn(answer).keys()]).toEqual([A])
  })

  it.each([
    ['fits two volumes', [A, `${A.slice(0, 20)}000-000000000000`], /fits several volumes/],
    ['fits none', [B], undefined],
  ])('give no data where the cut serial %s', async (_, known, warning) => {
    const { answer } = await ask(answers(rows(A.slice(0, 20))), {
      config: nodeExporter,
      knownVolumes: () => known,
    })

    expect(answer).toMatchObject({ kind: 'Answer', volumes: new Map() })
    expect(warningsIn(answer)).toEqual(
      warning === undefined ? [] : [expect.stringMatching(warning)],
    )
  })

  it('ask for the list of volumes when there is none', async () => {
    const { answer } = await ask(answers(rows(A.slice(0, 20))), { config: nodeExporter })

    expect(answer).toHaveProperty('warnings', [expect.stringMatching(/no list of volumes/)])
  })

  it('of local disks are none of our business', async () => {
    const { answer } = await ask(answers(rows('S4XNNE0M500123')), {
      config: nodeExporter,
      knownVolumes: () => [A],
    })

    expect(answer).toEqual({ kind: 'Answer', volumes: new Map(), warnings: [] })
  })
})
