import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { addCounts, countLine, failureLines, readReport } from './report.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'couchestor-report-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

function reportOf(...statuses: string[]): string {
  const file = join(folder, `${statuses.join('-')}.json`)
  const assertionResults = statuses.map((status, i) => ({ fullName: `test ${i}`, status }))
  writeFileSync(
    file,
    JSON.stringify({ testResults: [{ name: 'a.test.ts', status: 'x', assertionResults }] }),
  )
  return file
}

describe('the line of counts', () => {
  it('adds up all projects', () => {
    const a = readReport(reportOf('passed', 'passed', 'pending'), true)
    const b = readReport(reportOf('failed', 'passed', 'todo', 'skipped'), false)
    expect(countLine(addCounts(a, b))).toBe('3 passed, 1 failed, 3 skipped')
  })
  it('names the tests that were skipped', () => {
    expect(readReport(reportOf('passed', 'skipped'), true).skippedTests).toEqual([
      'a.test.ts: test 1',
    ])
  })
  it.each([
    ['a file did not load', () => reportOf('passed')],
    ['there is no report', () => join(folder, 'missing.json')],
  ])('counts a failure when %s', (_, file) => {
    expect(readReport(file(), false).failed).toBe(1)
  })
  it('says at the end what failed and why, also of a file that did not load', () => {
    const file = join(folder, 'failures.json')
    const failed = {
      fullName: 'moves twice',
      status: 'failed',
      failureMessages: ['expected 1 to be 2\n  at a.test.ts:3'],
    }
    const testResults = [
      { name: 'a.test.ts', status: 'failed', assertionResults: [failed] },
      { name: 'b.test.ts', status: 'failed', message: 'no such module', assertionResults: [] },
    ]
    writeFileSync(file, JSON.stringify({ testResults }))
    const report = readReport(file, false)
    expect(failureLines([report])).toBe(
      [
        '',
        'Failed:',
        'a.test.ts: moves twice',
        '    expected 1 to be 2',
        '      at a.test.ts:3',
        'b.test.ts',
        '    no such module',
        '',
      ].join('\n'),
    )
    expect(failureLines([readReport(reportOf('passed'), true)])).toBe('')
  })
})
