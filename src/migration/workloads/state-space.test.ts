import { describe, expect, it } from 'vitest'
import { explore } from '../explore.fixture.ts'
import type { Exploration } from '../explore.fixture.ts'
import { BROKEN } from './broken.fixture.ts'
import { nextWorkloadStep } from './machine.ts'
import { events, rule } from './state-space.fixture.ts'
import type { Machine } from './state-space.fixture.ts'
import { isFinished, WORLDS } from './world.fixture.ts'
import type { State } from './world.fixture.ts'

/** Of each world, until something is wrong in one. */
function* search(machine: Machine): Generator<Exploration<State>> {
  for (const start of WORLDS) yield explore(start, (at) => events(machine, at), rule, isFinished)
}

function isSound(machine: Machine): boolean {
  for (const { broken, deadEnd } of search(machine))
    if (broken !== undefined || deadEnd !== undefined) return false
  return true
}

describe('every state that the stop of a workload can come into', () => {
  it(
    'stops at most once, restores what it has stopped, overwrites nothing of others, and has a way to an end',
    { timeout: 120_000 },
    () => {
      for (const { states, broken, deadEnd } of search(nextWorkloadStep)) {
        process.stdout.write(`${states} states of a stopped workload\n`)
        expect(broken).toBeUndefined()
        expect(deadEnd).toBeUndefined()
        expect(states).toBeGreaterThan(1_000)
      }
    },
  )

  it.each(BROKEN)(
    'would show what is wrong with a machine that %s',
    { timeout: 60_000 },
    (_, machine) => {
      expect(isSound(machine)).toBe(false)
    },
  )
})
