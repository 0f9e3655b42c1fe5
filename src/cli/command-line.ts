import { UserError } from '../errors.ts'
import { readFlags } from './flags.ts'
import type { Flags, FlagSpec } from './flags.ts'

export type CommandLine = { readonly flags: Flags; readonly words: readonly string[] }

/** What the commands for people share: short names as kubectl has them. */
const SHORT: Readonly<Record<string, string>> = { n: 'namespace', o: 'output' }

/**
 * Flags as `readFlags` does, with short names (`-n NAMESPACE`, `-oyaml`), and words that are no flags. Throws one
 * `UserError` for too few or too many words; `usage` names them.
 */
export function readCommandLine(
  command: string,
  args: readonly string[],
  specs: Readonly<Record<string, FlagSpec>>,
  words: { readonly least: number; readonly most: number; readonly usage: string },
): CommandLine {
  const flagArgs: string[] = []
  const found: string[] = []
  const rest = [...args]
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    if (!arg.startsWith('-') || arg === '-') {
      found.push(arg)
      continue
    }
    const long = arg.startsWith('--') ? arg : longName(command, arg)
    flagArgs.push(long)
    const takesValue = specs[long.slice(2)]?.value !== undefined
    if (takesValue && rest[0] !== undefined) flagArgs.push(rest.shift()!)
  }
  if (found.length < words.least || found.length > words.most)
    throw new UserError(
      'FLAGS',
      `${command} wants ${words.usage || 'flags only'}${found.length === 0 ? '' : `, not "${found.join(' ')}"`}. See couchestor ${command} --help`,
    )
  return { flags: readFlags(command, flagArgs, specs), words: found }
}

/** `-n` as `--namespace`, `-nprod` and `-n=prod` as `--namespace=prod`. */
function longName(command: string, arg: string): string {
  const long = SHORT[arg[1] ?? '']
  if (long === undefined)
    throw new UserError('FLAGS', `${arg} is no flag. See couchestor ${command} --help`)
  const value = arg.slice(2).replace(/^=/, '')
  return value === '' ? `--${long}` : `--${long}=${value}`
}

/** One of `values`, or a `UserError` that names them. */
export function oneOf<T extends string>(
  flags: Flags,
  name: string,
  values: readonly T[],
): T | undefined {
  const text = flags[name]
  if (text === undefined) return undefined
  const value = values.find((v) => v === text)
  if (value === undefined)
    throw new UserError('FLAGS', `--${name}: "${text}" is none of ${values.join(', ')}`)
  return value
}
