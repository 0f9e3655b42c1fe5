import { describe, expect, it } from 'vitest'
import { ConnectionError } from '../../src/http.ts'
import { answer, network } from './answers.ts'
import { HOUR, MINUTE, Stage } from './stage.ts'

const DAY = 24 * HOUR
const YEAR = 365 * DAY
const JUMPS: readonly (readonly [string, number])[] = [
  ['back by 6 hours', -6 * HOUR],
  ['back by 40 days', -40 * DAY],
  ['back by 10 years', -10 * YEAR],
  ['forward by 6 hours', 6 * HOUR],
  ['forward by 40 days', 40 * DAY],
]

function idle(options: { sizeGiB?: number; spec?: object } = {}) {
  const stage = new Stage()
  stage.policy(options.spec)
  const volume = stage.claim({ name: 'idle', sizeGiB: options.sizeGiB ?? 1 })
  const net = network()
  stage.start({ gate: net.gate })
  return { stage, volume, net }
}

const ended = (stage: Stage, name = 'idle') => stage.ends(name)[0]

describe('a wall clock that is set', () => {
  it.each(JUMPS)('%s between the two verifying reads: seconds pass, no more', async (_, ms) => {
    const { stage, volume } = idle()
    expect(await stage.until(() => ended(stage) === 'Verifying/Verifying', HOUR, 250)).toBe(true)
    const before = stage.clock.monotonic()
    stage.clock.jumpWall(ms)
    expect(await stage.until(() => ended(stage) === 'Succeeded/Verified', MINUTE, 250)).toBe(true)
    const took = stage.clock.monotonic() - before
    expect(took).toBeGreaterThanOrEqual(2_000)
    expect(took).toBeLessThan(15_000)
    expect(stage.retypes(volume)).toBe(1)
  })

  it.each(JUMPS)('%s in mid-copy neither ends the move nor moves its deadline', async (_, ms) => {
    const { stage, volume } = idle({
      spec: { migration: { cinderOptions: { retypeTimeout: 1800 } } },
      sizeGiB: 10,
    })
    stage.cloud.planRetype(volume.id, 'stuck')
    expect(await stage.until(() => ended(stage)?.startsWith('Retyping/') === true)).toBe(true)
    const began = stage.clock.monotonic()
    await stage.clock.advance(MINUTE)
    stage.clock.jumpWall(ms)
    await stage.clock.advance(20 * MINUTE)
    expect(ended(stage)).toMatch(/^Retyping/)
    expect(await stage.until(() => ended(stage) === 'Stuck/DeadlinePassed', HOUR)).toBe(true)
    expect(stage.clock.monotonic() - began).toBeLessThan(35 * MINUTE)
    expect(stage.clock.monotonic() - began).toBeGreaterThan(29 * MINUTE)
  })

  it.each(JUMPS)('%s after a lost answer brings no second call early', async (_, ms) => {
    const { stage, volume, net } = idle()
    const asked: number[] = []
    net.on('POST /action', (_request, nth) => {
      asked.push(stage.clock.monotonic())
      return nth > 1 ? undefined : Promise.reject(new ConnectionError('reset', 'lost'))
    })
    expect(await stage.until(() => asked.length === 1)).toBe(true)
    stage.clock.jumpWall(ms)
    await stage.clock.advance(29_000)
    expect(asked).toHaveLength(1)
    // a history that lies in the future, or a last window that is old, may no longer want the move
    await stage.until(() => ended(stage)?.startsWith('Requested/') === false, 3 * MINUTE)
    expect(ended(stage)).not.toMatch(/^Requested/)
    expect(stage.retypes(volume)).toBeLessThanOrEqual(1)
  })

  it.each([
    ['back by 6 hours', -6 * HOUR],
    ['back by a day', -DAY],
  ])('%s: a cooldown lasts no longer than it says', async (_, ms) => {
    const stage = new Stage()
    let iops = 1
    stage.policy({ migration: { cooldownPeriod: '2h' }, metrics: { window: '10m' } })
    const volume = stage.claim({ name: 'idle', iops: () => iops })
    stage.start()
    expect(await stage.until(() => ended(stage) === 'Succeeded/Verified')).toBe(true)
    stage.annotate('idle', { 'couchestor.io/force-tier': 'hot' })
    expect(await stage.until(() => stage.tier(volume) === 'hot')).toBe(true)
    iops = 1
    stage.annotate('idle', { 'couchestor.io/force-tier': undefined })
    stage.clock.jumpWall(ms)
    const before = stage.clock.monotonic()
    await stage.until(() => stage.moves('idle').length === 3, 8 * HOUR, MINUTE)
    expect(stage.clock.monotonic() - before).toBeLessThan(4 * HOUR)
  })

  it.each([
    ['back by 6 hours', -6 * HOUR, false],
    ['back by 6 hours, with a restart', -6 * HOUR, true],
  ])('%s: a claim made after it is judged in its time', async (_, ms, restarts) => {
    const stage = new Stage()
    stage.policy({ metrics: { window: '30m', minHistory: '1h' } })
    stage.claim({ name: 'busy', iops: 3000 })
    const first = stage.start({ identity: 'first' })
    await stage.clock.advance(70 * MINUTE)
    if (restarts) await first.stop()
    stage.clock.jumpWall(ms)
    const late = stage.claim({ name: 'late', ageHours: 0 })
    if (restarts) stage.start({ identity: 'second' })
    expect(await stage.until(() => stage.tier(late) === 'cold', 105 * MINUTE)).toBe(true)
    expect(stage.moves('busy')).toEqual([])
  })

  it('forward by days does not end the time for an approval', async () => {
    const { stage } = idle({ spec: { mode: 'Approve' } })
    expect(await stage.until(() => ended(stage) === 'Waiting/AwaitingApproval')).toBe(true)
    stage.clock.jumpWall(3 * DAY)
    await stage.clock.advance(HOUR)
    expect(ended(stage)).toBe('Waiting/AwaitingApproval')
  })

  it('back by years does not keep a plan that nobody approves', async () => {
    const stage = new Stage()
    stage.policy({ mode: 'Approve' })
    stage.claim({ name: 'idle' })
    stage.start({ timing: { expireMs: HOUR } })
    expect(await stage.until(() => ended(stage) === 'Waiting/AwaitingApproval')).toBe(true)
    stage.clock.jumpWall(-3 * YEAR)
    await stage.clock.advance(70 * MINUTE)
    expect(ended(stage)).toMatch(/^Failed/)
  })
})

