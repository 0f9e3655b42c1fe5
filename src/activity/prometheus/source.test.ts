import { describe, expect, it } from 'vitest'
import type { HttpRequest } from '../../http.ts'
import { createLog } from '../../log.ts'
import { createRegistry } from '../../metrics.ts'
import { vector } from './scripted-http.ts'
import { A, answers, ask, B, END, kindOf, volumesIn, warningsIn } from './scripted-window.ts'
import type { Rows } from './scripted-window.ts'

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

  it('never reports more than 100 % coverage', async () => {
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

  it('has no data for a volume whose sample is a histogram, and the numbers of all others', async () => {
    const sound = answers({}) as (request: HttpRequest) => { body: { data: { result: unknown[] } } }
    const { answer } = await ask((request) => {
      const { body } = sound(request)
      if (kindOf(request) === 'operations')
        body.data.result.push({ metric: { volume_id: B }, histogram: [END, { count: '1' }] })
      return { body }
    })
    expect([...volumesIn(answer).keys()]).toEqual([A])
    expect(warningsIn(answer)).toEqual([expect.stringContaining(B)])
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
          authorization: () => Promise.resolve('Bearer s3cr3t-token'),
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
