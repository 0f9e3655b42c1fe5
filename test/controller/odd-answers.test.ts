import { describe, expect, it } from 'vitest'
import type { HttpResponse } from '../../src/http.ts'
import { ConnectionError } from '../../src/http.ts'
import { answer, fault, network, NOT_FOUND_PAGE } from './answers.ts'
import { HOUR, MINUTE, Stage } from './stage.ts'

/** One idle volume that the policy wants on the cold tier, behind a network that can be changed. */
function idle(options: { sizeGiB?: number; spec?: object; cloud?: object } = {}) {
  const stage = new Stage({ cloud: options.cloud ?? {} })
  stage.policy(options.spec)
  const volume = stage.claim({ name: 'idle', sizeGiB: options.sizeGiB ?? 1 })
  const net = network()
  const running = stage.start({ gate: net.gate })
  return { stage, volume, net, running }
}

/** The same with a copy under way. */
async function moving(options: { spec?: object; cloud?: object } = {}) {
  const all = idle({ sizeGiB: 10, ...options })
  expect(await all.stage.until(() => all.stage.cloud.retyping().length > 0)).toBe(true)
  return all
}

const ended = (stage: Stage) => stage.ends('idle')[0]
const UUID = '6b1e2f00-1111-4222-8333-'
const oddId = (n: number) => UUID + String(n).padStart(12, '0')

describe('a volume is gone only when Cinder itself says so, twice', () => {
  it.each<[string, () => HttpResponse]>([
    ['an HTML 404 of a proxy', () => answer(404, NOT_FOUND_PAGE)],
    ['an empty 404', () => answer(404)],
    ['a 410', () => answer(410, NOT_FOUND_PAGE)],
    ['a 404 of another service', () => answer(404, { error: { code: 404, message: 'no route' } })],
    [
      "a 404 whose body is Cinder's, sent as a page",
      () =>
        answer(404, fault(404, 'itemNotFound', 'Volume x could not be found.'), {
          'content-type': 'text/html',
        }),
    ],
    ['a page with 200', () => answer(200, '<html>Welcome</html>')],
    ['another volume', () => answer(200, { volume: { id: 'other', status: 'available' } })],
  ])('%s in mid-copy ends nothing', async (_, reply) => {
    const { stage, volume, net } = await moving()
    net.on(`GET /volumes/${volume.id}`, reply)
    await stage.clock.advance(30_000)
    expect(ended(stage)).toMatch(/^Retyping/)
    net.clear()
    expect(await stage.until(() => ended(stage) === 'Succeeded/Verified')).toBe(true)
    expect(stage.retypes(volume)).toBe(1)
  })

  it("one 404 of Cinder's own in mid-copy ends nothing", async () => {
    const { stage, volume, net } = await moving()
    const gone = () => answer(404, fault(404, 'itemNotFound', 'Volume could not be found.'))
    net.on(`GET /volumes/${volume.id}`, (_, nth) => (nth === 1 ? gone() : undefined))
    expect(await stage.until(() => ended(stage) === 'Succeeded/Verified')).toBe(true)
  })

  it('a volume that is really gone ends the move, and opens no breaker', async () => {
    const { stage, volume, net } = await moving()
    const gone = () => answer(404, fault(404, 'itemNotFound', 'Volume could not be found.'))
    net.on(`GET /volumes/${volume.id}`, gone)
    expect(await stage.until(() => ended(stage) === 'Failed/Disappeared', 5 * MINUTE)).toBe(true)
  })
})

describe('an older Cinder behind the load balancer', () => {
  it('that shows no type id and refuses our microversion in mid-copy is read by its type names', async () => {
    const { stage, volume, net } = await moving()
    net.on(`GET /volumes/${volume.id}`, (request) =>
      request.headers?.['openstack-api-version'] === undefined
        ? undefined
        : answer(406, fault(406, 'computeFault', 'Version 3.65 is not supported by the API.')),
    )
    expect(await stage.until(() => ended(stage) === 'Succeeded/Verified')).toBe(true)
    expect(stage.condition('Ready')?.reason).not.toBe('Halted')
    expect(stage.retypes(volume)).toBe(1)
  })

  it('whose type names cannot be resolved leaves the move running, and halts nothing', async () => {
    const { stage, volume, net } = await moving()
    net.on(`GET /volumes/${volume.id}`, (request) =>
      request.headers?.['openstack-api-version'] === undefined ? undefined : answer(406),
    )
    net.on('GET /types', () => answer(200, { volume_types: [] }))
    await stage.clock.advance(5 * MINUTE)
    expect(ended(stage)).toMatch(/^Retyping/)
    net.clear()
    expect(await stage.until(() => ended(stage) === 'Succeeded/Verified')).toBe(true)
  })
})

