/** The only readers of times that others write. `Date.parse` also accepts "48", "tomorrow"-like text and local times. */

const DATE = String.raw`(\d{4})-(\d{2})-(\d{2})`
const CLOCK = String.raw`(\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?`
const ZONE = String.raw`(Z|[+-]\d{2}:\d{2})`
const RFC_3339 = new RegExp(`^${DATE}T${CLOCK}${ZONE}$`)
const OPENSTACK = new RegExp(`^${DATE}[T ]${CLOCK}(Z|[+-]\\d{2}:?\\d{2})?$`)
const HTTP_DATE =
  /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d{2}:\d{2}:\d{2} GMT$/

/** A server that asks for more is asked again after this: a maintenance page must not silence us for a day. */
export const LONGEST_RETRY_AFTER_MS = 300_000

/** Strict RFC 3339 with its zone, ms since the epoch; undefined for anything else, dates that do not exist included. */
export function rfc3339(text: string): number | undefined {
  return instantOf(RFC_3339.exec(text))
}

/** OpenStack's times: UTC, with or without a zone. ms; undefined for anything else. */
export function openStackTime(text: string | null | undefined): number | undefined {
  return instantOf(OPENSTACK.exec(text ?? ''))
}

/**
 * What `Retry-After` asks for, in ms: seconds or an HTTP date, never negative, at most five minutes. undefined when it
 * asks for nothing that can be read. A date is measured against the `Date` of the same answer where there is one.
 */
export function retryAfterMs(
  headers: Readonly<Record<string, string>>,
  now: number,
): number | undefined {
  const text = headers['retry-after']?.trim() ?? ''
  const asked = /^\d+$/.test(text) ? Number(text) * 1000 : untilDate(text, headers['date'], now)
  return asked === undefined ? undefined : Math.min(LONGEST_RETRY_AFTER_MS, Math.max(0, asked))
}

function untilDate(text: string, sentAt: string | undefined, now: number): number | undefined {
  const date = httpDate(text)
  return date === undefined ? undefined : date - (httpDate(sentAt ?? '') ?? now)
}

/** The `Date` of an answer, ms; undefined for anything that HTTP would not write. */
export function httpDate(text: string): number | undefined {
  const ms = HTTP_DATE.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(ms) ? undefined : ms
}

function instantOf(match: RegExpExecArray | null): number | undefined {
  if (match === null) return undefined
  const [, ...parts] = match
  const [year, month, day, hour, minute, second] = parts.slice(0, 6).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  const whole = Date.UTC(year, month - 1, day, hour, minute, second)
  const read = new Date(whole)
  // what does not exist (31 February, 24:00, a leap second) would silently become another time
  const same =
    read.getUTCMonth() === month - 1 &&
    read.getUTCDate() === day &&
    read.getUTCHours() === hour &&
    read.getUTCMinutes() === minute &&
    read.getUTCSeconds() === second
  const offset = offsetMs(parts[7] ?? 'Z')
  if (!same || year < 1000 || offset === undefined) return undefined
  return whole + Math.floor(Number(`0.${parts[6] ?? '0'}`) * 1000) - offset
}

function offsetMs(zone: string): number | undefined {
  if (zone === 'Z') return 0
  const [, sign, hours, minutes] = /^([+-])(\d{2}):?(\d{2})$/.exec(zone) ?? []
  const [h, m] = [Number(hours), Number(minutes)]
  if (h > 23 || m > 59) return undefined
  return (sign === '-' ? -1 : 1) * (h * 60 + m) * 60_000
}
