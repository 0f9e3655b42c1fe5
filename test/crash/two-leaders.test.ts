import { expect, it } from 'vitest'
import { Chaos } from './chaos.ts'
import { withCronJob } from './replacement-scenes.ts'
import { broken, forcedMove, missing, SCENARIOS } from './scenarios.ts'

const RUNS_PER_TEST = 250
const TROUBLE_MS = 150_000
const LONGEST_CALM_MS = 900_000

async function problemsOf(seed: number): Promise<string[]> {
  // mostly the short scene, now and then one with history
  const scene =
    seed % 25 === 0 ? SCENARIOS['an idle volume goes to the cold tier']!() : forcedMove()
  const { clock, world } = scene
  const configYaml = 'tasks: {resources: {every: 1m}}'
  const chaos = new Chaos({ clock, world, configYaml, broken: () => broken(scene) }, seed)
  await chaos.run(TROUBLE_MS)
  await chaos.calmDown(() => missing(scene).length === 0, LONGEST_CALM_MS)
  return [...chaos.violations, ...missing(scene)].map((problem) => `seed ${seed}: ${problem}`)
}

it.each([0, 1, 2, 3])(
  'two controllers in trouble never move a volume twice, and always finish (part %i)',
  async (part) => {
    const problems: string[] = []
    for (let seed = part * RUNS_PER_TEST; seed < (part + 1) * RUNS_PER_TEST; seed++)
      problems.push(...(await problemsOf(seed)))
    expect(problems.slice(0, 10), `${problems.length} in all`).toEqual([])
  },
  300_000,
)

/** With a CronJob that comes while the volume is copied, or while both are kept. */
async function problemsOfReplacement(seed: number): Promise<string[]> {
  const scene = withCronJob(seed % 2 === 0 ? 'Copying' : 'Soaking')
  const chaos = new Chaos(scene, seed)
  await chaos.run(TROUBLE_MS)
  await chaos.calmDown(() => scene.unfinished().length === 0, 2 * LONGEST_CALM_MS)
  return [...chaos.violations, ...scene.unfinished(), ...scene.wrong()].map(
    (problem) => `seed ${seed}: ${problem}`,
  )
}

it('two controllers in trouble lose nothing of a claim that gets another volume, and make nothing twice', async () => {
  const problems: string[] = []
  for (let seed = 0; seed < 20; seed++) problems.push(...(await problemsOfReplacement(seed)))
  expect(problems.slice(0, 10), `${problems.length} in all`).toEqual([])
}, 300_000)
