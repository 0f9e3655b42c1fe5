import { replayFleet } from './fleet-replay.ts'
import { guardsOf, singleGuards } from './guards.ts'
import type { GuardSettings } from './guards.ts'
import { costPerInterval, references, score } from './score.ts'
import type { References, Score } from './score.ts'
import { summarize } from './summary.ts'
import type { Summary } from './summary.ts'
import { startOf } from './types.ts'
import type { Load, Move, RuleFactory, Setting } from './types.ts'

export type Row = { readonly name: string; readonly about: string; readonly summary: Summary }

export type VolumeReport = {
  readonly load: Load
  readonly moves: readonly Move[]
  readonly score: Score
  readonly references: References
}

/** Money of the whole fleet up to the end of each point, per plan. */
export type Curve = { readonly name: string; readonly cumulative: readonly number[] }

export type Report = {
  readonly setting: Setting
  readonly ruleName: string
  /** The rule first, then what it is compared with; the exact optimum last. */
  readonly rows: readonly Row[]
  /** The rule under each guard alone and under all; empty without guards. */
  readonly guards: readonly Row[]
  readonly volumes: readonly VolumeReport[]
  readonly curves: readonly Curve[]
  readonly hoursPerPoint: number
  readonly hours: number
  /** What the reader must know about the input. */
  readonly notices: readonly string[]
}

export type ReportOptions = {
  readonly setting: Setting
  readonly loads: readonly Load[]
  readonly ruleName: string
  readonly rule: RuleFactory
  readonly guards?: GuardSettings
  readonly notices?: readonly string[]
  /** Called now and then with the work done so far, 0 to 1. */
  readonly onProgress?: (share: number) => void
}

const POINTS = 240

/** Replays the fleet and works out what every other plan would have cost. Pure but for `onProgress`. */
export function makeReport(options: ReportOptions): Report {
  const { setting, loads, ruleName, guards: settings } = options
  const variants = settings === undefined ? [] : guardVariants(settings)
  const steps = loads.length * (2 + variants.length)
  let done = 0
  const step = () => options.onProgress?.(++done / steps)
  const play = (guards?: GuardSettings) => replayed(options, guards, step)
  const moves = play()
  const refs = loads.map((load) => {
    step()
    return references(setting, load)
  })
  const rowOf = (name: string, about: string, plans: readonly (readonly Move[])[]): Row => ({
    name,
    about,
    summary: summarize(
      loads.map((load, i) => ({
        score: score(setting, load, plans[i] ?? []),
        references: refs[i]!,
      })),
    ),
  })
  const guarded = variants.map((v) => ({ ...v, moves: play(v.settings) }))
  const final = guarded.at(-1)?.moves ?? moves
  const plans = comparedPlans(setting, loads, refs)
  const rows = [
    rowOf(ruleName, 'the rule', final),
    ...plans.map((p) => rowOf(p.name, p.about, p.moves)),
  ]
  const hours = Math.max(0, ...loads.map((l) => l.demand.length)) * setting.intervalHours
  return {
    setting,
    ruleName,
    rows,
    guards:
      guarded.length === 0
        ? []
        : [
            rowOf('no guards', 'the rule alone', moves),
            ...guarded.map((g) => rowOf(g.name, '', g.moves)),
          ],
    volumes: loads.map((load, i) => ({
      load,
      moves: final[i]!,
      score: score(setting, load, final[i]!),
      references: refs[i]!,
    })),
    ...curvesOf(setting, loads, [{ name: ruleName, moves: final }, ...plans]),
    hours,
    notices: options.notices ?? [],
  }
}

function guardVariants(settings: GuardSettings) {
  const singles = singleGuards(settings).map((g) => ({ ...g, name: `only ${g.name}` }))
  return [...singles, { name: 'all guards', settings }]
}

function replayed(
  { setting, loads, rule }: ReportOptions,
  guards: GuardSettings | undefined,
  step: () => void,
): readonly (readonly Move[])[] {
  const all: (readonly Move[])[] = []
  for (const moves of replayFleet(setting, loads, rule, guards && guardsOf(guards))) {
    all.push(moves)
    step()
  }
  return all
}

type Plan = {
  readonly name: string
  readonly about: string
  readonly moves: readonly (readonly Move[])[]
}

function comparedPlans(
  setting: Setting,
  loads: readonly Load[],
  refs: readonly References[],
): readonly Plan[] {
  const to = (tier: number) => (load: Load) => {
    const from = startOf(setting, load)
    return tier === from ? [] : [{ after: 0, from, to: tier }]
  }
  return [
    { name: 'all-hot', about: 'everything on the fastest tier', moves: loads.map(to(0)) },
    { name: 'stay', about: 'nothing ever moved', moves: loads.map(() => []) },
    {
      name: 'best-static',
      about: 'the best single tier of each volume, in hindsight',
      moves: loads.map((load, i) => to(refs[i]!.bestStaticTier)(load)),
    },
    {
      name: 'optimum',
      about: 'the cheapest plan there was, in hindsight',
      moves: refs.map((r) => r.optimumMoves),
    },
  ]
}

function curvesOf(
  setting: Setting,
  loads: readonly Load[],
  plans: readonly Pick<Plan, 'name' | 'moves'>[],
): Pick<Report, 'curves' | 'hoursPerPoint'> {
  const intervals = Math.max(0, ...loads.map((l) => l.demand.length))
  const perPoint = Math.max(1, Math.ceil(intervals / POINTS))
  const curves = plans.map(({ name, moves }) => {
    const points = new Float64Array(Math.ceil(intervals / perPoint))
    loads.forEach((load, i) => {
      costPerInterval(setting, load, moves[i] ?? []).forEach((cost, k) => {
        const at = Math.floor(k / perPoint)
        points[at] = points[at]! + cost
      })
    })
    let sum = 0
    return { name, cumulative: Array.from(points, (cost) => (sum += cost)) }
  })
  return { curves, hoursPerPoint: perPoint * setting.intervalHours }
}

/** The volumes by how much money their placement decided, the most first. */
export function volumesThatMatter(report: Report, most: number): readonly VolumeReport[] {
  const stake = ({ score: own, references: r }: VolumeReport) =>
    Math.max(own.cost, r.allHot) - r.optimum
  return report.volumes.toSorted((a, b) => stake(b) - stake(a)).slice(0, most)
}
