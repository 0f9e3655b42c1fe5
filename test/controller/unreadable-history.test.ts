import { expect, it } from 'vitest'
import type { HttpResponse } from '../../src/http.ts'
import type { Gate } from '../life.ts'
import { HOUR, MINUTE, Stage } from './stage.ts'

/** The time (ms) for which a query is asked; undefined when the request is none. */
function askedFor(request: { url: string; body?: string }): number | undefined {
  if (!request.url.startsWith('http://prometheus.sim')) return undefined
  const time = new URLSearchParams(String(request.body)).get('time')
  return time === null ? undefined : Number(time) * 1000
}

function answer(status: number, body: object): HttpResponse {
  const text = JSON.stringify(body)
  return {
    status,
    headers: { 'content-type': 'application/json' },
    text: () => Promise.resolve(text),
    chunks: () => ReadableStream.from([text]),
  }
}

const REFUSALS: [string, () => HttpResponse][] = [
  [
    'a partial answer',
    () =>
      answer(200, {
        status: 'success',
        warnings: ['no StoreAPIs matched for this query'],
        data: { resultType: 'vector', result: [] },
      }),
  ],
  [
    'HTTP 400',
    () => answer(400, { status: 'error', errorType: 'bad_data', error: 'out of retention' }),
  ],
  [
    'HTTP 422',
    () => answer(422, { status: 'error', errorType: 'execution', error: 'too far back' }),
  ],
  ['HTTP 503', () => answer(503, { status: 'error', errorType: 'unavailable', error: 'archive' })],
]

/** Queries for a time that `isUnreadable` get that answer; all others the right one. */
function refusing(isUnreadable: (at: number) => boolean, refusal: () => HttpResponse): Gate {
  return (request, send) => {
    const at = askedFor(request)
    return at !== undefined && isUnreadable(at) ? Promise.resolve(refusal()) : send()
  }
}

it.each(REFUSALS)(
  'a claim whose history gets %s leaves its policy and all others as they are',
  async (_, refusal) => {
    const stage = new Stage()
    stage.policy()
    stage.policy({ selector: { matchLabels: { owner: 'other' } } }, 'other')
    stage.claim({ name: 'busy', iops: 3000 })
    stage.claim({ name: 'busy-too', iops: 3000, labels: { owner: 'other' } })
    let oldest = -Infinity
    stage.start({ gate: refusing((at) => at < oldest, refusal) })
    await stage.until(() => stage.condition('MetricsHealthy')?.status === 'True')
    await stage.clock.advance(HOUR)

    oldest = stage.clock.now() - 2 * HOUR
    stage.claim({ name: 'newcomer', iops: 3000 })
    await stage.clock.advance(3 * MINUTE)
    expect(stage.staying()).toEqual({ OnBestTier: 1, NoData: 1 })
    for (let i = 0; i < 60; i++) {
      await stage.clock.advance(MINUTE)
      expect(stage.staying()['SourceDown']).toBeUndefined()
      for (const policy of ['tiered', 'other']) {
        expect(stage.condition('Ready', policy)?.status).toBe('True')
        expect(stage.condition('MetricsHealthy', policy)?.status).toBe('True')
      }
    }
    // what can be read is enough from then on
    expect(stage.staying()).toEqual({ OnBestTier: 2 })
  },
)

it('a first start begins with what the server still keeps, though it refuses all older windows', async () => {
  const stage = new Stage()
  stage.policy({ metrics: { minHistory: '6h' } })
  const idle = stage.claim({ name: 'idle' })
  const oldest = stage.clock.now() - 8 * HOUR
  stage.start({ gate: refusing((at) => at < oldest, REFUSALS[1]![1]) })
  expect(await stage.until(() => stage.tier(idle) === 'cold', HOUR, 10_000)).toBe(true)
})

it('a history older than what the server keeps is not waited for again with each claim that comes', async () => {
  const stage = new Stage()
  stage.policy({ metrics: { window: '5m', minHistory: '6h' } })
  const idle = stage.claim({ name: 'idle', ageHours: 20 * 24 })
  const oldest = stage.clock.now() - 12 * HOUR
  stage.start({ gate: refusing((at) => at < oldest, REFUSALS[2]![1]) })
  for (let i = 0; i < 15 && stage.tier(idle) !== 'cold'; i++) {
    await stage.clock.advance(4 * MINUTE)
    stage.claim({ name: `new-${i}`, ageHours: 0 })
  }
  expect(stage.tier(idle)).toBe('cold')
})

it('a hole that cannot be read costs that hole alone', async () => {
  const stage = new Stage()
  stage.policy({ metrics: { minHistory: '72h' } })
  const idle = stage.claim({ name: 'idle' })
  const [from, to] = [stage.clock.now() - 50 * HOUR, stage.clock.now() - 45 * HOUR]
  stage.start({ gate: refusing((at) => at > from && at < to, REFUSALS[0]![1]) })
  expect(await stage.until(() => stage.tier(idle) === 'cold', 2 * HOUR, 10_000)).toBe(true)
})

it('an archive that is away for some minutes is waited for, so that nothing is left out', async () => {
  const stage = new Stage()
  // the claim is four days old: without its old windows it is too young
  stage.policy({ metrics: { minHistory: '90h' } })
  const idle = stage.claim({ name: 'idle' })
  const [old, back] = [stage.clock.now() - 2 * HOUR, stage.clock.now() + 5 * MINUTE]
  stage.start({
    gate: refusing((at) => at < old && stage.clock.now() < back, REFUSALS[3]![1]),
  })
  expect(await stage.until(() => stage.tier(idle) === 'cold', HOUR, 10_000)).toBe(true)
})

it('a controller that was away for longer than the server keeps goes on with what there is', async () => {
  const stage = new Stage()
  stage.policy()
  stage.claim({ name: 'busy', iops: 3000 })
  const first = stage.start()
  await stage.until(() => stage.condition('Ready')?.reason === 'Ready')
  await stage.clock.advance(MINUTE)
  await first.stop()
  await stage.clock.advance(24 * HOUR)

  const oldest = stage.clock.now() - 6 * HOUR
  stage.start({ identity: 'second', gate: refusing((at) => at < oldest, REFUSALS[1]![1]) })
  await stage.clock.advance(2 * MINUTE)
  expect(stage.condition('MetricsHealthy')?.reason).not.toBe('SourceDown')
  await stage.clock.advance(20 * MINUTE)
  expect(stage.condition('Ready')).toMatchObject({ status: 'True', reason: 'Ready' })
  expect(stage.staying()).toEqual({ OnBestTier: 1 })
})

it('a source that answers for no window at all is down, for all', async () => {
  const stage = new Stage()
  stage.policy()
  stage.claim({ name: 'busy', iops: 3000 })
  stage.start({ gate: refusing(() => true, REFUSALS[0]![1]) })
  await stage.clock.advance(HOUR)
  expect(stage.condition('MetricsHealthy')).toMatchObject({ status: 'False', reason: 'SourceDown' })
})
