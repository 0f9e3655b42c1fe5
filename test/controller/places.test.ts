import { expect, it } from 'vitest'
import type { HttpRequest, HttpResponse } from '../../src/http.ts'
import { createRegistry } from '../../src/metrics.ts'
import type { Gate } from '../life.ts'
import { answer } from './answer.ts'
import { HOUR, MINUTE, Stage } from './stage.ts'
import type { Start } from './stage.ts'

const ONE_AT_A_TIME = { migration: { maxConcurrent: 1 } }

/** `others` are worth more than `last`, so that they are planned first. */
function stageWith(
  spec: object,
  others: readonly string[],
  prepare: (stage: Stage, name: string) => void,
  start: Start = {},
) {
  const stage = new Stage()
  stage.policy({ ...ONE_AT_A_TIME, ...spec })
  for (const name of others) {
    stage.claim({ name, namespace: 'team-a', sizeGiB: 20 })
    prepare(stage, name)
  }
  const last = stage.claim({ name: 'last', sizeGiB: 1 })
  const running = stage.start(start)
  return { stage, last, running }
}

const waitingPod = (stage: Stage, claimName: string) =>
  stage.world.api.seed({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `pod-${claimName}`, namespace: 'team-a' },
    spec: { containers: [], volumes: [{ name: 'data', persistentVolumeClaim: { claimName } }] },
    status: { phase: 'Pending' },
  })

const names = (count: number) => Array.from({ length: count }, (_, i) => `first-${i}`)

it.each([2, 60])(
  '%i claims whose pods cannot be scheduled keep no other claim from moving',
  async (count) => {
    const { stage, last } = stageWith({}, names(count), waitingPod)
    expect(await stage.until(() => stage.tier(last) === 'cold', 2 * HOUR, 5_000)).toBe(true)
    expect(stage.moves().filter((m) => m.status?.reason === 'PodPending').length).toBeGreaterThan(0)
    expect(stage.moves('first-0').every((m) => m.status?.step !== 'Requested')).toBe(true)
  },
)

it('waiting moves that a webhook lets nobody delete keep no other claim from moving', async () => {
  const gate = refusing(
    ({ method, url }) => method === 'DELETE' && url.includes('/namespaces/team-a/volumemigrations'),
    () => answer(403, 'admission webhook denied the request'),
  )
  const { stage, last } = stageWith({}, names(60), waitingPod, { gate })
  expect(await stage.until(() => stage.tier(last) === 'cold', 2 * HOUR, 5_000)).toBe(true)
})

it('a namespace that may not have any move keeps no other namespace from moving', async () => {
  const limits = { perNamespace: [{ namespace: 'team-a', maxConcurrent: 0 }] }
  const { stage, last } = stageWith({ limits }, names(5), () => {})
  expect(await stage.until(() => stage.tier(last) === 'cold', HOUR)).toBe(true)
  expect(stage.moves().map((m) => m.metadata.namespace)).toEqual(['default'])
})

it('a namespace at its limit leaves the other places to others', async () => {
  const stage = new Stage()
  stage.policy({
    migration: { maxConcurrent: 2 },
    limits: { perNamespace: [{ namespace: 'team-a', maxConcurrent: 1 }] },
  })
  // a first success opens the ramp to two moves at once
  const done = stage.claim({ name: 'done', sizeGiB: 300 })
  stage.start()
  expect(await stage.until(() => stage.tier(done) === 'cold', 2 * HOUR, 5_000)).toBe(true)
  const long = names(5).map((name) => stage.claim({ name, namespace: 'team-a', sizeGiB: 1000 }))
  const last = stage.claim({ name: 'last' })
  const begun = () => long.filter((v) => stage.retypes(v) > 0)
  const both = () => stage.tier(last) === 'cold' && begun().length > 0
  expect(await stage.until(both, 2 * HOUR, 5_000)).toBe(true)
  expect(begun()).toHaveLength(1)
})

it('manual moves of claims that are not bound keep no planned move from starting', async () => {
  const stage = new Stage()
  stage.policy(ONE_AT_A_TIME)
  const last = stage.claim({ name: 'last' })
  for (const name of names(60)) {
    stage.world.api.seed({
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name, namespace: 'default' },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
      status: { phase: 'Pending' },
    })
    stage.move(`manual-${name}`, { claim: { name }, to: 'cold' })
  }
  stage.start()
  expect(await stage.until(() => stage.tier(last) === 'cold', HOUR, 5_000)).toBe(true)
})

