import { cinderContract } from './cinder.suite.ts'
import { simTarget } from './sim-target.ts'

cinderContract('Cinder of the simulator', simTarget)
