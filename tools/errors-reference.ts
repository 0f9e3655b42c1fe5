import { ERROR_CODES, FORMER_CODES } from '../src/error-codes.ts'
import type { ErrorCode } from '../src/error-codes.ts'
import { table } from './reasons-reference.ts'

/** docs/errors.md: every code of a mistake that a person can fix. */
export function errorsReference(): string {
  const codes = Object.entries(ERROR_CODES) as [ErrorCode, string][]
  const rows = codes.map(([code, meaning]) => {
    const former = FORMER_CODES[code]
    return [`\`${code}\``, former === undefined ? meaning : `${meaning} Formerly \`${former}\`.`]
  })
  return [
    '# Error codes',
    '',
    'Mistakes that a user can fix are reported as one sentence on standard error (exit code 2) or in a condition, with field, value and',
    'fix. Made from `src/error-codes.ts` by `npm run generate`. What a VolumeMigration, a StoragePolicy or an event can say is',
    'in [reference-reasons.md](reference-reasons.md).',
    '',
    ...table(['Code', 'Meaning'], rows),
  ].join('\n')
}