describe('a retype is asked for again only when the first one provably never ran', () => {
  it.each([
    ['a 12 s read', 12_000],
    ['a 29 s read', 29_000],
  ])('%s, then a call that times out: 30 s and two reads pass before a second', async (_, ms) => {
    const { stage, volume, net } = idle()
    const reads: number[] = []
    const asked: number[] = []
    let slow = true
    net.on(`GET /volumes/${volume.id}`, async () => {
      reads.push(stage.clock.monotonic())
      if (slow && reads.length === 2)
        await new Promise<void>((resolve) => void stage.clock.setTimer(ms, resolve))
      return undefined
    })
    net.on('POST /action', (request, nth) => {
      asked.push(stage.clock.monotonic())
      if (nth > 1) return undefined
      slow = false
      return new Promise<HttpResponse>((_resolve, reject) => {
        request.signal?.addEventListener('abort', () =>
          reject(new ConnectionError('aborted', 'given up')),
        )
      })
    })
    expect(await stage.until(() => asked.length === 2, 20 * MINUTE)).toBe(true)
    expect(asked[1]! - asked[0]!).toBeGreaterThanOrEqual(50_000)
    const before = reads.filter((at) => at >= asked[0]! + 50_000 && at <= asked[1]!)
    expect(before.length).toBeGreaterThanOrEqual(2)
    expect(Math.max(...before) - Math.min(...before)).toBeGreaterThanOrEqual(2_500)
    expect(await stage.until(() => ended(stage) === 'Succeeded/Verified')).toBe(true)
  })

  it('the wait is not shortened by a wall clock that is set forward', async () => {
    const { stage, net } = idle()
    const asked: number[] = []
    net.on('POST /action', (_, nth) => {
      asked.push(stage.clock.monotonic())
      if (nth > 1) return undefined
      return Promise.reject(new ConnectionError('reset', 'lost'))
    })
    expect(await stage.until(() => asked.length === 1)).toBe(true)
    stage.clock.jumpWall(6 * HOUR)
    await stage.clock.advance(25_000)
    expect(asked).toHaveLength(1)
    expect(await stage.until(() => asked.length === 2, 20 * MINUTE)).toBe(true)
  })
})

