import { describeLab } from '../lab/describe-lab.ts'
import { theLab } from '../lab/env.ts'
import { workloadContract } from './workloads.suite.ts'
import { labWorkloads } from './workloads-target.ts'

workloadContract(
  'the real API server and controller manager',
  () => labWorkloads(theLab()),
  describeLab,
)
