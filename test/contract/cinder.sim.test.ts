import { cinderContract } from './cinder.suite.ts'
import { simTarget } from './sim-target.ts'

cinderContract('the simulator', simTarget)
