import { describeLab } from '../lab/describe-lab.ts'
import { cinderContract } from './cinder.suite.ts'
import { labTarget } from './lab-target.ts'

cinderContract('the lab', labTarget, describeLab)
