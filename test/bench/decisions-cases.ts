import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { generateTrace } from '../../src/cli/backtest/generator.ts'
import { loadsOf, parseScenario } from '../../src/cli/backtest/scenario.ts'
import { references } from '../../src/cli/backtest/score.ts'
import type { References } from '../../src/cli/backtest/score.ts'
import { parseTrace } from '../../src/cli/backtest/trace.ts'
import type { TraceVolume } from '../../src/cli/backtest/trace.ts'
import type { Load, Setting } from '../../src/cli/backtest/types.ts'

/** One scenario with its volumes, and what they would cost without a rule. */
export type Case = {
  readonly name: string
  readonly setting: Setting
  readonly loads: readonly Load[]
  readonly references: readonly References[]
}

export type Cases = {
  readonly source: string
  readonly plain: readonly Case[]
  readonly capped: readonly Case[]
}

/** Recorded traces are no part of the project; they lie beside it, if at all. */
const RECORDED = join(import.meta.dirname, '..', '..', '..', 'shared')

export function hasRecorded(): boolean {
  return existsSync(join(RECORDED, 'scenarios'))
}

/** Every scenario beside the project on its recorded trace. */
export function recordedCases(): Cases {
  const traces = new Map<string, readonly TraceVolume[]>()
  const read = (folder: string) =>
    readdirSync(folder)
      .filter((name) => name.endsWith('.json'))
      .toSorted()
      .map((name) => {
        const scenario = parseScenario(readFileSync(join(folder, name), 'utf8'), name)
        const path = join(folder, scenario.trace ?? '')
        const trace = traces.get(path) ?? readTrace(path)
        traces.set(path, trace)
        return caseOf(scenario, trace, name)
      })
  return {
    source: 'recorded traces',
    plain: read(join(RECORDED, 'scenarios')),
    capped: read(join(RECORDED, 'scenarios', 'censored')),
  }
}

function readTrace(path: string): readonly TraceVolume[] {
  const bytes = readFileSync(path)
  return parseTrace((path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8'), path)
}

function caseOf(
  scenario: ReturnType<typeof parseScenario>,
  trace: readonly TraceVolume[],
  name: string,
): Case {
  const loads = loadsOf(scenario, trace, name)
  const { setting } = scenario
  return {
    name: setting.name.replace(/-censored$/, ''),
    setting,
    loads,
    references: loads.map((load) => references(setting, load)),
  }
}

const PRICES = [
  [20, 24],
  [5, 24],
  [100, 24],
  [20, 6],
  [20, 72],
] as const
/** Windows of a week and of four; requests are fewer than 4-KiB operations, about one in five. */
const LOADS = [
  { name: '4k-1w', windows: 336, scale: 1, limits: [250, 1000], prices: PRICES },
  { name: '4k-4w', windows: 1344, scale: 1, limits: [250, 1000], prices: PRICES },
  { name: 'req-1w', windows: 336, scale: 0.2, limits: [50, 200], prices: PRICES },
  { name: '4k-1w', windows: 336, scale: 1, limits: [500, 3000], prices: PRICES.slice(0, 1) },
  { name: '4k-4w', windows: 1344, scale: 1, limits: [500, 3000], prices: PRICES.slice(0, 1) },
] as const

/** The same scenarios on a generated fleet, for a project that stands alone. */
export function generatedCases(seed: number, volumes: number, regimeChanges = false): Cases {
  const trace = generateTrace({ seed, volumes, windows: 1344, regimeChanges })
  const cases = (censored: boolean) =>
    LOADS.flatMap((load) =>
      (['hot', 'warm'] as const).flatMap((startTier) =>
        load.prices.map(([rho, muHours]) => {
          const name = `${load.name}-${load.limits.join('_')}-${startTier}-rho${rho}-mu${muHours}`
          const text = JSON.stringify({
            name,
            intervalHours: 0.5,
            maxWindows: load.windows,
            demandScale: load.scale,
            tiers: [
              { name: 'cold', pricePerGiBMonth: 0.045, iops: { base: load.limits[0] } },
              { name: 'warm', pricePerGiBMonth: 0.08, iops: { base: load.limits[1] } },
              { name: 'hot', pricePerGiBMonth: 0.125, iops: null },
            ],
            startTier,
            rho,
            muHours,
            censored,
          })
          return caseOf(parseScenario(text, name), trace, name)
        }),
      ),
    )
  const source = `generated fleet, seed ${seed}, ${volumes} volumes${regimeChanges ? ', 30 % with a lasting change of load' : ''}`
  return { source, plain: cases(false), capped: cases(true) }
}