describe('what is no refusal of Cinder fails no move', () => {
  it.each<[string, () => HttpResponse]>([
    ['429 with Retry-After', () => answer(429, 'slow down', { 'retry-after': '45' })],
    ['429 with a Retry-After of a day', () => answer(429, 'slow', { 'retry-after': '86400' })],
    ['503 with Retry-After', () => answer(503, 'maintenance', { 'retry-after': '120' })],
    ['503 with a bad Retry-After', () => answer(503, 'maintenance', { 'retry-after': '-1' })],
    [
      "Cinder's rate limit",
      () => answer(413, fault(413, 'overLimitFault', 'Only 10 POST'), { 'retry-after': '30' }),
    ],
    ['502', () => answer(502, 'bad gateway')],
    ['504', () => answer(504, 'time-out')],
    ['a 401', () => answer(401, { error: { code: 401, message: 'no' } })],
  ])('%s on four calls in a row: the fifth moves the volume', async (_, reply) => {
    const { stage, volume, net } = idle()
    let refused = 0
    net.on('POST /action', () => {
      // a 401 is followed by one more try with a new token
      if (refused >= 4) return undefined
      refused += 1
      return reply()
    })
    expect(await stage.until(() => stage.tier(volume) === 'cold', 2 * HOUR, 5_000)).toBe(true)
    await stage.until(() => ended(stage) === 'Succeeded/Verified')
    expect(stage.ends('idle')).toEqual(['Succeeded/Verified'])
    expect(stage.retypes(volume)).toBe(1)
  })

  it('a limiter that goes on refusing is asked ever more rarely', async () => {
    const { stage, net } = idle()
    net.on('POST /action', () => answer(429, 'slow down', { 'retry-after': '1' }))
    await stage.until(() => net.count('POST /action') > 0)
    await stage.clock.advance(3 * HOUR)
    expect(net.count('POST /action')).toBeLessThan(30)
    expect(stage.ends('idle')).toHaveLength(1)
    expect(ended(stage)).toBe('Waiting/NotSent')
  })

  it.each<[string, () => HttpResponse]>([
    ['an HTML 400', () => answer(400, '<html>Bad Request</html>')],
    ['a 403 of a firewall', () => answer(403, '<html>Forbidden</html>')],
    ['an HTML 404', () => answer(404, NOT_FOUND_PAGE)],
    ['408', () => answer(408)],
    ['a page with 200', () => answer(200, '<html>Welcome</html>')],
  ])('%s is not taken for an answer: two reads, then the call is repeated', async (_, reply) => {
    const { stage, volume, net } = idle()
    net.on('POST /action', (_request, nth) => (nth === 1 ? reply() : undefined))
    expect(await stage.until(() => ended(stage) === 'Succeeded/Verified')).toBe(true)
    expect(stage.retypes(volume)).toBe(1)
    expect(net.count('POST /action')).toBe(2)
  })

  it("Cinder's own refusal ends the move at once", async () => {
    const { stage, volume, net } = idle()
    net.on('POST /action', () => answer(400, fault(400, 'badRequest', 'Invalid volume: because')))
    expect(await stage.until(() => ended(stage) === 'Failed/Rejected')).toBe(true)
    expect(stage.moves('idle')[0]?.status?.message).toContain('Invalid volume: because')
    expect(stage.retypes(volume)).toBe(0)
  })

  it('a refusal because the volume has just become busy waits for it instead', async () => {
    const { stage, volume, net } = idle()
    net.on('POST /action', (_request, nth) => {
      if (nth > 1) return undefined
      stage.cloud.setStatus(volume.id, 'extending')
      return answer(400, fault(400, 'badRequest', 'Volume status must be available or in-use'))
    })
    expect(await stage.until(() => ended(stage)?.startsWith('Waiting/') === true)).toBe(true)
    await stage.clock.advance(2 * MINUTE)
    expect(stage.ends('idle')).toEqual(['Waiting/Busy'])
    stage.cloud.setStatus(volume.id, 'available')
    expect(await stage.until(() => ended(stage) === 'Succeeded/Verified', HOUR)).toBe(true)
  })
})

describe('an owner who deletes claims', () => {
  it('in mid-move, three times, opens no breaker', async () => {
    const stage = new Stage()
    stage.policy()
    const volumes = [1, 2, 3].map((i) => stage.claim({ name: `idle-${i}`, sizeGiB: 10 }))
    const net = network()
    stage.start({ gate: net.gate })
    const gone = new Set<string>()
    for (const v of volumes)
      net.on(`GET /volumes/${v.id}`, () => {
        if (stage.cloud.retyping().includes(v.id)) gone.add(v.id)
        if (!gone.has(v.id)) return undefined
        return answer(404, fault(404, 'itemNotFound', `Volume ${v.id} could not be found.`))
      })
    const all = () => [1, 2, 3].map((i) => stage.ends(`idle-${i}`)[0])
    await stage.until(() => all().every((end) => end === 'Failed/Disappeared'), HOUR)
    expect(all()).toEqual(all().map(() => 'Failed/Disappeared'))
    const other = stage.claim({ name: 'other' })
    expect(await stage.until(() => stage.tier(other) === 'cold', HOUR)).toBe(true)
  })
})

describe('a volume that cannot be read', () => {
  it.each<[string, (n: number) => HttpResponse]>([
    [
      '403 with a request id',
      (n) =>
        answer(403, fault(403, 'forbidden', `no (Request-ID: req-${oddId(n)})`), {
          'x-openstack-request-id': `req-${oddId(n)}`,
        }),
    ],
    ['429', (n) => answer(429, 'slow', { 'x-openstack-request-id': `req-${oddId(n)}` })],
    ['a message that differs each time', (n) => answer(400, fault(400, 'badRequest', `no ${n}`))],
  ])('because of %s costs a few status writes and reads a minute', async (_, reply) => {
    const { stage, volume, net } = await moving()
    net.on(`GET /volumes/${volume.id}`, (_request, nth) => reply(nth))
    await stage.clock.advance(MINUTE)
    const [writes, reads] = [net.count('PATCH /volumemigrations'), net.count('GET /volumes/')]
    await stage.clock.advance(5 * MINUTE)
    expect(net.count('PATCH /volumemigrations') - writes).toBeLessThanOrEqual(5 * 5)
    expect(net.count('GET /volumes/') - reads).toBeLessThanOrEqual(5 * 20)
    expect(ended(stage)).toMatch(/^Retyping/)
    expect(stage.moves('idle')[0]?.status?.message).not.toContain('req-6b1e')
  })

  it('until its deadline is Stuck, reported, and followed to its end when it can be read again', async () => {
    const { stage, volume, net } = await moving({
      spec: { migration: { cinderOptions: { retypeTimeout: 600 } } },
    })
    net.on(`GET /volumes/${volume.id}`, () => answer(403, fault(403, 'forbidden', 'no')))
    expect(await stage.until(() => ended(stage)?.startsWith('Stuck/') === true, 2 * HOUR)).toBe(
      true,
    )
    expect(stage.events('idle')).toContain('MigrationStuck')
    expect(stage.moves('idle')[0]?.status?.message).toContain('could not be read')
    net.clear()
    expect(await stage.until(() => ended(stage) === 'Succeeded/Verified', HOUR)).toBe(true)
    expect(stage.retypes(volume)).toBe(1)
  })
})

