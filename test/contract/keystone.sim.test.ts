import { keystoneContract } from './keystone.suite.ts'
import { simTarget } from './sim-target.ts'

keystoneContract('the simulator', simTarget)
