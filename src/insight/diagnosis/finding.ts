import type { FindingCode } from './catalogue.ts'
import { CATALOGUE } from './catalogue.ts'
import type { Group, Severity } from './groups.ts'

export type Finding = {
  readonly severity: Severity
  readonly code: FindingCode
  readonly group: Group
  /** With field and value. */
  readonly what: string
  readonly why: string
  /** A command or a line of YAML, or whom to ask for what. */
  readonly fix: string
}

/** What was checked and is as it should be. */
export type Passed = { readonly severity: 'ok'; readonly text: string }
export type Line = Passed | Finding

export function ok(text: string): Passed {
  return { severity: 'ok', text }
}

/** A finding of the catalogue, with a more exact fix or reason where the case at hand allows one. */
export function finding(
  code: FindingCode,
  what: string,
  exact: { readonly fix?: string | undefined; readonly why?: string } = {},
): Finding {
  const { severity, group, why, fix } = CATALOGUE[code]
  return { severity, code, group, what, why: exact.why ?? why, fix: exact.fix ?? fix }
}

/** A check that could not be made. */
export function notChecked(group: Group, topic: string, why: string, fix?: string): Finding {
  return { ...finding('NotChecked', `${topic}: ${why}`, { fix }), group }
}

/** `[]` for a condition that does not hold. */
export function when(holds: boolean, ...lines: readonly Line[]): readonly Line[] {
  return holds ? lines : []
}

/** Up to three of them, and how many more: a fleet-wide fault must not become a fleet of lines. */
export function some(names: readonly string[]): string {
  const shown = names.slice(0, 3).join(', ')
  return names.length > 3 ? `${shown} and ${names.length - 3} more` : shown
}

/** `1 volume`, `2 volumes`. */
export function counted(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`
}
