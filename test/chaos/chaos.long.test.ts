import { afterAll, describe, expect, it } from 'vitest'
import { buildController } from '../lab/controller-process.ts'
import { lab } from '../lab/env.ts'
import { failuresIn, reportOf, sumOf } from './figures.ts'
import type { ChaosFigures } from './figures.ts'
import { planOf } from './plan.ts'
import { playChaos } from './run.ts'

// CHAOS_MOVES and CHAOS_SEED: how many moves, and the first seed; each seed plays twelve.

const MOVES = Number(process.env['CHAOS_MOVES'] ?? 100)
const FIRST_SEED = Number(process.env['CHAOS_SEED'] ?? 1)
const SIZE = { claims: 6, waves: 2, troublesPerWave: 5 }
const SEEDS = Array.from(
  { length: Math.ceil(MOVES / (SIZE.claims * SIZE.waves)) },
  (_, i) => FIRST_SEED + i,
)

const isWanted = process.env['COUCHESTOR_LAB'] === '1' && lab !== undefined
if (!isWanted)
  process.stderr.write(
    'The moves under chaos are skipped: they need COUCHESTOR_LAB=1 and a running lab (npm run lab up all).\n',
  )

const all: ChaosFigures[] = []

describe.skipIf(!isWanted)('moves on real parts while these are killed', () => {
  afterAll(() => {
    process.stdout.write(`In all:\n${reportOf(sumOf(all))}`)
  })

  it.for(SEEDS)(
    'end with the data whole, and each act done once (seed %i)',
    { timeout: 1_800_000 },
    async (seed) => {
      if (all.length === 0) await buildController()
      const figures = await playChaos(planOf(seed, SIZE))
      all.push(figures)
      process.stdout.write(reportOf(figures))
      expect(failuresIn(figures)).toEqual([])
    },
  )
})
