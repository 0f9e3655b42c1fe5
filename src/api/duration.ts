import { UserError } from '../errors.ts'

const UNIT_MS = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 } as const

/** The grammar of durations, the same in CRDs and config.yaml; `duration()` of CEL reads all of it. */
export const DURATION = /^([0-9]{1,6}([.][0-9]{1,3})?(h|ms|m|s)){1,3}$/

/**
 * Milliseconds of a Go duration such as `30m`, `1h30m` or `24h`; units h, m, s, ms, never negative.
 * Undefined for anything else: the caller knows the field to name.
 */
export function tryParseDuration(text: string): number | undefined {
  if (!DURATION.test(text)) return undefined
  let ms = 0
  for (const [, number, unit] of text.matchAll(/([0-9.]+)(h|ms|m|s)/g))
    ms += Number(number) * UNIT_MS[unit as keyof typeof UNIT_MS]
  return Math.round(ms)
}

/** Like `tryParseDuration`; throws `UserError` that names `field`, the value and the fix. */
export function parseDuration(text: string, field: string): number {
  const ms = tryParseDuration(text)
  if (ms !== undefined) return ms
  throw new UserError('DurationInvalid', `${field} is "${text}", which is no duration`, {
    fix: 'write hours, minutes or seconds, for example 90m, 1h30m or 168h (days as hours)',
  })
}

/**
 * The shortest way to write `ms`: `1h30m`, `24h`, `45s`, `1.5s` (or `0s`). Parsing it gives `ms` again,
 * for whole milliseconds up to 999,999 hours; anything below zero is shown as `0s`.
 */
export function formatDuration(ms: number): string {
  const total = Math.max(0, Math.round(ms))
  const hours = Math.floor(total / UNIT_MS.h)
  const minutes = Math.floor((total % UNIT_MS.h) / UNIT_MS.m)
  const seconds = (total % UNIT_MS.m) / UNIT_MS.s
  const parts = [hours && `${hours}h`, minutes && `${minutes}m`, seconds && `${seconds}s`]
  return parts.filter((part) => part !== 0).join('') || '0s'
}
