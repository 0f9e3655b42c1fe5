import { expect, it } from 'vitest'
import type { HttpRequest, HttpResponse } from '../../src/http.ts'
import { createRegistry } from '../../src/metrics.ts'
import type { Gate } from '../life.ts'
import { HOUR, MINUTE, Stage } from './stage.ts'

type Asked = { readonly url: string; readonly method: string; readonly query: string }

/** Notes every request; `refuse` answers those it wants to itself. */
function noting(refuse: (asked: Asked) => HttpResponse | undefined = () => undefined) {
  const asked: Asked[] = []
  const gate: Gate = (request: HttpRequest, send) => {
    const query = new URLSearchParams(String(request.body ?? '')).get('query') ?? ''
    const one = { url: request.url, method: request.method, query }
    asked.push(one)
    const refusal = refuse(one)
    return refusal === undefined ? send() : Promise.resolve(refusal)
  }
  return {
    gate,
    prometheus: () => asked.filter((a) => a.url.startsWith('http://prometheus.sim')),
    matching: (pattern: RegExp) => asked.filter((a) => pattern.test(`${a.method} ${a.url}`)),
    forget: () => void asked.splice(0),
  }
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

const FORBIDDEN = answer(403, {
  kind: 'Status',
  apiVersion: 'v1',
  status: 'Failure',
  reason: 'Forbidden',
  message: 'may not',
  code: 403,
})

/** A fleet that is known already, and what a controller asks on it. */
async function running(options?: Parameters<typeof noting>[0]) {
  const stage = new Stage()
  stage.policy()
  for (let i = 0; i < 10; i++) stage.claim({ name: `old-${i}`, iops: 3000 })
  const requests = noting(options)
  const registry = createRegistry()
  stage.start({ gate: requests.gate, registry })
  await stage.until(() => stage.condition('Ready')?.reason === 'Ready')
  await stage.clock.advance(2 * MINUTE)
  requests.forget()
  return { stage, requests, registry }
}

async function passes(registry: ReturnType<typeof createRegistry>): Promise<number> {
  const page = await registry.metrics()
  return Number(/couchestor_cycle_duration_seconds_count (\d+)/.exec(page)?.[1] ?? 0)
}

it('the history of one old claim is a few questions a day of it, about that claim alone', async () => {
  const { stage, requests } = await running()
  const volume = stage.claim({ name: 'newcomer', iops: 3000, ageHours: 14 * 24 })
  await stage.until(() => stage.staying()['OnBestTier'] === 11, 5 * MINUTE)
  expect(stage.staying()).toEqual({ OnBestTier: 11 })
  const asked = requests.prometheus()
  expect(asked.length).toBeLessThanOrEqual(64)
  const aboutHistory = asked.filter(({ query }) => query.includes(':1800s]'))
  expect(aboutHistory.length).toBeGreaterThan(0)
  for (const { query } of aboutHistory) {
    expect(query).not.toContain('.+')
    expect(query).toContain(
      volume.id.slice(0, 4).replaceAll(/[a-f]/g, (d) => `[${d}${d.toUpperCase()}]`),
    )
  }
})

it('a claim that leaves its policy and comes back does not have its history read again', async () => {
  const { stage, requests } = await running()
  stage.claim({ name: 'newcomer', iops: 3000, ageHours: 14 * 24 })
  await stage.until(() => stage.staying()['OnBestTier'] === 11, 5 * MINUTE)
  requests.forget()
  for (let i = 0; i < 3; i++) {
    stage.annotate('newcomer', { 'couchestor.io/policy': 'none' })
    await stage.until(() => stage.policyStatus().managedClaims === 10, 5 * MINUTE)
    stage.annotate('newcomer', { 'couchestor.io/policy': undefined })
    await stage.until(() => stage.staying()['OnBestTier'] === 11, 5 * MINUTE)
  }
  expect(stage.staying()).toEqual({ OnBestTier: 11 })
  expect(requests.prometheus().length).toBeLessThanOrEqual(8)
})

it('a claim that was away for hours needs only what it missed', async () => {
  const { stage, requests } = await running()
  stage.claim({ name: 'newcomer', iops: 3000, ageHours: 14 * 24 })
  await stage.until(() => stage.staying()['OnBestTier'] === 11, 5 * MINUTE)
  stage.annotate('newcomer', { 'couchestor.io/policy': 'none' })
  await stage.clock.advance(3 * HOUR)
  requests.forget()
  stage.annotate('newcomer', { 'couchestor.io/policy': undefined })
  await stage.until(() => stage.staying()['OnBestTier'] === 11, 5 * MINUTE)
  const spans = requests.prometheus().filter(({ query }) => query.includes(':1800s]'))
  for (const { query } of spans) expect(Number(/\[(\d+)s:/.exec(query)?.[1])).toBeLessThan(4 * 3600)
})

it('a server that refuses subqueries is asked window by window, about the claim alone', async () => {
  const { stage, requests } = await running(({ query }) =>
    query.includes(':1800s]')
      ? answer(400, { status: 'error', errorType: 'bad_data', error: 'no subqueries' })
      : undefined,
  )
  stage.claim({ name: 'newcomer', iops: 3000, ageHours: 24 })
  await stage.until(() => stage.staying()['OnBestTier'] === 11, 5 * MINUTE)
  expect(stage.staying()).toEqual({ OnBestTier: 11 })
  const fleet = requests.prometheus().filter(({ query }) => query.includes('.+'))
  expect(fleet.length).toBeLessThanOrEqual(4)
})

it('claims that change all the time make no pass over all claims each', async () => {
  const { stage, registry } = await running()
  const before = await passes(registry)
  for (let i = 0; i < 60; i++) {
    stage.annotate('old-1', { 'couchestor.io/policy': i % 2 === 0 ? 'none' : undefined })
    stage.annotate('old-2', { 'couchestor.io/paused': i % 2 === 0 ? 'true' : undefined })
    await stage.clock.advance(2000)
  }
  expect((await passes(registry)) - before).toBeLessThanOrEqual(6)
  expect(await stage.until(() => stage.staying()['Paused'] === undefined, MINUTE)).toBe(true)
})

it('what a person writes on one claim is answered at once, whatever the others do', async () => {
  const { stage } = await running()
  stage.annotate('old-1', { 'couchestor.io/policy': 'none' })
  await stage.clock.advance(2000)
  stage.annotate('old-2', { 'couchestor.io/paused': 'true' })
  expect(await stage.until(() => stage.staying()['Paused'] === 1, 5000, 500)).toBe(true)
})

it('a namespace whose labels stay the same makes no pass', async () => {
  const { stage, registry } = await running()
  const before = await passes(registry)
  for (let i = 0; i < 30; i++) {
    stage.world.api.seed({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'default', annotations: { seen: String(i) } },
    })
    await stage.clock.advance(2000)
  }
  expect((await passes(registry)) - before).toBeLessThanOrEqual(1)
})

it('a status write that is refused is tried again less and less often, and comes through', async () => {
  let refused = true
  const { stage, requests } = await running(({ method, url }) =>
    refused && method === 'PATCH' && url.includes('/storagepolicies/tiered/status') && armed
      ? FORBIDDEN
      : undefined,
  )
  armed = true
  stage.annotate('old-1', { 'couchestor.io/paused': 'true' })
  await stage.clock.advance(10 * MINUTE)
  const writes = requests.matching(/PATCH .*storagepolicies\/tiered\/status/)
  expect(writes.length).toBeGreaterThan(2)
  expect(writes.length).toBeLessThanOrEqual(10)
  refused = false
  expect(await stage.until(() => stage.staying()['Paused'] === 1, 6 * MINUTE)).toBe(true)
  armed = false
})
let armed = false

it('changes that come while the status is refused are written together', async () => {
  const { stage, requests } = await running(({ method, url }) =>
    method === 'PATCH' && url.includes('/storagepolicies/tiered/status') && armed
      ? FORBIDDEN
      : undefined,
  )
  armed = true
  for (let i = 0; i < 120; i++) {
    stage.annotate('old-1', { 'couchestor.io/paused': i % 2 === 0 ? 'true' : undefined })
    await stage.clock.advance(5000)
  }
  armed = false
  expect(requests.matching(/PATCH .*storagepolicies\/tiered\/status/).length).toBeLessThan(12)
})

it('names that somebody invents in VolumeMigrations make no series', async () => {
  const { stage, registry } = await running()
  for (let i = 0; i < 50; i++) {
    const claim = { name: `old-${i % 10}` }
    stage.move(`tiers-${i}`, { claim, from: `from-${i}`, to: `invented-${i}` })
    stage.move(`policies-${i}`, { claim, to: 'cold', policy: `nobodys-${i}` })
  }
  await stage.clock.advance(2 * MINUTE)
  const page = await registry.metrics()
  expect(page).not.toMatch(/invented-|from-\d|nobodys-/)
  expect(page).toMatch(/couchestor_migrations_total\{policy="tiered",from="other",to="other",/)
  expect(page).toMatch(/couchestor_migrations_waiting\{policy="other",/)
})

it('a policy that is deleted leaves no series behind', async () => {
  const { stage, registry } = await running()
  stage.policy({ selector: { matchLabels: { app: 'nobody' } } }, 'passing')
  stage.move('passing-move', { claim: { name: 'none' }, to: 'cold', policy: 'passing' })
  await stage.clock.advance(2 * MINUTE)
  expect(await registry.metrics()).toContain('"passing"')
  await remove(stage, '/apis/couchestor.io/v1alpha1/storagepolicies/passing')
  await stage.clock.advance(2 * MINUTE)
  expect(await registry.metrics()).not.toContain('"passing"')
})

it('an object that a quota has refused a thousand times can still be written', async () => {
  const stage = new Stage()
  stage.policy()
  const volume = stage.claim({ name: 'idle' })
  const project = stage.cloud.couchestor.project.id
  stage.cloud.setQuota(project, { 'gigabytes_couchestor-cold': 0 })
  // a credential that may not read quotas learns of them by the refusal
  const { gate } = noting(({ url }) => (url.includes('os-quota-sets') ? FORBIDDEN : undefined))
  stage.start({ gate })
  await stage.until(() => stage.ends('idle')[0] === 'Waiting/QuotaExceeded')
  const [move] = stage.moves('idle')
  const { intent } = move!.status!
  const { name, namespace } = move!.metadata
  stage.world.api.seed({
    ...move!,
    metadata: { ...move!.metadata, name, namespace: namespace ?? 'default' },
    status: { ...move!.status, intent: { ...intent, attempt: 1000 } },
  })
  const before = stage.retypes(volume)
  expect(await stage.until(() => stage.retypes(volume) >= before + 2, HOUR)).toBe(true)
  expect(stage.ends('idle')).toEqual(['Waiting/QuotaExceeded'])
  stage.cloud.setQuota(project, { 'gigabytes_couchestor-cold': 100 })
  expect(await stage.until(() => stage.ends('idle')[0] === 'Succeeded/Verified', HOUR)).toBe(true)
})

async function remove(stage: Stage, url: string): Promise<void> {
  const signal = new AbortController().signal
  await stage.world.api.handle({ method: 'DELETE', url, headers: {}, body: '', signal })
}

it('fifty moves that wait for one quota do not read Cinder each half minute', async () => {
  const stage = new Stage()
  stage.policy()
  const project = stage.cloud.couchestor.project.id
  stage.cloud.setQuota(project, { 'gigabytes_couchestor-cold': 0 })
  const volumes = Array.from({ length: 50 }, (_, i) => {
    const name = `data-${i}`
    stage.move(`by-hand-${i}`, { claim: { name }, to: 'cold' })
    return stage.claim({ name, iops: 3000 })
  })
  const requests = noting()
  stage.start({ gate: requests.gate })
  await stage.clock.advance(10 * MINUTE)
  requests.forget()
  await stage.clock.advance(HOUR)
  const reads = requests.matching(/^GET http:..cinder.sim.*(volumes.[^?]{36}|quota-sets|snapshots)/)
  expect(reads.length).toBeGreaterThan(50)
  expect(reads.length).toBeLessThan(3 * 50 * 14)
  expect(stage.ends('data-0')).toEqual(['Waiting/QuotaTooSmall'])
  stage.cloud.setQuota(project, { 'gigabytes_couchestor-cold': 1000 })
  const moved = () => volumes.every((v) => stage.retypes(v) === 1)
  expect(await stage.until(moved, 30 * MINUTE, 5_000)).toBe(true)
})

it.each([
  ['refuses', FORBIDDEN, 60],
  [
    'fails to write',
    answer(500, { kind: 'Status', status: 'Failure', message: 'etcd', code: 500 }),
    // the client itself repeats what a server fails at
    300,
  ],
])(
  'a ledger that the API server %s is written with growing pauses, however many moves ask',
  async (_, refusal, most) => {
    const stage = new Stage()
    stage.policy({ migration: { maxConcurrent: 10 } })
    const names = Array.from({ length: 10 }, (_, i) => `data-${i}`)
    const volumes = names.map((name) => stage.claim({ name }))
    for (const name of names) stage.annotate(name, { 'couchestor.io/force-tier': 'cold' })
    let broken = true
    const written = /^(POST|PATCH) .*tieringcheckpoints/
    const requests = noting(({ method, url }) =>
      broken && written.test(`${method} ${url}`) ? refusal : undefined,
    )
    stage.start({ gate: requests.gate })
    await stage.clock.advance(20 * MINUTE)
    requests.forget()
    await stage.clock.advance(HOUR)
    expect(requests.matching(written).length).toBeLessThan(most)
    expect(stage.moves('data-0')[0]?.status?.reason).toBe('WriteRefused')
    broken = false
    expect(await stage.until(() => volumes.every((v) => stage.tier(v) === 'cold'), HOUR)).toBe(true)
  },
)

it('a move that is stuck for hours is not written each minute, and shows how long it runs', async () => {
  const stage = new Stage()
  stage.policy()
  const volume = stage.claim({ name: 'data', sizeGiB: 10 })
  stage.cloud.planRetype(volume.id, 'stuck')
  const requests = noting()
  stage.start({ gate: requests.gate })
  expect(
    await stage.until(() => stage.ends('data')[0]?.startsWith('Stuck') === true, 4 * HOUR),
  ).toBe(true)
  const writes = () => requests.matching(/^PATCH .*volumemigrations/).length
  await stage.clock.advance(HOUR)
  requests.forget()
  await stage.clock.advance(6 * HOUR)
  expect(writes()).toBeLessThan(50)
  const { elapsed = '' } = stage.moves('data')[0]?.status ?? {}
  expect(Number(/^(\d+)h/.exec(elapsed)?.[1])).toBeGreaterThanOrEqual(7)
})

it('a clock that has jumped does not keep a stuck move from showing how long it runs', async () => {
  const stage = new Stage()
  stage.policy()
  const volume = stage.claim({ name: 'data', sizeGiB: 10 })
  stage.cloud.planRetype(volume.id, 'stuck')
  const requests = noting()
  stage.start({ gate: requests.gate })
  await stage.until(() => stage.cloud.retyping().length > 0, HOUR)
  stage.clock.jumpWall(365 * 24 * HOUR)
  await stage.clock.advance(HOUR)
  requests.forget()
  await stage.clock.advance(3 * HOUR)
  expect(requests.matching(/^PATCH .*volumemigrations/).length).toBeGreaterThan(1)
})
