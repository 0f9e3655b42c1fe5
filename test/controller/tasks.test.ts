import { expect, it } from 'vitest'
import type { TieringCheckpoint } from '../../src/api/tiering-checkpoint.ts'
import { createRegistry } from '../../src/metrics.ts'
import { answer, network } from './answers.ts'
import { MINUTE, Stage } from './stage.ts'

/** The tasks as `couchestor tasks` shows them. */
function saved(stage: Stage) {
  const found = stage.object(
    '/apis/couchestor.io/v1alpha1/tieringcheckpoints',
    'scheduled-tasks',
  ) as unknown as TieringCheckpoint | undefined
  return new Map((found?.spec.tasks ?? []).map((t) => [t.name, t]))
}

it('a leader saves within a minute when each of its tasks ran and runs next', async () => {
  const stage = new Stage()
  stage.policy()
  stage.start({ configYaml: 'tasks: {checkpoints: {every: 2h}}' })
  await stage.clock.advance(MINUTE)
  const tasks = saved(stage)
  expect([...tasks.keys()].toSorted()).toEqual([
    'approvals',
    'checkpoints',
    'finished',
    'halts',
    'orphans',
    'pools',
    'quotas',
    'report',
    'resources',
    'types',
    'unreadable',
    'workloads',
  ])
  expect(tasks.get('checkpoints')).toMatchObject({ every: '2h', failures: 0 })
  for (const name of ['approvals', 'checkpoints', 'finished', 'halts', 'resources', 'types']) {
    expect(tasks.get(name)).toHaveProperty('lastSuccess')
    expect(tasks.get(name)).toHaveProperty('nextRun')
  }
})

it('the save shows itself as the last run, one interval before the next', async () => {
  const stage = new Stage()
  stage.policy()
  stage.start()
  await stage.clock.advance(11 * MINUTE)
  const report = saved(stage).get('report')
  const [last, next] = [report?.lastRun, report?.nextRun].map((t) => Date.parse(t ?? ''))
  expect(report?.lastSuccess).toBe(report?.lastRun)
  expect((next ?? 0) - (last ?? 0)).toBe(5 * MINUTE)
})

it('a task that fails is saved at once with its error, and keeps none of the others', async () => {
  const stage = new Stage()
  stage.policy()
  const registry = createRegistry()
  const net = network()
  stage.start({ gate: net.gate, registry })
  await stage.clock.advance(MINUTE)
  net.on('GET /types', () => answer(503))
  expect(await stage.until(() => saved(stage).get('types')?.lastError !== undefined)).toBe(true)
  expect(saved(stage).get('types')?.failures).toBe(1)
  const page = await registry.metrics()
  expect(page).toMatch(/couchestor_task_failures_total\{task="types"\} [1-9]/)
  expect(page).toContain('couchestor_task_failures_total{task="resources"} 0')
  expect(page).toContain('couchestor_task_interval_seconds{task="types"} 300')
  const success = () => Date.parse(saved(stage).get('resources')?.lastSuccess ?? '')
  const before = success()
  await stage.clock.advance(15 * MINUTE)
  expect(success()).toBeGreaterThan(before)
  net.clear()
  expect(await stage.until(() => saved(stage).get('types')?.lastError === undefined)).toBe(true)
})

it('a read of Cinder that hangs shows since when, and approvals are read all the same', async () => {
  const stage = new Stage()
  stage.policy()
  const never = new Promise<never>(() => {})
  let isHanging = false
  let asked = 0
  stage.start({
    gate: (request, send) => {
      if (
        request.url.includes('validatingadmissionpolicies') ||
        request.url.endsWith('registration.k8s.io/v1')
      )
        asked++
      return isHanging && request.url.includes('/volumes/detail') ? never : send()
    },
  })
  await stage.clock.advance(MINUTE)
  isHanging = true
  await stage.clock.advance(10 * MINUTE)
  const before = asked
  await stage.clock.advance(10 * MINUTE)
  expect(asked).toBeGreaterThan(before)
  expect(saved(stage).get('resources')).toHaveProperty('runningSince')
})

it('a table that cannot be saved is no reason to save it over and over', async () => {
  const stage = new Stage()
  stage.policy()
  let refused = 0
  stage.start({
    gate: (request, send) => {
      if (!request.url.includes('/tieringcheckpoints/scheduled-tasks')) return send()
      refused++
      // another error each time, which is news each time
      return Promise.resolve(answer(403, `refused for the ${refused}th time`))
    },
  })
  await stage.clock.advance(20 * MINUTE)
  expect(saved(stage).size).toBe(0)
  expect(refused).toBeGreaterThan(3)
  expect(refused).toBeLessThan(12)
})
