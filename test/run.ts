import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { addCounts, countLine, failureLines, readReport } from '../tools/report.ts'
import type { Report } from '../tools/report.ts'
import { REPORT_FILE } from '../tools/report-reporter.ts'
import { whyNoLab } from '../tools/lab-permission.ts'

const LAB = ['test', 'lab', 'lab'].join('/')

// `npm test`: every test there is, on real parts where that is allowed, and one line of counts at the end.

const reports = mkdtempSync(join(tmpdir(), 'couchestor-test-'))
const ci = process.env['CI'] === 'true'
const say = (text: string): void => void process.stdout.write(`${text}\n`)

function run(program: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): boolean {
  const options = { stdio: 'inherit', env: { ...process.env, ...env } } as const
  return spawnSync(program, args, options).status === 0
}

function vitest(projects: readonly string[], env: NodeJS.ProcessEnv = {}): Report {
  const file = join(reports, `${projects.join('-')}.json`)
  const chosen = projects.flatMap((p) => ['--project', p])
  const reporters = ['--reporter=default', '--reporter=./tools/report-reporter.ts']
  const args = ['run', '--passWithNoTests', ...chosen, ...reporters]
  const passed = run('vitest', args, { ...env, [REPORT_FILE]: file })
  return readReport(file, passed)
}

const labStatus = (): string => {
  const answer = spawnSync(LAB, ['status'], { encoding: 'utf8' })
  return answer.stdout
}

/**
 * Downloads and compiles what the lab is made of, beside the tests that need none of it. Whatever goes wrong here goes wrong
 * again, and is reported, when the lab is started.
 */
async function preparing<T>(work: () => T): Promise<T> {
  const parts = ['packages', 'build', 'tools']
  const child = spawn('nice', ['-n', '10', LAB, 'up', ...parts], { stdio: 'ignore' })
  const ended = Promise.race([once(child, 'exit'), once(child, 'error')])
  const done = work()
  await ended.catch(() => {})
  return done
}

/** Runs the tests on real parts, in a lab that is stopped afterwards only when this started it. */
function realParts(): Report {
  const running = !labStatus().includes('nothing runs')
  // what a crashed lab left behind cannot be continued: its data was in memory
  if (!running) run(LAB, ['down'])
  try {
    if (!run(LAB, ['up', 'all'])) {
      say('The lab did not come up: no test on real parts ran.')
      return {
        passed: 0,
        failed: 1,
        skipped: 0,
        skippedTests: [],
        failures: ['the lab did not come up'],
      }
    }
    return vitest(['real'])
  } finally {
    if (!running && process.env['COUCHESTOR_LAB_KEEP'] !== '1') run(LAB, ['down'])
  }
}

function skippedRealParts(reason: string): Report {
  // no such directory: the tests see no lab, whatever a machine has lying about
  const report = vitest(['real'], { COUCHESTOR_LAB_DIR: join(reports, 'none') })
  if (report.skipped === 0) return report
  say(`\nSkipped ${report.skipped} tests on real parts: ${reason}`)
  for (const name of report.skippedTests) say(`  ${relative(process.cwd(), name)}`)
  return report
}

if (existsSync('src/main.ts') && !run('node', ['tools/build.ts'])) process.exit(1)
const reason = whyNoLab(process.env)
const quick = () => vitest(['unit', 'sim'])
const onSimulators = reason === undefined ? await preparing(quick) : quick()
const real = reason === undefined ? realParts() : skippedRealParts(reason)
rmSync(reports, { recursive: true })

const refused = ci && real.skipped > 0
if (refused)
  say(`\nRefused: with CI=true every test on real parts must run; ${real.skipped} did not.`)
const total = addCounts(onSimulators, real)
say(failureLines([onSimulators, real]))
say(countLine(total))
process.exitCode = total.failed > 0 || refused ? 1 : 0
