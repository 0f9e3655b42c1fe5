import { gnocchiContract } from './gnocchi.suite.ts'
import { simTarget } from './sim-target.ts'

gnocchiContract('the simulator', simTarget)
