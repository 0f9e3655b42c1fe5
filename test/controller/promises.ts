import { afterEach, beforeEach, expect } from 'vitest'
import { Stage } from './stage.ts'

/** Every test of the file asks the oracles of the simulation too. */
export function keepPromises(): void {
  beforeEach(() => {
    Stage.made = []
  })
  afterEach(() => {
    expect(Stage.made?.flatMap(({ witness }) => witness.violations())).toEqual([])
  })
}
