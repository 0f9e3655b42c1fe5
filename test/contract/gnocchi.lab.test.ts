import { describeLab } from '../lab/describe-lab.ts'
import { gnocchiContract } from './gnocchi.suite.ts'
import { labTarget } from './lab-target.ts'

gnocchiContract('the lab', labTarget, describeLab)