describe('couchestor.io/force-until', () => {
  it.each([
    '48',
    '2026',
    '2026-02-01',
    'tomorrow',
    '2048-01-01T00:00:00Z',
    '9999-12-31T23:59:59Z',
    '2026-01-31T23:59:60Z',
    '2026-01-31t18:00:00z',
    '',
  ])('"%s" moves nothing, and the owner and the status say why', async (until) => {
    const stage = new Stage()
    stage.policy()
    const volume = stage.claim({ name: 'idle', iops: 3000 })
    stage.annotate('idle', {
      'couchestor.io/force-tier': 'cold',
      'couchestor.io/force-until': until,
    })
    stage.start()
    await stage.until(() => stage.events('idle').includes('InvalidAnnotation'))
    expect(stage.events('idle')).toContain('InvalidAnnotation')
    await stage.clock.advance(30 * MINUTE)
    expect(stage.moves('idle')).toEqual([])
    expect(stage.retypes(volume)).toBe(0)
    expect(stage.staying()).toMatchObject({ Forced: 1 })
  })
})

describe('Retry-After', () => {
  it.each(['86400', 'Fri, 31 Dec 9999 23:59:59 GMT', '-1', '999999999999', 'soon'])(
    'of "%s" from a maintenance page silences no watch for more than minutes',
    async (value) => {
      const stage = new Stage()
      stage.policy()
      const net = network()
      net.on('GET /persistentvolumeclaims', (_request, nth) =>
        nth <= 2 ? answer(503, '<html>maintenance</html>', { 'retry-after': value }) : undefined,
      )
      stage.start({ gate: net.gate })
      const volume = stage.claim({ name: 'idle' })
      expect(await stage.until(() => stage.tier(volume) === 'cold', 15 * MINUTE)).toBe(true)
    },
  )
})

