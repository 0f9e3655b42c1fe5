import { describe } from 'vitest'
import { replacementMatrix } from './replacement-matrix.ts'

describe('a claim that gets another volume', () => {
  // all of them: replacement-every-io.long.test.ts
  replacementMatrix(17)
})
