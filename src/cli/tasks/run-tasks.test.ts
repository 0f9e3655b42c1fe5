import { load } from 'js-yaml'
import { expect, it } from 'vitest'
import type { ReportedTask } from '../../api/tiering-checkpoint.ts'
import { ApiError } from '../../kube/types.ts'
import type { KubeObject } from '../../kube/types.ts'
import { runTasks } from './run-tasks.ts'

const AT = Date.UTC(2026, 0, 20, 10)
const HEALTHY: ReportedTask = {
  name: 'report',
  every: '5m',
  lastRun: '2026-01-20T09:55:00.123Z',
  durationMs: 12,
  lastSuccess: '2026-01-20T09:55:00.135Z',
  failures: 0,
  nextRun: '2026-01-20T10:05:00.000Z',
}
const FAILING: ReportedTask = {
  name: 'resources',
  every: '1h',
  lastRun: '2026-01-20T09:59:00.000Z',
  durationMs: 61_240,
  failures: 3,
  lastError: 'Cinder: 503',
  nextRun: '2026-01-20T10:02:00.000Z',
}
const HANGING: ReportedTask = {
  name: 'orphans',
  every: '30s',
  runningSince: '2026-01-20T08:00:00.000Z',
  failures: 0,
}

/** Runs the command on what was saved at `AT`, `minutes` later. */
async function shows(
  tasks: readonly ReportedTask[] | undefined,
  { minutes = 1, output }: { minutes?: number; output?: string } = {},
) {
  const object = { metadata: {}, spec: { windowEnd: new Date(AT).toISOString(), tasks } }
  return run(() => Promise.resolve(object as unknown as KubeObject), { minutes, output })
}

async function run(
  get: () => Promise<KubeObject>,
  { minutes = 1, output }: { minutes?: number; output?: string | undefined } = {},
) {
  let out = ''
  let noted = ''
  const terminal = {
    out: (text: string) => void (out += text),
    note: (text: string) => void (noted += text),
    progress: () => {},
  }
  const code = await runTasks(
    { output },
    { kube: { get: get as never }, clock: { now: () => AT + minutes * 60_000 }, terminal },
  )
  return { code, out, noted }
}

it('shows a row for each task, with what failed, what runs and what comes next', async () => {
  const { code, out, noted } = await shows([HEALTHY, FAILING, HANGING])
  expect(out).toBe(`As of 2026-01-20T10:00:00Z

TASK       EVERY  LAST RUN                TOOK  LAST SUCCESS          FAILURES  NEXT RUN                            LAST ERROR
report     5m     2026-01-20T09:55:00Z   12 ms  2026-01-20T09:55:00Z         0  2026-01-20T10:05:00Z
resources  1h     2026-01-20T09:59:00Z  61.2 s  never                        3  2026-01-20T10:02:00Z                Cinder: 503
orphans    30s    never                         never                        0  running since 2026-01-20T08:00:00Z
`)
  expect([code, noted]).toEqual([0, ''])
})

it('gives the same as JSON and YAML', async () => {
  const saved = { at: '2026-01-20T10:00:00.000Z', tasks: [HEALTHY, FAILING] }
  const json = await shows(saved.tasks, { output: 'json' })
  expect(JSON.parse(json.out)).toEqual(saved)
  const yaml = await shows(saved.tasks, { output: 'yaml' })
  expect(load(yaml.out)).toEqual(saved)
})

it('says that nobody leads when what should have been saved was not', async () => {
  expect((await shows([HEALTHY], { minutes: 15 })).code).toBe(0)
  const { code, noted, out } = await shows([HEALTHY], { minutes: 16 })
  expect(code).toBe(1)
  expect(out).toContain('report')
  expect(noted).toContain('saved every 5m, and last at 2026-01-20T10:00:00Z: no controller leads')
})

it('says what to do when nothing was ever saved', async () => {
  const missing = new ApiError(404, 'NotFound', 'not found')
  const { code, noted, out } = await run(() => Promise.reject(missing))
  expect([code, out]).toEqual([1, ''])
  expect(noted).toContain('no controller has saved its scheduled tasks yet')
})

it('says that the kind is old where it has dropped the tasks', async () => {
  const { code, noted } = await shows(undefined)
  expect(code).toBe(1)
  expect(noted).toContain('is older than the controller')
})

it.each<[string, string]>([
  ['is none', 'soon\u001b[2J'],
  ['lies in the future', new Date(AT + 86_400_000).toISOString()],
])('a time of saving that %s proves no leader', async (_, windowEnd) => {
  const object = { metadata: {}, spec: { windowEnd, tasks: [HEALTHY] } }
  const { code, out, noted } = await run(() => Promise.resolve(object as unknown as KubeObject))
  expect(code).toBe(1)
  expect(noted).toContain('no controller leads')
  expect(out + noted).not.toContain('\u001b')
})

it('an interval that is none proves no leader either, and reaches no terminal as it is', async () => {
  const { code, out, noted } = await shows([{ ...HEALTHY, every: '\u001b[2Jsoon' }])
  expect(code).toBe(1)
  expect(out + noted).not.toContain('\u001b')
})
