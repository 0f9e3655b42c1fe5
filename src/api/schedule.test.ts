import fc from 'fast-check'
import { createTask } from 'node-cron'
import { describe, expect, it, vi } from 'vitest'
import { UserError } from '../errors.ts'
import { createSchedule } from './schedule.ts'

const HOUR = 3_600_000
const at = (iso: string) => new Date(iso)

describe('a schedule', () => {
  it('is open from the named minute on, for the length of the slot, and no longer', () => {
    const nightly = createSchedule('0 2 * * *', 'UTC', 4 * HOUR)
    expect(nightly.isOpen(at('2026-02-01T01:59:59Z'))).toBe(false)
    expect(nightly.isOpen(at('2026-02-01T02:00:00Z'))).toBe(true)
    expect(nightly.isOpen(at('2026-02-01T05:59:59.999Z'))).toBe(true)
    expect(nightly.isOpen(at('2026-02-01T06:00:00Z'))).toBe(false)
  })

  it('reports when the open slot began and when the next one begins', () => {
    const nightly = createSchedule('0 2 * * *', 'UTC', 4 * HOUR)
    expect(nightly.openedAt(at('2026-02-01T05:00:00Z'))).toEqual(at('2026-02-01T02:00:00Z'))
    expect(nightly.nextOpen(at('2026-02-01T05:00:00Z'))).toEqual(at('2026-02-01T05:00:00Z'))
    expect(nightly.nextOpen(at('2026-02-01T06:00:00Z'))).toEqual(at('2026-02-02T02:00:00Z'))
  })

  it('reaches over midnight, weekends and month ends', () => {
    const weekend = createSchedule('0 22 * * fri', 'UTC', 48 * HOUR)
    expect(weekend.isOpen(at('2026-02-01T21:00:00Z'))).toBe(true)
    expect(weekend.isOpen(at('2026-02-01T22:00:00Z'))).toBe(false)
    expect(weekend.nextOpen(at('2026-02-02T00:00:00Z'))).toEqual(at('2026-02-06T22:00:00Z'))
  })

  it.each([
    ['Europe/Berlin', '2026-01-15T01:00:00Z'],
    ['Europe/Berlin', '2026-07-15T00:00:00Z'],
    ['Asia/Kolkata', '2026-01-14T20:30:00Z'],
    ['Asia/Kathmandu', '2026-01-14T20:15:00Z'],
    ['America/St_Johns', '2026-01-15T05:30:00Z'],
    ['Pacific/Kiritimati', '2026-01-14T12:00:00Z'],
  ])('counts 02:00 in %s, which is %s', (zone, start) => {
    const schedule = createSchedule('0 2 * * *', zone, HOUR)
    expect(schedule.isOpen(at(start))).toBe(true)
    expect(schedule.isOpen(new Date(at(start).getTime() - 1))).toBe(false)
  })

  it('opens right after the gap when the clock skips the named minute in spring', () => {
    const schedule = createSchedule('30 2 * * *', 'Europe/Berlin', HOUR)
    expect(schedule.nextOpen(at('2026-03-28T12:00:00Z'))).toEqual(at('2026-03-29T01:00:00Z'))
    expect(schedule.nextOpen(at('2026-03-29T12:00:00Z'))).toEqual(at('2026-03-30T00:30:00Z'))
  })

  it('covers the same wall time when the clock repeats the named minute in autumn', () => {
    const schedule = createSchedule('0 2 * * *', 'Europe/Berlin', HOUR)
    expect(schedule.isOpen(at('2026-10-25T00:00:00Z'))).toBe(true)
    expect(schedule.isOpen(at('2026-10-25T01:59:59Z'))).toBe(true)
    expect(schedule.isOpen(at('2026-10-25T02:00:00Z'))).toBe(false)
  })

  it('opens at the first minute of a day that begins after a gap at midnight', () => {
    const schedule = createSchedule('0 0 * * *', 'America/Asuncion', HOUR)
    expect(schedule.nextOpen(at('2023-09-30T12:00:00Z'))).toEqual(at('2023-10-01T04:00:00Z'))
  })

  it('does not skip the first hour after a day that the clock made shorter', () => {
    const schedule = createSchedule('30 0 * * mon', 'Europe/Berlin', HOUR)
    expect(schedule.nextOpen(at('2026-03-28T23:30:00Z'))).toEqual(at('2026-03-29T22:30:00Z'))
  })

  it('takes both 0 and 7 for Sunday', () => {
    for (const sunday of ['0', '7', 'sun'])
      expect(
        createSchedule(`0 2 * * ${sunday}`, 'UTC', HOUR).isOpen(at('2026-02-01T02:30:00Z')),
      ).toBe(true)
  })

  it.each([
    ['2024-03-01T00:00:00Z', '2028-02-29T02:00:00Z'],
    ['2026-01-20T00:00:00Z', '2028-02-29T02:00:00Z'],
    ['2096-03-01T00:00:00Z', '2104-02-29T02:00:00Z'],
  ])('of leap days alone opens next after %s at %s', (now, opens) => {
    const leapDay = createSchedule('0 2 29 2 *', 'UTC', HOUR)
    expect(leapDay.nextOpen(at(now))).toEqual(at(opens))
  })

  it.each([
    '60 2 * * *',
    '0 24 * * *',
    '0 2 32 * *',
    '0 2 * 13 *',
    '0 2 * * 8',
    '0 2 31 2 *',
    '0 2 * *',
    '* * * * * *',
    '@daily',
    '',
    '0 2 L * *',
    '0 2 1W * *',
    '0 2 ? * *',
    '0 2 * * 5#2',
    '*/0 * * * *',
    '0  2 * * *',
    'every night',
    '0 2 1 * mon',
  ])('refuses %j with field, value and an example', (expression) => {
    expect(() => createSchedule(expression, 'UTC', HOUR)).toThrow(UserError)
    expect(() => createSchedule(expression, 'UTC', HOUR)).toThrow(
      /^spec\.migration\.schedule is ".*": .*"0 2 \* \* \*"/,
    )
  })

  it.each(['Mars/Olympus', '', 'Berlin', 'UTC+25'])('refuses the time zone %j', (zone) => {
    expect(() => createSchedule('0 2 * * *', zone, HOUR)).toThrow(
      /^spec\.migration\.timeZone is ".*", which is no time zone here: write .*Europe\/Berlin/,
    )
  })
})

