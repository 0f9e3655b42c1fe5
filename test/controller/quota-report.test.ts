import { expect, it } from 'vitest'
import { readCommandLine } from '../../src/cli/flags.ts'
import { QUOTA_FLAGS, runQuota } from '../../src/cli/quota/run-quota.ts'
import type { QuotaReport } from '../../src/insight/quota/quota-report.ts'
import { pumped, readerOn, recordingTerminal } from '../reader.ts'
import { Stage } from './stage.ts'

async function text(stage: Stage, args: readonly string[] = [], config = '') {
  const reader = readerOn(stage.world, stage.clock, config)
  const terminal = recordingTerminal()
  const { flags } = readCommandLine('quota', args, QUOTA_FLAGS, { least: 0, most: 0, usage: '' })
  const signal = new AbortController().signal
  await pumped(stage.clock, runQuota(flags, reader.deps, terminal, signal))
  return { text: terminal.text(), sent: reader.sent }
}

async function report(stage: Stage, config = ''): Promise<QuotaReport> {
  return JSON.parse((await text(stage, ['-o', 'json'], config)).text) as QuotaReport
}

function setUp() {
  const stage = new Stage()
  stage.policy({ mode: 'Observe' })
  stage.claim({ name: 'idle', sizeGiB: 300 })
  stage.claim({ name: 'kept', tier: 'cold', sizeGiB: 200 })
  const project = stage.cloud.couchestor.project.id
  stage.cloud.setQuota(project, { 'gigabytes_couchestor-cold': 400 })
  return { stage, project }
}

it('shows what each quota has and what the plan needs, and proposes the limit that lets it end', async () => {
  const { stage, project } = setUp()
  const { rows, proposals, projectId } = await report(stage)
  expect(projectId).toBe(project)
  expect(rows.find((r) => r.key === 'gigabytes_couchestor-cold')).toMatchObject({
    tiers: ['cold'],
    limit: 400,
    inUse: 200,
    reserved: 0,
    headroom: 200,
    wanted: 300,
    leaving: 0,
  })
  expect(rows.find((r) => r.key === 'volumes_couchestor-hot')).toMatchObject({
    limit: null,
    leaving: 1,
  })
  expect(rows.find((r) => r.key === 'gigabytes')).toMatchObject({ tiers: [], inUse: 500 })
  expect(proposals.map((p) => p.command)).toEqual([
    `openstack quota set --volume-type couchestor-cold --gigabytes 500 ${project}`,
  ])
})

it('is a table for people, and only reads', async () => {
  const { stage } = setUp()
  const page = await text(stage)
  expect(page.text).toMatch(/^cold\s+gigabytes_couchestor-cold\s+400\s+200\s+0\s+200\s+300\s+0$/m)
  expect(page.text).toContain('raise gigabytes_couchestor-cold by 100 to finish the plan')
  const writes = page.sent.filter((s) => !s.startsWith('GET '))
  expect(new Set(writes)).toEqual(new Set(['POST /v3/auth/tokens', 'POST /api/v1/query']))
})

it('without usage numbers it says why nothing is wanted', async () => {
  const { stage } = setUp()
  stage.world.prometheus.seams.setFault({ kind: 'down' })
  const page = await text(stage)
  expect(page.text).toMatch(/^Note: policy .*; without usage numbers everything stays$/m)
})

it('with one quota for all storage it proposes to lift the limits of types', async () => {
  const { stage, project } = setUp()
  const { proposals } = await report(stage, 'openstack:\n  storage_mode: fixed\n')
  expect(proposals.map((p) => p.command)).toEqual([
    `openstack quota set --volume-type couchestor-cold --gigabytes -1 ${project}`,
  ])
})

it('names a quota that has lost count, and the command that corrects it', async () => {
  const { stage, project } = setUp()
  expect((await report(stage)).drift).toEqual([])
  stage.cloud.loseCount(project, { 'gigabytes_couchestor-cold': 20 })
  const { drift, driftFix } = await report(stage)
  expect(drift).toEqual([{ key: 'gigabytes_couchestor-cold', inUse: 220, counted: 200 }])
  expect(driftFix).toBe(`cinder-manage quota sync --project-id ${project}`)
})

it('a credential that may not read quotas says so', async () => {
  const { stage } = setUp()
  stage.cloud.addFault({
    service: 'cinder',
    method: 'GET',
    path: /os-quota-sets/,
    times: Infinity,
    action: {
      kind: 'answer',
      answer: {
        status: 403,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ forbidden: { code: 403, message: 'no' } }),
      },
    },
  })
  const { rows, unreadable } = await report(stage)
  expect(rows).toEqual([])
  expect(unreadable).toContain('may not read the quotas')
})

it('does not count on the room of a move that cannot begin', async () => {
  const stage = new Stage()
  stage.policy()
  const { id } = stage.claim({
    name: 'kept',
    sizeGiB: 100,
    annotations: { 'couchestor.io/force-tier': 'cold' },
  })
  stage.cloud.addSnapshot(id)
  stage.start()
  expect(await stage.until(() => stage.ends('kept')[0] === 'Waiting/Snapshots')).toBe(true)
  const { rows } = await report(stage)
  const [hot] = rows.filter((r) => r.key === 'gigabytes_couchestor-hot')
  const [cold] = rows.filter((r) => r.key === 'gigabytes_couchestor-cold')
  expect([hot?.leaving, cold?.wanted]).toEqual([0, 0])
})
