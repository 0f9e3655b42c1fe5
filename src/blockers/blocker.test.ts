import { expect, it } from 'vitest'
import { blockOf } from './blocker.ts'

it('a block whose sentence is made late keeps it in a copy', () => {
  const block = blockOf('OutsideSchedule', () => 'it opens at two')
  expect({ action: 'wait', ...block }).toEqual({
    action: 'wait',
    reason: 'OutsideSchedule',
    message: 'it opens at two',
  })
})

it('makes the sentence only for who reads it', () => {
  let made = 0
  const block = blockOf('OutsideSchedule', () => `made ${++made} times`)
  expect(block.reason).toBe('OutsideSchedule')
  expect(made).toBe(0)
})