it('a move that is Stuck in Cinder holds no place', async () => {
  const spec = { migration: { maxConcurrent: 1, cinderOptions: { retypeTimeout: 600 } } }
  const stage = new Stage()
  stage.policy(spec)
  const stuck = stage.claim({ name: 'stuck', sizeGiB: 20 })
  const last = stage.claim({ name: 'last' })
  stage.cloud.planRetype(stuck.id, 'stuck')
  stage.start({ configYaml: 'migration:\n  concurrent_migrations: 1\n' })
  expect(
    await stage.until(() => stage.ends('stuck')[0] === 'Stuck/DeadlinePassed', 3 * HOUR, 10_000),
  ).toBe(true)
  expect(await stage.until(() => stage.tier(last) === 'cold', HOUR, 5_000)).toBe(true)
  expect(stage.retypes(stuck)).toBe(1)
})

it('a planned move whose status cannot be written holds no place', async () => {
  const { stage, last } = stageWith({}, names(2), () => {}, {
    gate: refusing(
      ({ method, url }) => method === 'PATCH' && /volumemigrations\/first-/.test(url),
      () => answer(403, 'denied by a webhook'),
    ),
  })
  expect(await stage.until(() => stage.tier(last) === 'cold', HOUR)).toBe(true)
  expect(stage.events('first-0')).toContain('WriteRefused')
})

const refusing =
  (
    refused: (request: HttpRequest) => boolean,
    how: () => HttpResponse | Promise<HttpResponse>,
  ): Gate =>
  (request, send) =>
    refused(request) ? Promise.resolve(how()) : send()

const creates = ({ method, url }: HttpRequest) =>
  method === 'POST' && url.includes('/namespaces/team-a/volumemigrations')
const NEVER = new Promise<never>(() => {})

it.each<[string, () => HttpResponse | Promise<HttpResponse>]>([
  [
    'refuses by quota',
    () => answer(403, 'exceeded quota: moves, limited: count/volumemigrations=0'),
  ],
  ['is terminating', () => answer(403, 'unable to create new content: namespace is terminating')],
  [
    'has a webhook that fails',
    () => answer(500, 'failed calling webhook: context deadline exceeded'),
  ],
  ['has a webhook that never answers', () => NEVER],
  ['refuses objects as too large', () => answer(413, 'request entity too large')],
  ['refuses objects as invalid', () => answer(422, 'metadata.name: Invalid value')],
])(
  'a namespace that %s keeps no other namespace from moving, and no checkpoint from being written',
  async (_, how) => {
    let broken = true
    let tries = 0
    const registry = createRegistry()
    const refuse = refusing(creates, () => {
      tries++
      return how()
    })
    const { stage, last } = stageWith({}, names(20), () => {}, {
      registry,
      gate: (request, send) => (broken ? refuse(request, send) : send()),
    })
    expect(await stage.until(() => stage.tier(last) === 'cold', HOUR)).toBe(true)
    await stage.clock.advance(2 * HOUR)
    expect(
      stage.world.api
        .objects('/apis/couchestor.io/v1alpha1/tieringcheckpoints')
        .map((o) => o.metadata.name),
    ).toContain('tiered-0')
    expect(stage.condition('Ready')?.reason).toBe('Ready')
    expect(stage.condition('Ready')?.message).toContain('VolumeMigrations are refused')
    expect(stage.staying()['WriteRefused']).toBe(20)
    expect(stage.events('first-0')).toContain('WriteRefused')
    expect(await registry.metrics()).toMatch(
      /couchestor_writes_refused{resource="volumemigrations"} [1-9]/,
    )
    // bounded, whatever the number of claims
    expect(tries).toBeLessThan(150)

    broken = false
    const first = () => stage.moves('first-0').some((m) => m.status?.step === 'Succeeded')
    expect(await stage.until(first, 3 * HOUR, 10_000)).toBe(true)
  },
)

it('one claim whose move is refused keeps no claim of its own namespace from moving', async () => {
  const stage = new Stage()
  stage.policy(ONE_AT_A_TIME)
  stage.claim({ name: 'refused', sizeGiB: 20 })
  const other = stage.claim({ name: 'other' })
  stage.start({
    gate: refusing(
      ({ method, url, body }) =>
        method === 'POST' &&
        url.includes('/volumemigrations') &&
        (body ?? '').includes('"refused"'),
      () => answer(403, 'denied by policy'),
    ),
  })
  expect(await stage.until(() => stage.tier(other) === 'cold', HOUR)).toBe(true)
  await stage.clock.advance(10 * MINUTE)
  expect(stage.staying()['WriteRefused']).toBe(1)
})
