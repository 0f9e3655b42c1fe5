import { describe } from 'vitest'
import { replacementMatrix } from './replacement-matrix.ts'

describe('a claim that gets another volume', () => {
  replacementMatrix(1)
})
