import * as z from 'zod'
import { integer, number, text } from '../../api/fields.ts'
import { problemsOf } from '../../api/problems.ts'
import { messageOf, UserError } from '../../errors.ts'
import { sizedLimit } from '../../policy/sized-limit.ts'
import type { TraceVolume } from './trace.ts'
import type { Load, Setting } from './types.ts'

const MOST = 1e9

const limit = z.looseObject({
  base: number(0, MOST * 1000),
  perGiB: number(0, MOST).optional(),
  max: number(0, MOST * 1000).optional(),
})

const schema = z.looseObject({
  name: text(1000),
  trace: text(4096).optional(),
  intervalHours: number(1 / 3600, 24 * 365),
  repeat: integer(1, 10_000).optional(),
  maxWindows: integer(1, MOST).optional(),
  demandScale: z
    .union([number(0, MOST), z.record(z.string(), number(0, MOST))], {
      error: 'write a number from 0 up, or an object of volume names and such numbers',
    })
    .optional(),
  tiers: z
    .array(
      z.looseObject({
        name: text(63),
        pricePerGiBMonth: number(0, MOST),
        iops: z
          .union([z.null(), limit], {
            error: 'write null (no limit), or an object with base and, as needed, perGiB and max',
          })
          .optional(),
      }),
    )
    .min(1, { error: 'list at least one tier, slowest first' }),
  startTier: text(63),
  rho: number(0, MOST),
  muHours: number(0, MOST),
  moveCostPerGiB: number(0, MOST).optional(),
  censored: z
    .custom<boolean>((v) => typeof v === 'boolean', { error: 'write true or false' })
    .optional(),
})

export type Scenario = {
  readonly setting: Setting
  /** Path of the trace as written, relative to the scenario. */
  readonly trace: string | undefined
  readonly repeat: number
  readonly maxWindows: number
  readonly scaleOf: (volume: string) => number | undefined
}

/**
 * Reads a scenario file. Tiers are written slowest first and become fastest first. `name` is what a message calls the
 * file. Throws one `UserError` that lists every mistake with field, value and fix. Unknown fields are ignored.
 */
export function parseScenario(content: string, name: string): Scenario {
  const raw = parseJson(content, name)
  const parsed = schema.safeParse(raw)
  if (!parsed.success) throw wrong(name, problemsOf(parsed.error, raw).join('; '))
  const s = parsed.data
  const problems = [...tierProblems(s.tiers.map((t) => t.name)), ...startProblems(s)]
  if (problems.length > 0) throw wrong(name, problems.join('; '))
  const tiers = s.tiers.toReversed().map(({ name: tier, pricePerGiBMonth, iops }) => ({
    name: tier,
    pricePerGiBMonth,
    limitIops: iops ? sizedLimit(definedOnly(iops)) : () => Infinity,
  }))
  const { demandScale = 1 } = s
  return {
    setting: {
      name: s.name,
      intervalHours: s.intervalHours,
      tiers,
      startTier: tiers.findIndex((t) => t.name === s.startTier),
      money: { rho: s.rho, muHours: s.muHours, moveCostPerGiB: s.moveCostPerGiB ?? 0 },
      censored: s.censored ?? false,
    },
    trace: s.trace,
    repeat: s.repeat ?? 1,
    maxWindows: s.maxWindows ?? Infinity,
    scaleOf: (volume) =>
      typeof demandScale === 'number'
        ? demandScale
        : Object.hasOwn(demandScale, volume)
          ? demandScale[volume]
          : undefined,
  }
}

function definedOnly(iops: z.infer<typeof limit>): { base: number; perGiB?: number; max?: number } {
  const { base, perGiB, max } = iops
  return {
    base,
    ...(perGiB === undefined ? {} : { perGiB }),
    ...(max === undefined ? {} : { max }),
  }
}

function parseJson(content: string, name: string): unknown {
  try {
    return JSON.parse(content) as unknown
  } catch (e) {
    throw wrong(name, `is not JSON: ${messageOf(e)}`)
  }
}

function tierProblems(names: readonly string[]): string[] {
  return names.flatMap((name, i) =>
    names.indexOf(name) < i
      ? [`tiers[${i}].name is "${name}", as another tier before it: give each tier its own name`]
      : [],
  )
}

function startProblems({ startTier, tiers }: z.infer<typeof schema>): string[] {
  const names = tiers.map((t) => t.name)
  if (names.includes(startTier)) return []
  return [`startTier is "${startTier}": write one of ${names.join(', ')}`]
}

function wrong(name: string, what: string): UserError {
  return new UserError('BacktestScenarioInvalid', `${name}: ${what}`)
}

/**
 * The volumes of a trace as this scenario plays them: cut to `maxWindows`, repeated, operations turned into I/O
 * operations per second and scaled. Throws `UserError` for a volume that `demandScale` forgets.
 */
export function loadsOf(scenario: Scenario, trace: readonly TraceVolume[], name: string): Load[] {
  const { repeat, maxWindows, scaleOf, setting } = scenario
  return trace.map(({ id, sizeGiB, operations }) => {
    const scale = scaleOf(id)
    if (scale === undefined)
      throw wrong(name, `demandScale has no factor for volume "${id}" of the trace: add it`)
    const lines = operations.subarray(0, Math.min(operations.length, maxWindows))
    const demand = new Float64Array(lines.length * repeat)
    for (let k = 0; k < demand.length; k++)
      demand[k] = (lines[k % lines.length]! / (3600 * setting.intervalHours)) * scale
    return { id, sizeGiB, demand }
  })
}
