import { existsSync, readFileSync } from 'node:fs'

export type Counts = { readonly passed: number; readonly failed: number; readonly skipped: number }

export type Report = Counts & {
  /** "file: full name" of each skipped test. */
  readonly skippedTests: readonly string[]
  /** "file: full name", and below it the first lines of its error, of each failed test, hook and file. */
  readonly failures: readonly string[]
}

const NOTHING: Report = { passed: 0, failed: 0, skipped: 0, skippedTests: [], failures: [] }

/**
 * What the reporter of report-reporter.ts has written. `succeeded` is vitest's exit code's word: a run that failed
 * without a failed test (a file that does not load, a hook that throws, no report at all) counts as one failure, so that
 * no red run looks green.
 */
export function readReport(file: string, succeeded: boolean): Report {
  const report = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Report) : NOTHING
  const hidden = report.failed === 0 && !succeeded ? 1 : 0
  return { ...report, failed: report.failed + hidden }
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
