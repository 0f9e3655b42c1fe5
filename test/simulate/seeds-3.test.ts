import { describe } from 'vitest'
import { playSeeds } from './play-seeds.ts'

// several files, so that the cores share them
describe('the operator on a simulated cloud, with trouble at random', () => {
  playSeeds(51, 25)
})
