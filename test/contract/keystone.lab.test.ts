import { describeLab } from '../lab/describe-lab.ts'
import { keystoneContract } from './keystone.suite.ts'
import { labTarget } from './lab-target.ts'

keystoneContract('the lab', labTarget, describeLab)
