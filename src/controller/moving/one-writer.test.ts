import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const SOURCES = join(import.meta.dirname, '..', '..')
/** The machines say which step comes next; these files only name steps in types, or to show them. */
const MACHINES = /^migration\//
const WRITER = join('controller', 'moving', 'steps.ts')

/** Files that make a status with a step in it, by what they are written like. */
function writers(): string[] {
  return readdirSync(SOURCES, { recursive: true, encoding: 'utf8' })
    .filter((f) => f.endsWith('.ts') && !/\.(test|fixture)\.ts$/.test(f))
    .filter((f) => !MACHINES.test(f) && !/^(sim|monitoring)\//.test(f))
    .filter((f) => makesStep(readFileSync(join(SOURCES, f), 'utf8')))
}

function makesStep(source: string): boolean {
  const isStatus = source.includes('VolumeMigration')
  return isStatus && /\bstep: ('|step|stepOf|to\.|outcome\.|answer\.)|\bchanged\(/.test(source)
}

it('the step of a move is written in one place', () => {
  const others = writers().filter((f) => f !== join('controller', 'moving', 'migration-status.ts'))
  expect(others).toEqual([WRITER])
  const code = readFileSync(join(SOURCES, WRITER), 'utf8')
  expect(code.match(/\bchanged\(/g)).toHaveLength(1)
})

it('a second place would be seen', () => {
  const second = "save(m, { ...m.status, step: 'Failed' } as VolumeMigrationStatus)"
  expect(makesStep(second)).toBe(true)
  expect(makesStep('VolumeMigration; save(m, changed(m, change, now))')).toBe(true)
})
