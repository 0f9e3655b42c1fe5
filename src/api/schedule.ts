import { parse } from 'node-cron'
import { UserError } from '../errors.ts'

const MINUTE = 60_000
const DAY = 86_400_000
/** Offsets of time zones change on quarter hours only, so one check per quarter hour is enough. */
const QUARTER = 15 * MINUTE
/** From one leap day to the next, over a year such as 2100 too. */
const SEARCH_DAYS = 8 * 366

function cronField(value: string, names = ''): string {
  const one = `(${value}${names})`
  const item = `([*](/[1-9][0-9]?)?|${one}(-${one}(/[1-9][0-9]?)?)?)`
  return `${item}(,${item})*`
}

/** The grammar of schedules, the same as in the CRD. L, W, # and seconds are left out: other crons lack them. */
export const CRON = new RegExp(
  `^${[
    cronField('[0-5]?[0-9]'),
    cronField('[01]?[0-9]|2[0-3]'),
    cronField('0?[1-9]|[12][0-9]|3[01]'),
    cronField('0?[1-9]|1[0-2]', '|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec'),
    cronField('[0-7]', '|sun|mon|tue|wed|thu|fri|sat'),
  ].join(' ')}$`,
  'i',
)

/** When moves may start: for a while from each minute that a cron expression names, in a time zone. */
export type Schedule = {
  /** Whether `at` lies in a slot. */
  isOpen(at: Date): boolean
  /** `at` itself when a slot is open, else the start of the next one; undefined when none comes within eight years. */
  nextOpen(at: Date): Date | undefined
  /** Start of the slot that is open at `at`; the latest one when slots overlap. */
  openedAt(at: Date): Date | undefined
}

/**
 * A schedule from cron expression (five fields), IANA time zone and slot length in ms.
 * Clock changes: a minute that the clock skips opens the slot right after the gap, a repeated one opens it again.
 * `field` is the path of the policy's `migration`. Throws `UserError` naming field, value and fix.
 */
export function createSchedule(
  expression: string,
  timeZone: string,
  slotMs: number,
  field = 'spec.migration',
): Schedule {
  const cron = parseCron(expression, `${field}.schedule`)
  const wallClock = createWallClock(timeZone, `${field}.timeZone`)

  const opensAt = (minute: number): boolean => {
    const wall = wallClock(minute)
    const before = wallClock(minute - MINUTE)
    for (let skipped = before + MINUTE; skipped < wall; skipped += MINUTE)
      if (cron.matches(skipped)) return true
    return cron.matches(wall)
  }

  let known: Known | undefined

  /** The search goes minute by minute, and thousands of claims ask at about the same time. */
  const around = (at: Date): Known => {
    const minute = floorTo(at.getTime(), MINUTE)
    if (known !== undefined && known.from <= minute && minute < known.until) return known
    let start: number | undefined
    for (let m = minute; start === undefined && m > minute - slotMs; m -= MINUTE)
      if (opensAt(m)) start = m
    known = { from: minute, until: minute + MINUTE, start, next: undefined }
    return known
  }

  const openedAt = (at: Date): Date | undefined => {
    const { start } = around(at)
    return start !== undefined && start > at.getTime() - slotMs ? new Date(start) : undefined
  }

  const nextOpen = (at: Date): Date | undefined => {
    if (openedAt(at)) return at
    const now = around(at)
    if (now.next === undefined) {
      now.next = searchFrom(floorTo(at.getTime(), MINUTE) + MINUTE) ?? NEVER
      now.until = Math.min(now.next, now.from + DAY)
    }
    return now.next === NEVER ? undefined : new Date(now.next)
  }

  const searchFrom = (minute: number): number | undefined => {
    const end = minute + SEARCH_DAYS * DAY
    let m = minute
    while (m < end) {
      if (opensAt(m)) return m
      m = cron.dayMatches(wallClock(m)) ? m + MINUTE : startOfNextDay(m, wallClock)
    }
    return undefined
  }

  return { isOpen: (at) => openedAt(at) !== undefined, nextOpen, openedAt }
}