describe('any schedule', () => {
  const two = (max: number, min = 0) =>
    fc.oneof(
      fc.constant('*'),
      fc.integer({ min, max }).map(String),
      fc.integer({ min: 2, max: 30 }).map((n) => `*/${n}`),
      fc
        .tuple(fc.integer({ min, max }), fc.integer({ min, max }))
        .map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`),
      fc
        .uniqueArray(fc.integer({ min, max }), { minLength: 2, maxLength: 4 })
        .map((l) => l.join(',')),
    )
  const expression = fc
    .tuple(
      two(59),
      two(23),
      fc.oneof(
        two(28, 1).map((d) => [d, '*']),
        two(7).map((d) => ['*', d]),
      ),
      two(12, 1),
    )
    .map(([minute, hour, [day, weekday], month]) => `${minute} ${hour} ${day} ${month} ${weekday}`)
  const zone = fc.constantFrom(
    'UTC',
    'Europe/Berlin',
    'America/New_York',
    'Asia/Kolkata',
    'Australia/Lord_Howe',
  )
  const instant = fc
    .integer({ min: Date.UTC(2024, 0), max: Date.UTC(2030, 0) })
    .map((ms) => new Date(ms))

  it('matches the same minutes as the cron library, away from clock changes', () => {
    fc.assert(
      fc.property(expression, instant, (cron, moment) => {
        const task = createTask(cron, () => {}, { timezone: 'UTC' })
        const minute = new Date(Math.floor(moment.getTime() / 60_000) * 60_000)
        expect(createSchedule(cron, 'UTC', 60_000).isOpen(minute)).toBe(task.match(minute))
        void task.destroy()
      }),
      { numRuns: 500 },
    )
  })

  it('is open at the time that nextOpen gives, and closed right before', () => {
    fc.assert(
      fc.property(
        expression,
        zone,
        instant,
        fc.integer({ min: 1, max: 600 }),
        (cron, tz, moment, minutes) => {
          const schedule = createSchedule(cron, tz, minutes * 60_000)
          const next = schedule.nextOpen(moment)
          if (!next) return
          expect(schedule.isOpen(next)).toBe(true)
          expect(next.getTime()).toBeGreaterThanOrEqual(moment.getTime())
          expect(next > moment && schedule.isOpen(new Date(next.getTime() - 1))).toBe(false)
        },
      ),
      { numRuns: 300 },
    )
  })

  it('misses no slot: whatever is open lies at or after what nextOpen gave', () => {
    fc.assert(
      fc.property(
        expression,
        zone,
        instant,
        fc.integer({ min: 0, max: 20 * 24 * 60 }),
        (cron, tz, moment, minutes) => {
          const schedule = createSchedule(cron, tz, 60_000)
          const later = new Date(moment.getTime() + minutes * 60_000)
          if (!schedule.isOpen(later)) return
          expect(schedule.nextOpen(moment)!.getTime()).toBeLessThanOrEqual(later.getTime())
        },
      ),
      { numRuns: 300 },
    )
  })

  it('has slots that end: the start of a slot lies within its length', () => {
    fc.assert(
      fc.property(
        expression,
        zone,
        instant,
        fc.integer({ min: 1, max: 600 }),
        (cron, tz, moment, minutes) => {
          const start = createSchedule(cron, tz, minutes * 60_000).openedAt(moment)
          if (!start) return
          expect(moment.getTime() - start.getTime()).toBeGreaterThanOrEqual(0)
          expect(moment.getTime() - start.getTime()).toBeLessThan(minutes * 60_000)
        },
      ),
      { numRuns: 300 },
    )
  })
})

it('answers the same whatever was asked before', () => {
  const expressions = ['0 2 * * *', '*/7 1-3 * * *', '30 1 * * sun', '0 0 29 2 *', '59 23 31 * *']
  const zones = ['UTC', 'Europe/Berlin', 'Australia/Lord_Howe']
  const start = Date.UTC(2026, 2, 28)
  fc.assert(
    fc.property(
      fc.constantFrom(...expressions),
      fc.constantFrom(...zones),
      fc.constantFrom(90_000, HOUR, 5 * HOUR),
      fc.array(fc.integer({ min: 0, max: 4 * 24 * HOUR }), { minLength: 2, maxLength: 8 }),
      (expression, zone, slot, offsets) => {
        const asked = createSchedule(expression, zone, slot)
        for (const offset of offsets) {
          const now = new Date(start + offset)
          const fresh = createSchedule(expression, zone, slot)
          expect(asked.isOpen(now)).toBe(fresh.isOpen(now))
          expect(asked.nextOpen(now)).toEqual(fresh.nextOpen(now))
          expect(asked.openedAt(now)).toEqual(fresh.openedAt(now))
        }
      },
    ),
    { numRuns: 60 },
  )
})

it('is searched once for all who ask in the same slot', () => {
  // a search checks each day until the next slot
  const seldom = createSchedule('0 0 29 2 *', 'Europe/Berlin', HOUR)
  const first = at('2026-03-01T12:00:00Z')
  const opens = at('2028-02-28T23:00:00Z')
  expect(seldom.nextOpen(first)).toEqual(opens)
  const format = vi.spyOn(Intl.DateTimeFormat.prototype, 'formatToParts')
  for (let i = 0; i < 1000; i++)
    expect(seldom.nextOpen(new Date(first.getTime() + i * 1000))).toEqual(opens)
  expect(format).not.toHaveBeenCalled()
  format.mockRestore()
})
