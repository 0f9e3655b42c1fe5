import { expect, it } from 'vitest'
import { COMMANDS } from './commands.ts'
import { DECISION_COMMANDS } from './decision-processes.ts'

it.each(Object.entries(COMMANDS))('%s says the same in the list and in its help', async (_, c) => {
  expect(await c.help(1000)).toContain(`\n${c.about}\n`)
})

it('every decision that a person can make is in the list', () => {
  expect(Object.keys(COMMANDS)).toEqual(expect.arrayContaining(Object.keys(DECISION_COMMANDS)))
})
