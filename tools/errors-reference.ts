import { ERROR_CODES } from '../src/error-codes.ts'

/** docs/errors.md: every code of a mistake that a person can fix. */
export function errorsReference(): string {
  const names = Object.keys(ERROR_CODES).map((code) => `\`${code}\``)
  const meanings = Object.values(ERROR_CODES)
  const widths = [Math.max(...names.map(length)), Math.max(...meanings.map(length))] as const
  const row = (a: string, b: string): string =>
    `| ${a.padEnd(widths[0])} | ${b.padEnd(widths[1])} |`
  return [
    '# Error codes',
    '',
    'Mistakes that a user can fix are reported as one sentence on standard error (exit code 2) or in a condition, with field, value and',
    'fix. Made from `src/error-codes.ts` by `npm run generate`. What a VolumeMigration, a StoragePolicy or an event can say is',
    'in [reference-reasons.md](reference-reasons.md).',
    '',
    row('Code', 'Meaning'),
    `| ${'-'.repeat(widths[0])} | ${'-'.repeat(widths[1])} |`,
    ...names.map((name, i) => row(name, meanings[i]!)),
    '',
  ].join('\n')
}

const length = (text: string): number => text.length
