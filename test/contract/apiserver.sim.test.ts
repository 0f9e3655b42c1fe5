import { apiServerContract } from './apiserver.suite.ts'
import { simTarget } from './target-apiserver.ts'

apiServerContract('the simulated API server', simTarget)
