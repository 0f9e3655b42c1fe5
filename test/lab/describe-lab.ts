import { describe } from 'vitest'
import { lab } from './env.ts'

/** A `describe` for tests on real parts: skipped, and reported as skipped, where no lab is up. */
export const describeLab = lab === undefined ? describe.skip : describe
