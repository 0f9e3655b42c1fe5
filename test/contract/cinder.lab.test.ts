import { describe, it } from 'vitest'
import { lab } from '../lab/env.ts'
import { cinderContract } from './cinder.suite.ts'
import { labTarget } from './lab-target.ts'

if (lab === undefined)
  describe('Cinder of the lab', () => {
    it.skip('runs only with the lab up (npm run lab up)', () => {})
  })
else {
  const found = lab
  cinderContract('Cinder of the lab', () => labTarget(found))
}
