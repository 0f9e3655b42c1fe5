import { basename } from 'node:path'
import { nearest } from '../api/nearest.ts'
import { UserError } from '../errors.ts'
import { VERSION } from '../version.ts'
import type { Command } from './command.ts'

type Commands = Readonly<Record<string, Command>>

/** Nothing may limp on after an error nobody handled: the next process starts from what is saved. */
function dieOn(event: 'uncaughtException' | 'unhandledRejection'): void {
  process.on(event, (e: unknown) => {
    const text = e instanceof Error ? (e.stack ?? e.message) : String(e)
    process.stderr.write(
      `${JSON.stringify({ level: 'fatal', time: new Date().toISOString(), event, err: text, msg: 'unhandled error; exiting' })}\n`,
    )
    process.exit(1)
  })
}

/** The same file is a plugin of kubectl under the name kubectl-couchestor. */
function programName(): string {
  return basename(process.argv[1] ?? '').startsWith('kubectl-')
    ? 'kubectl couchestor'
    : 'couchestor'
}

function usage(commands: Commands): string {
  const lines = Object.entries(commands).map(([name, c]) => `  ${name.padEnd(14)}${c.about}`)
  return [
    `Usage: ${programName()} <command> [flags]`,
    '',
    'Commands:',
    ...lines,
    '',
    `${programName()} <command> --help tells the flags; ${programName()} --version the version.`,
    '',
  ].join('\n')
}

async function exitCodeOf(commands: Commands, argv: readonly string[]): Promise<number> {
  const [name = '--help', ...args] = argv
  if (name === '--help' || name === '-h' || name === 'help') {
    process.stdout.write(usage(commands))
    return 0
  }
  if (name === '--version' || name === 'version') {
    process.stdout.write(`couchestor ${VERSION} (Node.js ${process.versions.node})\n`)
    return 0
  }
  const command = commands[name]
  if (command === undefined) {
    const likely = nearest(name, Object.keys(commands))
    process.stderr.write(
      `couchestor has no command "${name}"${likely === undefined ? '' : `; did you mean ${likely}?`}\n\n${usage(commands)}`,
    )
    return 2
  }
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(await command.help())
    return 0
  }
  return command.run(args)
}

/** Runs the command that `process.argv` names, and sets the exit code. */
export async function runProgram(commands: Commands): Promise<void> {
  dieOn('uncaughtException')
  dieOn('unhandledRejection')
  try {
    process.exitCode = await exitCodeOf(commands, process.argv.slice(2))
  } catch (e) {
    if (!(e instanceof UserError)) throw e
    process.stderr.write(`couchestor: ${e.message}\n`)
    process.exitCode = 2
  }
}
