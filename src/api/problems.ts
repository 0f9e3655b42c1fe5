import type * as z from 'zod'

/**
 * One line per mistake: path, value, fix. A value that may hold a secret is described, not shown.
 * Unknown keys are reported by `unknownKey`, since only the caller knows what would be right.
 */
export function problemsOf(
  error: z.ZodError,
  raw: unknown,
  unknownKey: (path: readonly string[], key: string) => string = (path, key) =>
    `${[...path, key].join('.')} is unknown: remove it`,
): string[] {
  return error.issues.flatMap((issue) => {
    const path = issue.path.map(String)
    if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(path, key))
    const value = at(raw, path)
    return [`${pathText(path)} ${shown(value, path)}: ${fixOf(issue)}`]
  })
}

/** `spec.tiers[0].name`, as kubectl writes it. */
function pathText(path: readonly string[]): string {
  const joined = path.map((part) => (/^\d+$/.test(part) ? `[${part}]` : `.${part}`)).join('')
  return joined.replace(/^\./, '') || 'the document'
}

function fixOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_type') {
    if (issue.expected === 'array') return 'write a list'
    if (issue.expected === 'string') return 'write a text'
    if (issue.expected === 'number') return 'write a number'
    return 'write a mapping of keys to values'
  }
  return issue.message
}

function at(raw: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, key)
        ? (value as Record<string, unknown>)[key]
        : undefined,
    raw,
  )
}

function shown(value: unknown, path: readonly string[]): string {
  if (value === undefined) return 'is missing'
  if (value === null) return 'is empty'
  if (path.includes('headers')) return `is a ${typeof value}`
  if (Array.isArray(value)) return 'is a list'
  if (typeof value === 'object') return 'is a mapping'
  return `is ${JSON.stringify(withoutPassword(value)).slice(0, 200)}`
}

function withoutPassword(value: unknown): unknown {
  return typeof value === 'string' ? value.replace(/\/\/.*@/s, '//[hidden]@') : value
}
