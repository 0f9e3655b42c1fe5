import { lab } from '../lab/env.ts'
import { apiServerContract } from './apiserver.suite.ts'
import { labTarget } from './target-apiserver.ts'

apiServerContract(
  'the real API server',
  lab === undefined ? undefined : () => Promise.resolve(labTarget(lab!)),
)
