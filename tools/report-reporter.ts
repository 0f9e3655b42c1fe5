import { writeFileSync } from 'node:fs'
import type { Reporter, TestModule } from 'vitest/node'
import type { Report } from './report.ts'

/** Where this reporter writes: a variable, since vitest gives a reporter of one's own no options on its command line. */
export const REPORT_FILE = 'COUCHESTOR_TEST_REPORT'

const ERROR_LINES = 12

type Failure = { readonly message: string; readonly stack?: string | undefined }

function failureText(name: string, errors: readonly Failure[]): string {
  const text = errors.map((e) => e.stack ?? e.message).join('\n')
  const lines = text.split('\n').slice(0, ERROR_LINES)
  return [name, ...lines.map((line) => `    ${line}`)].join('\n')
}

/** Of a hook or of loading the file: vitest's own JSON report keeps the errors of tests only. */
function failuresOutsideTests(module: TestModule): readonly string[] {
  const suites = [...module.children.allSuites()].map((s) => ({
    name: `${module.moduleId}: ${s.fullName}`,
    errors: s.errors(),
  }))
  return [{ name: module.moduleId, errors: module.errors() }, ...suites]
    .filter(({ errors }) => errors.length > 0)
    .map(({ name, errors }) => failureText(name, errors))
}

/** Writes a `Report` of the run to the file that REPORT_FILE names. */
export default class ReportReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly Failure[]): void {
    const tests = modules.flatMap((module) =>
      [...module.children.allTests()].map((test) => ({
        name: `${module.moduleId}: ${test.fullName}`,
        ...test.result(),
      })),
    )
    const failed = tests.filter((t) => t.state === 'failed')
    const skipped = tests.filter((t) => t.state === 'skipped' || t.state === 'pending')
    const report: Report = {
      passed: tests.length - failed.length - skipped.length,
      failed: failed.length,
      skipped: skipped.length,
      skippedTests: skipped.map((t) => t.name),
      failures: [
        ...failed.map((t) => failureText(t.name, t.errors ?? [])),
        ...modules.flatMap(failuresOutsideTests),
        ...(unhandled.length > 0 ? [failureText('outside every test', unhandled)] : []),
      ],
    }
    writeFileSync(process.env[REPORT_FILE] ?? '', JSON.stringify(report))
  }
}
