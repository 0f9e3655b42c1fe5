import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { AUDIT_FLAGS, AUDIT_WORDS, runAudit } from '../cli/audit/run-audit.ts'
import { readCommandLine } from '../cli/flags.ts'
import { UserError } from '../errors.ts'
import { systemTerminal } from './system-terminal.ts'

/** `couchestor audit`. Resolves to the exit code. */
export function runAuditCommand(args: readonly string[]): Promise<number> {
  const line = readCommandLine('audit', args, AUDIT_FLAGS, AUDIT_WORDS)
  return runAudit(line, systemTerminal, linesOf)
}

async function* linesOf(path: string): AsyncIterable<string> {
  // nobody types lines of an audit, and a command that waits for them seems to hang
  if (path === '-' && process.stdin.isTTY)
    throw new UserError('FlagsInvalid', 'audit has nothing to read', {
      fix: 'give --file PATH, or a pipe: kubectl -n couchestor-system logs -l component=controller --tail=-1 | couchestor audit pvc/NAME',
    })
  const input = path === '-' ? process.stdin : createReadStream(path)
  yield* createInterface({ input, crlfDelay: Infinity })
}
