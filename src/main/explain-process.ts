import { readCommandLine } from '../cli/flags.ts'
import { EXPLAIN_FLAGS, EXPLAIN_WORDS, runExplain } from '../cli/explain/run-explain.ts'
import { READING_FLAGS, readingDeps } from './cluster-clients.ts'
import { interrupted } from './interrupted.ts'
import { systemTerminal } from './system-terminal.ts'

export const EXPLAIN_COMMAND_FLAGS = { ...EXPLAIN_FLAGS, ...READING_FLAGS }

/** `couchestor explain`. Resolves to the exit code. */
export async function runExplainCommand(args: readonly string[]): Promise<number> {
  const line = readCommandLine('explain', args, EXPLAIN_COMMAND_FLAGS, EXPLAIN_WORDS)
  const { deps, namespace } = await readingDeps(line.flags, systemTerminal)
  return runExplain(line, deps, systemTerminal, interrupted(), namespace)
}
