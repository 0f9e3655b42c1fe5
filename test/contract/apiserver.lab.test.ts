import { describe, it } from 'vitest'
import { lab } from '../lab/env.ts'
import { apiServerContract } from './apiserver.suite.ts'
import { labTarget } from './target-apiserver.ts'

const real = lab

if (real === undefined) describe.skip('the real API server', () => it('needs the lab', () => {}))
else apiServerContract('the real API server', () => labTarget(real))
