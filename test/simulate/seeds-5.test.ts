import { describe } from 'vitest'
import { playSeeds } from './play-seeds.ts'

describe('the operator on a simulated cloud in which volumes are replaced too', () => {
  playSeeds(1, 15, { replacing: true })
})
