import { keystoneContract } from './keystone.suite.ts'
import { simTarget } from './sim-target.ts'

keystoneContract('Keystone of the simulator', simTarget)
