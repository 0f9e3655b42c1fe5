import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/**
 * The agent works for some milliseconds twice a minute, on every node: memory is expensive and speed is not. Its code stays
 * interpreted, since V8's compilers hold 12 MB; its garbage is collected early, in one thread. 500 disks need 5 MB.
 */
const FLAGS = [
  '--no-opt',
  '--no-maglev',
  '--no-sparkplug',
  '--single-threaded-gc',
  '--max-semi-space-size=1',
  '--max-old-space-size=16',
]
/** One pool of memory for all threads of the C library. */
const ENVIRONMENT = { MALLOC_ARENA_MAX: '1' }

/**
 * Turns this process into the agent's own, small bundle where that stands beside the bundle of everything: the same
 * process id with almost half the memory. Returns where it does not, as when run from source.
 */
export function becomeLeanAgent(args: readonly string[]): void {
  const here = fileURLToPath(import.meta.url)
  const file = here.replace(/couchestor(\.m?js)$/, 'couchestor-agent$1')
  if (file === here || !existsSync(file)) return
  // those of the image are for the other commands, and its share of the machine's memory would outdo the limit above
  const { NODE_OPTIONS: _, ...environment } = process.env
  process.execve?.(
    process.execPath,
    [process.execPath, ...FLAGS, ...process.execArgv, file, 'agent', ...args],
    { ...ENVIRONMENT, ...environment },
  )
}
