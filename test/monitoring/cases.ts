import type { AlertCase } from './alert-case.ts'
import { CONTROLLER_CASES } from './cases/controller.ts'
import { MOVE_CASES } from './cases/moves.ts'
import { NODE_CASES } from './cases/node.ts'
import { OPENSTACK_CASES } from './cases/openstack.ts'
import { POLICY_CASES } from './cases/policies.ts'
import { USAGE_CASES } from './cases/usage.ts'

/** For each alert when it fires, and when it does not. */
export const CASES: readonly AlertCase[] = [
  ...CONTROLLER_CASES,
  ...USAGE_CASES,
  ...MOVE_CASES,
  ...POLICY_CASES,
  ...OPENSTACK_CASES,
  ...NODE_CASES,
]
