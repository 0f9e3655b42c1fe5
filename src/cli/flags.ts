import { parseArgs } from 'node:util'
import { nearest } from '../api/nearest.ts'
import { UserError } from '../errors.ts'

export type FlagSpec = {
  readonly value?: string
  readonly help: string
  readonly default?: string
}

export type Flags = Readonly<Record<string, string | undefined>>

/**
 * Reads `--flag value`, `--flag=value` and bare `--flag` (= "true"). Throws one `UserError` for an unknown flag,
 * with the nearest right one, or for a word that is no flag.
 */
export function readFlags(
  command: string,
  args: readonly string[],
  specs: Readonly<Record<string, FlagSpec>>,
): Flags {
  const known = Object.keys(specs)
  const normal = args.map((a) => (isBare(a, specs) ? `${a}=true` : a))
  const { tokens } = parseArgs({
    args: normal,
    options: Object.fromEntries(known.map((name) => [name, { type: 'string' as const }])),
    strict: false,
    allowPositionals: true,
    tokens: true,
  })
  const values: Record<string, string | undefined> = {}
  for (const token of tokens) {
    if (token.kind === 'positional') throw wrong(command, `"${token.value}" is no flag`)
    if (token.kind !== 'option') continue
    if (!known.includes(token.name))
      throw wrong(command, unknownFlag(token.rawName, token.name, known))
    if (token.value === undefined)
      throw wrong(command, `--${token.name} needs a value (${specs[token.name]?.value})`)
    values[token.name] = token.value
  }
  return { ...Object.fromEntries(known.map((name) => [name, specs[name]?.default])), ...values }
}

function isBare(arg: string, specs: Readonly<Record<string, FlagSpec>>): boolean {
  return (
    arg.startsWith('--') &&
    specs[arg.slice(2)]?.value === undefined &&
    specs[arg.slice(2)] !== undefined
  )
}

function unknownFlag(raw: string, name: string, known: readonly string[]): string {
  const likely = nearest(name, known)
  return `${raw} is no flag of this command${likely === undefined ? '' : `; did you mean --${likely}?`}`
}

function wrong(command: string, what: string): UserError {
  return new UserError('FLAGS', `${what}. See couchestor ${command} --help`)
}

/** A whole number between the bounds, or a `UserError` that names flag, value and fix. */
export function numberFlag(flags: Flags, name: string, least: number, most: number): number {
  const text = flags[name] ?? ''
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= least && value <= most) return value
  throw new UserError(
    'FLAGS',
    `--${name}: "${text}" is not a whole number from ${least} to ${most}`,
  )
}

/** true or false, or a `UserError`. */
export function booleanFlag(flags: Flags, name: string): boolean {
  const text = flags[name]
  if (text === 'true' || text === 'false') return text === 'true'
  throw new UserError('FLAGS', `--${name}: "${text}" is neither true nor false`)
}

/** Help text of one command. */
export function helpOf(
  command: string,
  about: string,
  specs: Readonly<Record<string, FlagSpec>>,
): string {
  const lines = Object.entries(specs).map(([name, s]) => {
    const left = `  --${name}${s.value === undefined ? '' : ` ${s.value}`}`
    const defaults = s.default === undefined ? '' : ` (default ${s.default})`
    return `${left.padEnd(32)}${s.help}${defaults}`
  })
  return [`Usage: couchestor ${command} [flags]`, '', about, '', 'Flags:', ...lines, ''].join('\n')
}
