import { basename } from 'node:path'
import { nearest } from '../api/nearest.ts'
import { commandList } from '../cli/help.ts'
import { printable } from '../cli/table.ts'
import { UserError } from '../errors.ts'
import { VERSION } from '../version.ts'
import type { Command } from './command.ts'

type Commands = Readonly<Record<string, Command>>

/** 0: done. 1: done, and the answer is no (findings, moves that wait). 2: could not be done; one sentence says why. */
const COULD_NOT = 2
const DEFAULT_COLUMNS = 80

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

/** `| head` has read enough: that is no error, and nothing is left to print. */
function endQuietlyWithItsReader(): void {
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', (e: NodeJS.ErrnoException) => {
      if (e.code === 'EPIPE') process.exit(0)
      throw e
    })
}

/** The same file is a plugin of kubectl under the name kubectl-couchestor. */
function programName(): string {
  return basename(process.argv[1] ?? '').startsWith('kubectl-')
    ? 'kubectl couchestor'
    : 'couchestor'
}

/** Of the terminal, of COLUMNS where the output is piped, else 80. */
function columns(): number {
  const columns = Number(process.env['COLUMNS'])
  return process.stdout.columns || (columns > 0 ? columns : DEFAULT_COLUMNS)
}

function usage(commands: Commands): string {
  const name = programName()
  return [
    `Usage: ${name} <command> [flags]`,
    '',
    'Commands:',
    ...commandList(
      Object.entries(commands).map(([command, { about }]) => [command, about]),
      columns(),
    ),
    '',
    `Run "${name} <command> --help" for details on a command,`,
    `"${name} --version" for the version.`,
    '',
  ].join('\n')
}

const HELP = new Set(['--help', '-h', 'help'])
const VERSIONS = new Set(['--version', '-v', '-V', 'version'])

async function exitCodeOf(commands: Commands, argv: readonly string[]): Promise<number> {
  const [first = '--help', ...rest] = argv
  // `help plan` is `plan --help`
  const asksHelp = HELP.has(first)
  const [name, ...args] = asksHelp ? [...rest.slice(0, 1), '--help'] : [first, ...rest]
  if (name === undefined || (asksHelp && (name.startsWith('-') || HELP.has(name)))) {
    process.stdout.write(usage(commands))
    return 0
  }
  if (VERSIONS.has(name)) {
    process.stdout.write(`couchestor ${VERSION} (Node.js ${process.versions.node})\n`)
    return 0
  }
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (command === undefined) {
    const likely = nearest(name, Object.keys(commands))
    const what = name.startsWith('-') ? 'flag' : 'command'
    process.stderr.write(
      `couchestor: unknown ${what}: ${name}${likely === undefined ? '' : `, did you mean ${likely}?`}\n\n${usage(commands)}`,
    )
    return COULD_NOT
  }
  if (asksForHelp(args)) {
    process.stdout.write(await command.help(columns()))
    return 0
  }
  return command.run(args)
}

/** What stands after `--` is no flag. */
function asksForHelp(args: readonly string[]): boolean {
  const end = args.indexOf('--')
  const flags = end < 0 ? args : args.slice(0, end)
  return flags.includes('--help') || flags.includes('-h')
}

/** Resolves when everything written so far has left the process, or cannot leave it any more. */
function written(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => void stream.write('', () => resolve()))
}

/**
 * Runs the command that `process.argv` names and exits with its code. A timer, socket or request that a command has
 * left behind must not keep its process: a controller that lost its lease would never be restarted.
 */
export async function runProgram(commands: Commands): Promise<void> {
  dieOn('uncaughtException')
  dieOn('unhandledRejection')
  endQuietlyWithItsReader()
  let code = COULD_NOT
  try {
    code = await exitCodeOf(commands, process.argv.slice(2))
  } catch (e) {
    if (!(e instanceof UserError)) throw e
    // it may quote what somebody wrote into the cluster, or what Cinder answered
    process.stderr.write(`couchestor: ${e.message.split('\n').map(printable).join('\n')}\n`)
  }
  process.exitCode = code
  await Promise.all([written(process.stdout), written(process.stderr)])
  process.exit(code)
}