/** What holds for every minute in [from, until): nothing opens between `start` and `next`. */
type Known = {
  readonly from: number
  until: number
  /** Of the latest slot, if it may still be open at `from`. */
  readonly start: number | undefined
  /** Of the slot after it; undefined = not searched for yet, NEVER = none within eight years. */
  next: number | undefined
}

const NEVER = Infinity

type Cron = { matches(wall: number): boolean; dayMatches(wall: number): boolean }

/** Wall times are milliseconds that read as the local time when taken for UTC. */
function parseCron(expression: string, field: string): Cron {
  if (!CRON.test(expression))
    throw invalidCron(
      expression,
      field,
      'it must have five fields of numbers, names, *, ranges, lists and steps within their bounds, one space apart',
    )
  const [, , dayOfMonth, , dayOfWeek] = expression.split(' ')
  if (dayOfMonth !== '*' && dayOfWeek !== '*')
    throw invalidCron(
      expression,
      field,
      'day of month and day of week are both restricted, write * in one of them',
    )
  const fields = parseFields(expression, field)
  const day = (wall: Date) =>
    fields.month.has(wall.getUTCMonth() + 1) &&
    fields.dayOfMonth.has(wall.getUTCDate()) &&
    fields.dayOfWeek.has(wall.getUTCDay())
  return {
    dayMatches: (wall) => day(new Date(wall)),
    matches: (wall) => {
      const date = new Date(wall)
      return (
        fields.minute.has(date.getUTCMinutes()) && fields.hour.has(date.getUTCHours()) && day(date)
      )
    },
  }
}

function parseFields(expression: string, field: string) {
  try {
    const { minute, hour, dayOfMonth, month, dayOfWeek } = parse(expression)
    return {
      minute: new Set(minute),
      hour: new Set(hour),
      dayOfMonth: new Set(dayOfMonth),
      month: new Set(month),
      dayOfWeek: new Set(dayOfWeek),
    }
  } catch (e) {
    throw invalidCron(expression, field, e instanceof Error ? e.message : String(e))
  }
}

function invalidCron(expression: string, field: string, why: string): UserError {
  return new UserError('ScheduleInvalid', `${field} is "${expression}": ${why}`, {
    fix: 'write minute hour day-of-month month day-of-week, for example "0 2 * * *" for 02:00 every day',
  })
}

/** Gives the wall time of an instant; throws `UserError` for a zone that this machine does not know. */
function createWallClock(timeZone: string, field: string): (instant: number) => number {
  const format = zoneFormat(timeZone, field)
  const offsets = new Map<number, number>()
  return (instant) => {
    const quarter = floorTo(instant, QUARTER)
    let offset = offsets.get(quarter)
    if (offset === undefined) {
      if (offsets.size > 5000) offsets.clear()
      offset = wallTime(format, quarter) - quarter
      offsets.set(quarter, offset)
    }
    return instant + offset
  }
}

function zoneFormat(timeZone: string, field: string): Intl.DateTimeFormat {
  try {
    return new Intl.DateTimeFormat('en-US', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
    })
  } catch {
    throw new UserError(
      'ScheduleInvalid',
      `${field} is "${timeZone}", which is no time zone here`,
      {
        fix: 'write an IANA name such as UTC or Europe/Berlin',
      },
    )
  }
}

function wallTime(format: Intl.DateTimeFormat, instant: number): number {
  const parts: Record<string, number> = {}
  for (const { type, value } of format.formatToParts(instant)) parts[type] = Number(value)
  return Date.UTC(parts['year']!, parts['month']! - 1, parts['day'], parts['hour'], parts['minute'])
}

/** Right after the next local midnight, or before it when the clock changes that day; never in the past. */
function startOfNextDay(instant: number, wallClock: (instant: number) => number): number {
  const wall = wallClock(instant)
  const next = instant + (floorTo(wall, DAY) + DAY - wall)
  const drift = wallClock(next) - (floorTo(wall, DAY) + DAY)
  return drift > 0 && next - drift > instant ? next - drift : next
}

function floorTo(value: number, unit: number): number {
  return Math.floor(value / unit) * unit
}
