import { replacementContract } from './pv-replacement.suite.ts'
import { simReplacement } from './pv-target.ts'

replacementContract('the simulated API server', simReplacement)
