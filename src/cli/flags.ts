import { parseArgs } from 'node:util'
import { nearest } from '../api/nearest.ts'
import { UserError } from '../errors.ts'

export type FlagSpec = {
  /** What stands for the value in the help; without it the flag is a switch, true or false. */
  readonly value?: string
  /** The only values there are. */
  readonly choices?: readonly string[]
  /** Least and most of a whole number. */
  readonly whole?: readonly [number, number]
  /** Of http or https. */
  readonly url?: true
  /** One letter, as kubectl has it. */
  readonly short?: string
  readonly help: string
  readonly default?: string
}

export type FlagSpecs = Readonly<Record<string, FlagSpec>>
/** `-o json|yaml` of the commands that print a table. */
export const OUTPUT_FLAG = {
  value: 'json|yaml',
  choices: ['json', 'yaml'],
  short: 'o',
  help: 'another form than a table',
} as const satisfies FlagSpec

export type Flags = Readonly<Record<string, string | undefined>>

/** What a command takes beside flags. */
export type Words = {
  readonly least: number
  readonly most: number
  /** What they are, for the message when they are too few or too many; empty = none. */
  readonly usage: string
  /** Throws `UserError` for words and flags that cannot be meant together. */
  readonly check?: (words: readonly string[], flags: Flags) => void
}

export type CommandLine = { readonly flags: Flags; readonly words: readonly string[] }

const NO_WORDS: Words = { least: 0, most: 0, usage: '' }

/**
 * Reads `--flag value`, `--flag=value`, a bare switch (= "true"), short names (`-n NAME`, `-oyaml`) and words. Everything
 * that can be known to be wrong without any request is refused here, in one `UserError`: an unknown flag with the
 * nearest right one, a value that is none of the choices, too few or too many words.
 */
export function readCommandLine(
  command: string,
  args: readonly string[],
  specs: FlagSpecs,
  words: Words,
): CommandLine {
  const names = Object.keys(specs)
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries(
      Object.entries(specs).map(([name, { value, short }]) => [
        name,
        {
          type: value === undefined ? ('boolean' as const) : ('string' as const),
          ...(short === undefined ? {} : { short }),
        },
      ]),
    ),
    strict: false,
    allowPositionals: true,
    tokens: true,
  })
  const values: Record<string, string | undefined> = {}
  const found: string[] = []
  for (const token of tokens) {
    if (token.kind === 'positional') found.push(token.value)
    if (token.kind !== 'option') continue
    const spec = specs[token.name]
    if (spec === undefined) throw wrong(command, unknownFlag(token.rawName, token.name, names))
    values[token.name] = valueOf(command, token.name, spec, token)
  }
  if (found.length < words.least || found.length > words.most)
    throw wrong(command, wordsMessage(command, found, words))
  for (const [name, spec] of Object.entries(specs)) checkValue(name, spec, values[name])
  const defaults = Object.fromEntries(names.map((name) => [name, specs[name]?.default]))
  const flags = { ...defaults, ...values }
  words.check?.(found, flags)
  return { flags, words: found }
}

/** The flags of a command that takes nothing else. */
export function readFlags(command: string, args: readonly string[], specs: FlagSpecs): Flags {
  return readCommandLine(command, args, specs, NO_WORDS).flags
}

type Option = {
  readonly rawName: string
  readonly value?: string | undefined
  readonly inlineValue?: boolean | undefined
}

function valueOf(command: string, name: string, spec: FlagSpec, token: Option): string {
  if (spec.value === undefined) return token.value ?? 'true'
  const needs = `--${name} needs a value (${spec.choices?.join(', ') ?? spec.value})`
  const { value = '', inlineValue, rawName } = token
  // `--config -o json`: a forgotten value must not swallow the next flag
  if (inlineValue !== true && /^--?[a-z]/i.test(value))
    throw wrong(command, `${needs}, not the flag ${value}; write --${name}=${value} if that is it`)
  // -o=yaml
  const text = rawName.startsWith('--') ? value : value.replace(/^=/, '')
  if (text.trim() === '') throw wrong(command, needs)
  return text
}

function checkValue(name: string, spec: FlagSpec, text: string | undefined): void {
  if (text === undefined) return
  if (spec.value === undefined) booleanFlag({ [name]: text }, name)
  if (spec.whole !== undefined) numberFlag({ [name]: text }, name, ...spec.whole)
  if (spec.url === true && !/^https?:$/.test(URL.parse(text)?.protocol ?? ''))
    // the text may hold a password
    throw new UserError('FlagsInvalid', `--${name} is no URL`, {
      fix: 'write one like http://prometheus:9090',
    })
  if (spec.choices !== undefined) oneOf({ [name]: text }, name, spec.choices)
}

function wordsMessage(command: string, found: readonly string[], { usage }: Words): string {
  const said = found.length === 0 ? '' : `, not "${found.join(' ')}"`
  return usage === '' ? `${command} takes only flags${said}` : `${command} needs ${usage}${said}`
}

function unknownFlag(raw: string, name: string, known: readonly string[]): string {
  const likely = nearest(name, known)
  return `unknown flag: ${raw}${likely === undefined ? '' : ` (did you mean --${likely}?)`}`
}

function wrong(command: string, what: string): UserError {
  return new UserError('FlagsInvalid', what, { fix: `see couchestor ${command} --help` })
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
  if (value !== undefined) return value
  const likely = nearest(text, values)
  throw new UserError('FlagsInvalid', `--${name}: "${text}" is not one of ${values.join(', ')}`, {
    fix: likely && `did you mean ${likely}?`,
  })
}

/** A whole number between the bounds, or a `UserError` that names flag, value and fix. */
export function numberFlag(flags: Flags, name: string, least: number, most: number): number {
  const text = flags[name] ?? ''
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= least && value <= most) return value
  throw new UserError(
    'FlagsInvalid',
    `--${name}: "${text}" is not a whole number from ${least} to ${most}`,
  )
}

/** true or false, or a `UserError`. */
export function booleanFlag(flags: Flags, name: string): boolean {
  const text = flags[name]
  if (text === 'true' || text === 'false') return text === 'true'
  throw new UserError('FlagsInvalid', `--${name}: "${text}" is neither true nor false`)
}
