import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '..')
const CODE = /new UserError\(\s*'([^']+)'/g

function codesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .flatMap((file) =>
      [...readFileSync(join(folder, file), 'utf8').matchAll(CODE)].map((m) => m[1]!),
    )
}

describe('error codes', () => {
  const page = readFileSync(join(root, 'docs', 'errors.md'), 'utf8')
  const documented = page
    .split('\n')
    .flatMap((line) =>
      line.startsWith('| `')
        ? [...line.split('|')[1]!.matchAll(/`([^`]+)`/g)].map((m) => m[1]!)
        : [],
    )
  const used = new Set(codesIn(join(root, 'src')))

  it('are all explained in docs/errors.md', () => {
    expect([...used].filter((code) => !documented.includes(code))).toEqual([])
  })

  it('that docs/errors.md explains all exist, the one of a refused login included', () => {
    // AuthenticationError passes its code on through a subclass
    expect(
      documented.filter((code) => !used.has(code) && code !== 'OpenStackAuthentication'),
    ).toEqual([])
  })
})
