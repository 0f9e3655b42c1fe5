import { expect, it } from 'vitest'
import { PLANTED_FAULTS } from './faults.ts'
import { sourceOf } from './plant.ts'

it.each(PLANTED_FAULTS)('"$name" still has its one place in the product', (fault) => {
  expect(sourceOf(fault).split(fault.text)).toHaveLength(2)
  expect(fault.replacement).not.toBe(fault.text)
})

it('the planted faults have names of their own', () => {
  const names = PLANTED_FAULTS.map(({ name }) => name)
  expect(new Set(names).size).toBe(names.length)
})
