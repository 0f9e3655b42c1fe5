import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ERROR_CODES } from './error-codes.ts'

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
