import { expect, it } from 'vitest'
import { NOT_FOUND_YET, PLANTED_FAULTS } from './faults.ts'
import { sourceOf } from './plant.ts'

const ALL = [...PLANTED_FAULTS, ...NOT_FOUND_YET]

it.each(ALL)('"$name" still has its one place in the product', (fault) => {
  expect(sourceOf(fault).split(fault.text)).toHaveLength(2)
  expect(fault.replacement).not.toBe(fault.text)
})

it('the planted faults have names of their own', () => {
  const names = ALL.map(({ name }) => name)
  expect(new Set(names).size).toBe(names.length)
})