describe('an approval in a policy with a schedule', () => {
  const approve = (stage: Stage) => {
    for (const m of stage.moves('idle').filter((o) => o.status?.step === 'Waiting'))
      stage.world.api.seed({ ...m, spec: { ...m.spec, approved: true } })
  }
  // the stage begins on Tuesday 2026-01-20 at 10:07 UTC; an hour of validity stands for the day of production
  it.each([
    ['nightly, planned in its slot and approved after it', '0 10,15 * * *', 55, 295],
    ['nightly, approved at once', '0 15 * * *', 0, 295],
    ['weekly, approved hours later', '0 15 * * tue', 180, 295],
    ['monthly, approved just before its slot', '0 15 20 * *', 285, 295],
    ['nightly, approved when a slot has passed', '0 11,15 * * *', 150, 295],
  ])('%s, holds until the next slot', async (_, schedule, approveAt, slotAt) => {
    const stage = new Stage()
    stage.policy({
      mode: 'Approve',
      metrics: { window: '6h' },
      migration: { schedule, slotDuration: '1h' },
    })
    const volume = stage.claim({ name: 'idle' })
    stage.start({ timing: { expireMs: HOUR } })
    await stage.clock.advance(approveAt * MINUTE)
    await stage.until(() => stage.ends('idle').includes('Waiting/AwaitingApproval'))
    expect(stage.ends('idle')).toContain('Waiting/AwaitingApproval')
    approve(stage)
    await stage.clock.advance((slotAt - approveAt - 10) * MINUTE)
    expect(stage.retypes(volume)).toBe(0)
    expect(await stage.until(() => stage.tier(volume) === 'cold', HOUR)).toBe(true)
  })

  it('holds for a day from the opening of its slot, however far that is', async () => {
    const stage = new Stage()
    stage.policy({
      mode: 'Approve',
      metrics: { window: '6h' },
      migration: { schedule: '0 2 * * sat' },
    })
    stage.claim({ name: 'idle' })
    stage.start()
    await stage.until(() => ended(stage) === 'Waiting/AwaitingApproval', HOUR)
    approve(stage)
    expect(await stage.until(() => ended(stage) === 'Waiting/OutsideSchedule')).toBe(true)
    expect(stage.moves('idle')[0]?.status?.expiresAt).toBe('2026-01-25T02:00:00.000Z')
  })

  it('that came before the schedule was set still holds when its slot opens', async () => {
    const stage = new Stage()
    const spec = { mode: 'Approve', metrics: { window: '6h' } }
    stage.policy(spec)
    const volume = stage.claim({ name: 'idle' })
    stage.start({ timing: { expireMs: HOUR } })
    expect(await stage.until(() => ended(stage) === 'Waiting/AwaitingApproval', HOUR)).toBe(true)
    stage.policy({ ...spec, paused: true })
    await stage.clock.advance(MINUTE)
    approve(stage)
    expect(await stage.until(() => ended(stage) === 'Waiting/PolicyPaused')).toBe(true)
    stage.policy({ ...spec, migration: { schedule: '0 13 * * *', slotDuration: '2h' } })
    await stage.clock.advance(2 * HOUR)
    expect(stage.retypes(volume)).toBe(0)
    expect(stage.ends('idle')).toEqual(['Waiting/OutsideSchedule'])
    expect(await stage.until(() => stage.tier(volume) === 'cold', 3 * HOUR)).toBe(true)
  })

  it('that nobody gives ends with the slot, and is asked for again', async () => {
    const stage = new Stage()
    stage.policy({
      mode: 'Approve',
      metrics: { window: '6h' },
      migration: { schedule: '0 12 * * *', slotDuration: '1h' },
    })
    stage.claim({ name: 'idle' })
    stage.start({ timing: { expireMs: HOUR } })
    await stage.clock.advance(150 * MINUTE)
    expect(stage.ends('idle')).toEqual(['Waiting/AwaitingApproval'])
    await stage.clock.advance(HOUR)
    expect(stage.ends('idle').toSorted()).toEqual(['Failed/Expired', 'Waiting/AwaitingApproval'])
  })

  it.each(['0 0 30 2 *', '0 0 31 4,6 *', '0 0 31 feb *'])(
    'schedule "%s", which never opens, is reported on the policy',
    async (schedule) => {
      const { stage, volume } = idle({ spec: { migration: { schedule } } })
      await stage.until(() => stage.condition('Ready')?.reason === 'Invalid', 5 * MINUTE)
      expect(stage.condition('Ready')).toMatchObject({ status: 'False', reason: 'Invalid' })
      expect(stage.condition('Ready')?.message).toContain('schedule is "')
      expect(stage.retypes(volume)).toBe(0)
    },
  )
})
