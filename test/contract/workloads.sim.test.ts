import { workloadContract } from './workloads.suite.ts'
import { simWorkloads } from './workloads-target.ts'

workloadContract('the simulated API server', simWorkloads)
