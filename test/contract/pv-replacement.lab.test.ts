import { describeLab } from '../lab/describe-lab.ts'
import { theLab } from '../lab/env.ts'
import { replacementContract } from './pv-replacement.suite.ts'
import { labReplacement } from './pv-target.ts'

replacementContract(
  'the real API server, provisioner and attacher',
  () => labReplacement(theLab()),
  describeLab,
)
