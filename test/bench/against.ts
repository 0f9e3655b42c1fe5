import { join } from 'node:path'
import type { Cycle, CycleCode } from './cycles.ts'
import { CycleRunner, least, median } from './cycles.ts'
import { compileCycle, compileCycleOf } from './programs.ts'

/** Share of the other version's processor time from which a version is slower, at the size that is checked. */
export const MOST_PROCESSOR_RATIO = 1.3
export const CHECKED_VOLUMES = 1000

const FLEET_AGE_SECONDS = 2 * 3600

export type Comparison = {
  readonly volumes: number
  readonly base: readonly Cycle[]
  readonly here: readonly Cycle[]
}

/** Both versions as programs in `dir`. */
export async function compileBoth(
  commit: string,
  dir: string,
): Promise<{ readonly base: string; readonly here: string }> {
  const programs = { base: join(dir, 'base.mjs'), here: join(dir, 'here.mjs') }
  await compileCycleOf(commit, programs.base)
  await compileCycle(programs.here)
  return programs
}

/**
 * The same fleet twice, a version on each, one window here and one there: what else the machine does meets both. Which of
 * them begins changes from round to round.
 */
export async function compare(
  volumes: number,
  rounds: number,
  programs: { readonly base: string; readonly here: string },
  probe: string,
): Promise<Comparison> {
  const fleet = { volumes, managed: true, ageSeconds: FLEET_AGE_SECONDS }
  const code = (program: string): CycleCode => ({ program, probe })
  const base = await CycleRunner.start(fleet, code(programs.base))
  const here = await CycleRunner.start(fleet, code(programs.here))
  const result = { volumes, base: [] as Cycle[], here: [] as Cycle[] }
  try {
    for (let round = 0; round < rounds; round++) {
      const turns = [
        async () => void result.base.push(await base.cycle()),
        async () => void result.here.push(await here.cycle()),
      ]
      for (const turn of round % 2 === 0 ? turns : turns.reverse()) await turn()
    }
    return result
  } finally {
    await Promise.all([base.end(), here.end()])
  }
}

/**
 * Ratio of processor times that is judged by: the lesser of the two that noise could have raised. What disturbs a cycle
 * only ever makes it longer.
 */
export function processorRatio({ base, here }: Comparison): number {
  return Math.min(
    median(here, 'cpu') / median(base, 'cpu'),
    least(here, 'cpu') / least(base, 'cpu'),
  )
}

const ROWS = [
  ['wall time of a cycle', 'seconds', 's'],
  ['processor time of a cycle', 'cpu', 's'],
  ['anonymous memory', 'anonymousMB', 'MB'],
  ['RSS', 'rssMB', 'MB'],
  ['longest block of the event loop', 'blockMs', 'ms'],
] as const

/** Medians of both versions and their ratios, as aligned text. */
export function comparisonTable({ volumes, base, here }: Comparison, commit: string): string {
  const head = [`${volumes} volumes, medians of ${here.length}`, commit, 'here', 'ratio']
  const rows = ROWS.map(([what, key, unit]) => {
    const [was, is] = [median(base, key), median(here, key)]
    const shown = (n: number) => `${n < 10 ? n.toFixed(2) : n.toFixed(0)} ${unit}`
    return [what, shown(was), shown(is), (is / was).toFixed(2)]
  })
  const all = [head, ...rows]
  const widths = head.map((_, i) => Math.max(...all.map((r) => r[i]!.length)))
  return all
    .map((r) =>
      r.map((c, i) => (i === 0 ? c.padEnd(widths[i]!) : c.padStart(widths[i]!))).join('  '),
    )
    .join('\n')
}
