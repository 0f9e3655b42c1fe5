import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { addCounts, countLine, failureLines, readReport } from './report.ts'
import type { Report } from './report.ts'
import { REPORT_FILE } from './report-reporter.ts'

const FILES = {
  'good.test.ts': `it('holds', () => {})\nit.skip('is skipped', () => {})`,
  'bad.test.ts': `describe('a move', () => { it('is made once', () => { throw new Error('made twice') }) })`,
  'hook.test.ts': `describe('a lab', () => {
    beforeAll(() => { throw new Error('no disk') })
    it('never runs', () => {})
  })`,
  'unloadable.test.ts': `throw new Error('no such module')`,
}

let folder: string

/** What vitest itself does with such a file, in a process of its own. */
function reportOf(...names: (keyof typeof FILES)[]): Report {
  const dir = join(folder, names.join('-'))
  const file = join(dir, 'report.json')
  mkdirSync(dir)
  for (const name of names)
    writeFileSync(
      join(dir, name),
      `import { beforeAll, describe, it } from 'vitest'\n${FILES[name]}`,
    )
  writeFileSync(join(dir, 'vitest.config.js'), 'export default { test: { exclude: [] } }')
  const reporter = `--reporter=${join(import.meta.dirname, 'report-reporter.ts')}`
  const { status } = spawnSync('node_modules/.bin/vitest', ['run', '--root', dir, reporter], {
    env: { ...process.env, [REPORT_FILE]: file },
  })
  return readReport(file, status === 0)
}

beforeAll(() => {
  mkdirSync('node_modules/.cache', { recursive: true })
  // vitest is found from there
  folder = mkdtempSync('node_modules/.cache/report-')
})
afterAll(() => rmSync(folder, { recursive: true }))

describe('the line of counts', () => {
  it('adds up all projects, names what was skipped, and says at the end what failed and why', () => {
    const good = reportOf('good.test.ts')
    const bad = reportOf('bad.test.ts')
    expect(countLine(addCounts(good, bad))).toBe('1 passed, 1 failed, 1 skipped')
    expect(good.skippedTests).toEqual([expect.stringMatching(/good\.test\.ts: is skipped$/)])
    expect(failureLines([good])).toBe('')
    expect(failureLines([good, bad])).toMatch(
      /^\nFailed:\n\S+bad\.test\.ts: a move > is made once\n {4}Error: made twice\n/,
    )
  })
  it('counts a failure when a hook throws, and says which and why', () => {
    const report = reportOf('hook.test.ts')
    expect(countLine(report)).toBe('0 passed, 1 failed, 1 skipped')
    expect(failureLines([report])).toMatch(/hook\.test\.ts: a lab\n {4}Error: no disk\n/)
  })
  it('counts a failure when a file does not load, and says which and why', () => {
    const report = reportOf('unloadable.test.ts')
    expect(countLine(report)).toBe('0 passed, 1 failed, 0 skipped')
    expect(failureLines([report])).toMatch(/unloadable\.test\.ts\n {4}Error: no such module\n/)
  })
  it('counts a failure when there is no report', () => {
    expect(readReport(join(folder, 'missing.json'), false).failed).toBe(1)
  })
})