describe('reads that only spare a refusal', () => {
  const READS = ['os-availability-zone', 'os-quota-sets']
  const ANSWERS = [401, 403, 404, 405, 410, 501]
  it.each(READS.flatMap((read) => ANSWERS.map((status) => [read, status] as const)))(
    '%s answering %i holds back no move',
    async (read, status) => {
      const { stage, volume, net } = idle()
      net.on(`GET /${read}`, () =>
        status === 401 ? answer(401, { error: { code: 401 } }) : answer(status, NOT_FOUND_PAGE),
      )
      expect(await stage.until(() => stage.tier(volume) === 'cold', HOUR)).toBe(true)
    },
  )

  it('refused with 401 for six hours cost a handful of logins', async () => {
    const { stage, net } = idle({ spec: { limits: { maxGiBPerSlot: 1 } } })
    for (let i = 0; i < 5; i++) stage.claim({ name: `more-${i}` })
    for (const read of READS) net.on(`GET /${read}`, () => answer(401, { error: { code: 401 } }))
    await stage.clock.advance(6 * HOUR)
    expect(net.count('POST /auth/tokens')).toBeLessThan(45)
  })
})

describe('a read that a safe move needs', () => {
  it.each([
    ['403', () => answer(403, fault(403, 'forbidden', 'Policy does not allow it.'))],
    ['401', () => answer(401, { error: { code: 401, message: 'no' } })],
  ])('refused with %s: nothing moves, and object and policy name the right', async (_, reply) => {
    const { stage, volume, net } = idle()
    net.on('GET /snapshots/detail?limit=1000&volume_id', reply)
    net.on('GET /snapshots/detail?volume_id', reply)
    expect(await stage.until(() => ended(stage) === 'Waiting/MissingPermission')).toBe(true)
    expect(stage.moves('idle')[0]?.status?.message).toContain('snapshots.list')
    await stage.clock.advance(HOUR)
    expect(stage.retypes(volume)).toBe(0)
    expect(stage.condition('Ready')).toMatchObject({ status: 'False', reason: 'MissingPermission' })
    expect(net.count('POST /auth/tokens')).toBeLessThan(12)
    net.clear()
    expect(await stage.until(() => stage.tier(volume) === 'cold', HOUR)).toBe(true)
  })
})

describe('a list that lacks a volume, though Cinder has it', () => {
  it.each<[string, object]>([
    ['no volume at all', { volumes: [] }],
    ['one that cannot be read', { volumes: [{ id: UUID + '1', status: 'available', size: null }] }],
  ])('ends no move that a person has approved: it has %s', async (_, list) => {
    const { stage, volume, net } = idle({
      spec: { mode: 'Approve', migration: { schedule: '0 12 * * *' } },
    })
    await stage.until(() => stage.moves('idle').length > 0, HOUR)
    const [move] = stage.moves('idle')
    stage.world.api.seed({ ...move!, spec: { ...move!.spec, approved: true } })
    net.on('GET /volumes/detail', () => answer(200, list))
    await stage.clock.advance(12 * MINUTE)
    expect(ended(stage)).toMatch(/^Waiting/)
    expect(stage.retypes(volume)).toBe(0)
    net.clear()
    expect(await stage.until(() => ended(stage) === 'Succeeded/Verified', 3 * HOUR)).toBe(true)
    expect(stage.moves('idle').length).toBe(1)
  })
})
