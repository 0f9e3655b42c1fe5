import { existsSync, readFileSync } from 'node:fs'

export type Counts = { readonly passed: number; readonly failed: number; readonly skipped: number }

export type Report = Counts & {
  /** "file: full name" of each skipped test. */
  readonly skippedTests: readonly string[]
}

type JsonReport = {
  testResults: {
    name: string
    status: string
    assertionResults: { fullName: string; status: string }[]
  }[]
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
  return { passed, failed: failed + hidden, skipped: skippedTests.length, skippedTests }
}

export function addCounts(a: Counts, b: Counts): Counts {
  return {
    passed: a.passed + b.passed,
    failed: a.failed + b.failed,
    skipped: a.skipped + b.skipped,
  }
}

/** The last line of `npm test`, which machines read. */
export function countLine({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`
}
