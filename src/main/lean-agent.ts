import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/**
 * Turns this process into the agent's own, small bundle where that stands beside the bundle of everything: same
 * process id, same environment, a third less memory. Returns where it does not, as when run from source.
 */
export function becomeLeanAgent(args: readonly string[]): void {
  const file = fileURLToPath(import.meta.url).replace(/couchestor(\.m?js)$/, 'couchestor-agent$1')
  if (file === fileURLToPath(import.meta.url) || !existsSync(file)) return
  process.execve?.(process.execPath, [
    process.execPath,
    ...process.execArgv,
    file,
    'agent',
    ...args,
  ])
}
