import { readFlags } from '../cli/flags.ts'
import { QUOTA_FLAGS, runQuota } from '../cli/quota/run-quota.ts'
import { READING_FLAGS, readingDeps } from './cluster-clients.ts'
import { interrupted } from './interrupted.ts'
import { systemTerminal } from './system-terminal.ts'

export const QUOTA_COMMAND_FLAGS = { ...QUOTA_FLAGS, ...READING_FLAGS }

/** `couchestor quota`. Resolves to the exit code. */
export async function runQuotaCommand(args: readonly string[]): Promise<number> {
  const flags = readFlags('quota', args, QUOTA_COMMAND_FLAGS)
  const { deps } = await readingDeps(flags, systemTerminal)
  return runQuota(flags, deps, systemTerminal, interrupted())
}
