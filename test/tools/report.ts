import { existsSync, readFileSync } from 'node:fs'

export type Counts = { readonly passed: number; readonly failed: number; readonly skipped: number }

export type Report = Counts & {
  /** "file: full name" of each skipped test. */
  readonly skippedTests: readonly string[]
  /** "file: full name", and below it the first lines of its error, of each failed test; of a file that failed as a whole, its own. */
  readonly failures: readonly string[]
}

type JsonReport = {
  testResults: {
    name: string
    status: string
    message?: string
    assertionResults: { fullName: string; status: string; failureMessages?: string[] }[]
  }[]
}

const ERROR_LINES = 12

function firstLines(text: string): string {
  const lines = text.split('\n').slice(0, ERROR_LINES)
  return lines.map((line) => `    ${line}`).join('\n')
}

/**
 * Counts vitest's JSON report. `succeeded` is its exit code's word: a run that failed without a failed test (a file that
 * does not load, a hook that throws, no report at all) counts as one failure, so that no red run looks green.
 */
export function readReport(file: string, succeeded: boolean): Report {
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '{"testResults":[]}'
  const { testResults } = JSON.parse(text) as JsonReport
  const tests = testResults.flatMap((f) =>
    f.assertionResults.map((t) => ({ name: `${f.name}: ${t.fullName}`, status: t.status })),
  )
  const passed = tests.filter((t) => t.status === 'passed').length
  const failed = tests.filter((t) => t.status === 'failed').length
  const skippedTests = tests
    .filter((t) => t.status !== 'passed' && t.status !== 'failed')
    .map((t) => t.name)
  const hidden = failed === 0 && !succeeded ? 1 : 0
  const failures = testResults.flatMap((f) => {
    const ofTests = f.assertionResults
      .filter((t) => t.status === 'failed')
      .map((t) => `${f.name}: ${t.fullName}\n${firstLines(t.failureMessages?.join('\n') ?? '')}`)
    if (ofTests.length > 0 || f.status !== 'failed') return ofTests
    return [`${f.name}\n${firstLines(f.message ?? '')}`]
  })
  return { passed, failed: failed + hidden, skipped: skippedTests.length, skippedTests, failures }
}

export function addCounts(a: Counts, b: Counts): Counts {
  return {
    passed: a.passed + b.passed,
    failed: a.failed + b.failed,
    skipped: a.skipped + b.skipped,
  }
}

/** What failed, once more and in short: in a long log the end is what is kept and read. */
export function failureLines(reports: readonly Report[]): string {
  const failures = reports.flatMap((r) => r.failures)
  return failures.length === 0 ? '' : `\nFailed:\n${failures.join('\n')}\n`
}

/** The last line of `npm test`, which machines read. */
export function countLine({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`
}
