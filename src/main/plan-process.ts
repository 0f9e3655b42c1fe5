import { readFlags } from '../cli/flags.ts'
import { PLAN_FLAGS, runPlan } from '../cli/plan/run-plan.ts'
import { READING_FLAGS, readingDeps } from './cluster-clients.ts'
import { interrupted } from './interrupted.ts'
import { systemTerminal } from './system-terminal.ts'

export const PLAN_COMMAND_FLAGS = { ...PLAN_FLAGS, ...READING_FLAGS }

/** `couchestor plan`. Resolves to the exit code. */
export async function runPlanCommand(args: readonly string[]): Promise<number> {
  const flags = readFlags('plan', args, PLAN_COMMAND_FLAGS)
  const { deps } = await readingDeps(flags, systemTerminal)
  return runPlan(flags, deps, systemTerminal, interrupted())
}
