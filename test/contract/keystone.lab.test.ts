import { describe, it } from 'vitest'
import { lab } from '../lab/env.ts'
import { keystoneContract } from './keystone.suite.ts'
import { labTarget } from './lab-target.ts'

if (lab === undefined)
  describe('Keystone of the lab', () => {
    it.skip('runs only with the lab up (npm run lab up)', () => {})
  })
else {
  const found = lab
  keystoneContract('Keystone of the lab', () => labTarget(found))
}
