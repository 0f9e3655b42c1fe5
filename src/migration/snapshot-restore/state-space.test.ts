import { describe, expect, it } from 'vitest'
import { explore } from '../explore.fixture.ts'
import type { Exploration } from '../explore.fixture.ts'
import { BROKEN } from './broken.fixture.ts'
import { BROKEN_BY_BACKUP } from './broken-backup.fixture.ts'
import { nextReplaceStep } from './machine.ts'
import { rule } from './rules.fixture.ts'
import { events } from './state-space.fixture.ts'
import type { Machine } from './state-space.fixture.ts'
import { isFinished, WORLDS } from './world.fixture.ts'
import type { State } from './world.fixture.ts'

const BY_BACKUP = WORLDS.filter(({ world }) => world.via === 'backup')

/** Of each world, until something is wrong in one. */
function* search(machine: Machine, worlds = WORLDS): Generator<Exploration<State>> {
  for (const start of worlds) yield explore(start, (at) => events(machine, at), rule, isFinished)
}

function isSound(machine: Machine, worlds = WORLDS): boolean {
  for (const { broken, deadEnd } of search(machine, worlds))
    if (broken !== undefined || deadEnd !== undefined) return false
  return true
}

describe('every state that a move by snapshot-restore can come into', () => {
  it(
    'loses no data, leaves nothing behind, deletes nothing of others, and has a way to an end',
    {
      timeout: 240_000,
    },
    () => {
      for (const { states, broken, deadEnd } of search(nextReplaceStep)) {
        process.stdout.write(`${states} states of a move by snapshot-restore\n`)
        expect(broken).toBeUndefined()
        expect(deadEnd).toBeUndefined()
        expect(states).toBeGreaterThan(8_000)
      }
    },
  )

  it.each(BROKEN)(
    'would show what is wrong with a machine that %s',
    { timeout: 300_000 },
    (_, machine) => {
      expect(isSound(machine)).toBe(false)
    },
  )

  it.each(BROKEN_BY_BACKUP)(
    'would show what is wrong with a machine that, by backup, %s',
    { timeout: 120_000 },
    (_, machine) => {
      expect(isSound(machine, BY_BACKUP)).toBe(false)
    },
  )
})
