import * as z from 'zod'
import { rfc3339 } from '../time.ts'
import { DURATION, formatDuration, tryParseDuration } from './duration.ts'

const TIER_NAME = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/

/**
 * Leaves of our schemas. The message of each is the fix alone; path and value are put before it by `problemsOf`.
 * `json` says the same as JSON Schema, as far as that can: the schema of the chart's values is made from it.
 */
function leaf<T>(
  accepts: (value: unknown) => boolean,
  fix: string,
  json: Readonly<Record<string, unknown>>,
) {
  return z.custom<T>(accepts, { error: fix }).meta(json)
}

export const text = (longest = 253, example?: string) =>
  leaf<string>(
    (v) => typeof v === 'string' && v.length > 0 && fits(v, longest),
    `write a text of 1 to ${longest} characters${example ? `, for example ${example}` : ''}`,
    { type: 'string', minLength: 1, maxLength: longest },
  )

/** The value of a label: may be empty. */
export const label = () =>
  leaf<string>(
    (v) => typeof v === 'string' && fits(v, 63),
    'write a text of at most 63 characters',
    { type: 'string', maxLength: 63 },
  )

export const flag = () =>
  leaf<boolean>((v) => typeof v === 'boolean', 'write true or false', { type: 'boolean' })

export const number = (min: number, max: number) =>
  leaf<number>(
    (v) => typeof v === 'number' && v >= min && v <= max,
    `write a number from ${min} to ${max}`,
    { type: 'number', minimum: min, maximum: max },
  )

export const integer = (min: number, max: number) =>
  leaf<number>(
    (v) => Number.isInteger(v) && (v as number) >= min && (v as number) <= max,
    `write a whole number from ${min} to ${max}`,
    { type: 'integer', minimum: min, maximum: max },
  )

export const oneOf = <const T extends string>(...values: readonly T[]) =>
  leaf<T>(
    (v) => values.includes(v as T),
    `write ${values.length > 1 ? 'one of ' : ''}${values.join(', ')}`,
    { enum: values },
  )

/** Bounds of a duration in ms. */
export type DurationBounds = { readonly minMs: number; readonly maxMs: number }

const durations = z.registry<DurationBounds>()

/** Undefined for a leaf that takes no durations. */
export function durationBounds(leaf: z.core.$ZodType): DurationBounds | undefined {
  return durations.get(leaf)
}

/** A Go duration between two bounds (ms), kept as its text. */
export const duration = (minMs: number, maxMs: number) =>
  leaf<string>(
    (v) => isBetween(typeof v === 'string' ? tryParseDuration(v) : undefined, minMs, maxMs),
    `write a duration from ${formatDuration(minMs)} to ${formatDuration(maxMs)} with its unit, for example 90s, 30m or 24h`,
    { type: 'string', pattern: DURATION.source },
  ).register(durations, { minMs, maxMs })

/** A moment with its zone. */
export const time = () =>
  leaf<string>(
    (v) => typeof v === 'string' && rfc3339(v) !== undefined,
    'write a time with its zone, for example 2026-01-31T12:00:00Z',
    { type: 'string', format: 'date-time' },
  )

declare const inMs: unique symbol
/** Marks what a key with a duration is read as: its name in `Config` ends in `Ms`. */
export type Milliseconds = number & { readonly [inMs]: true }

/** A Go duration between two bounds (ms), read as milliseconds. */
export const milliseconds = (minMs: number, maxMs: number) =>
  duration(minMs, maxMs).transform((text) => tryParseDuration(text) as Milliseconds)

/** Name of a tier. */
export const tierName = () =>
  leaf<string>(
    (v) => typeof v === 'string' && v.length <= 63 && TIER_NAME.test(v),
    'write lower-case letters, digits and -, beginning and ending with a letter or digit, for example hot',
    { type: 'string', pattern: TIER_NAME.source, maxLength: 63 },
  )

/** An http(s) URL without user and password: those would end up in logs. */
export const url = (example: string) =>
  leaf<string>(
    isPlainUrl,
    `write an http or https URL without user and password, for example ${example}`,
    { type: 'string', pattern: '^https?://[^/@]+(/|$)' },
  )

/** Values of one kind by any name. */
export const record = <T extends z.ZodType>(value: T) => z.record(z.string(), value)

/** In characters, as Kubernetes counts them; most values are short enough however they are counted. */
function fits(value: string, longest: number): boolean {
  return (
    value.length <= longest || (value.length <= 2 * longest && Array.from(value).length <= longest)
  )
}

function isPlainUrl(value: unknown): boolean {
  if (typeof value !== 'string' || !URL.canParse(value)) return false
  const { protocol, username, password } = new URL(value)
  return /^https?:$/.test(protocol) && username === '' && password === ''
}

function isBetween(value: number | undefined, min: number, max: number): boolean {
  return value !== undefined && value >= min && value <= max
}
