import { describe, expect, it } from 'vitest'
import { callsOfAWholeRun, deathsAt, killedAt } from './killing.ts'
import type { Play } from './killing.ts'
import { broken, missing, needless, SCENARIOS } from './scenarios.ts'
import type { Scene } from './scenarios.ts'

describe.each(Object.entries(SCENARIOS))('%s', (_, make) => {
  it('ends the same, with no retype more, whichever call the controller is killed at', async () => {
    const calls = await callsOfAWholeRun(playOf(make()))
    expect(calls.length).toBeGreaterThan(60)
    const failures: string[] = []
    for (const [index, call] of calls.entries())
      for (const death of deathsAt(call))
        for (const problem of await killedAt(playOf(make()), index, death))
          failures.push(`killed at call ${index} (${call.method} ${call.url}) ${death}: ${problem}`)
    expect(failures.slice(0, 10), `${failures.length} in all`).toEqual([])
  })
})

function playOf(scene: Scene): Play {
  const { clock, world } = scene
  return {
    clock,
    world,
    configYaml: 'tasks: {resources: {every: 1m}}',
    missing: () => missing(scene),
    wrong: () => [...broken(scene), ...needless(scene)],
  }
}
