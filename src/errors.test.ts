import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { errorsReference } from '../tools/errors-reference.ts'
import { ERROR_CODES, FORMER_CODES } from './error-codes.ts'
import { UserError } from './errors.ts'

const CODE = /(?:new UserError|super)\(\s*'([^']+)'/g

describe('error codes', () => {
  it('that are explained are all given somewhere', () => {
    const used = readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
      .flatMap((file) => [...readFileSync(join(import.meta.dirname, file), 'utf8').matchAll(CODE)])
      .map(([, code]) => code)
    expect(Object.keys(ERROR_CODES).filter((code) => !used.includes(code))).toEqual([])
  })
})

describe('codes', () => {
  it('are all written like reasons', () => {
    for (const code of Object.keys(ERROR_CODES)) expect(code).toMatch(/^([A-Z][a-z]+)+$/)
  })

  it('have their former spelling beside them in docs/errors.md', () => {
    const page = errorsReference()
    for (const [code, former] of Object.entries(FORMER_CODES))
      expect(page).toMatch(new RegExp(`^\\| \`${code}\` .*Formerly \`${former}\``, 'm'))
  })
})

describe('a mistake of a user', () => {
  it.each([
    ['x is 5', 'write 1 to 3', 'x is 5: write 1 to 3'],
    ['f: x is 5', 'write 1 to 3', 'f: x is 5; write 1 to 3'],
    [
      'f cannot be read (ENOENT: no such file)',
      'mount it',
      'f cannot be read (ENOENT: no such file): mount it',
    ],
    ['it is too late', undefined, 'it is too late'],
  ])('%j with the fix %j is one sentence', (what, fix, sentence) => {
    const e = new UserError('FlagsInvalid', what, { fix })
    expect(e).toMatchObject({ what, fix, message: sentence })
  })
})
