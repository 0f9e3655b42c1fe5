import { describe, expect, it } from 'vitest'
import { readCommandLine } from '../../src/cli/flags.ts'
import type { Plan } from '../../src/insight/plan/plan.ts'
import { PLAN_FLAGS, runPlan } from '../../src/cli/plan/run-plan.ts'
import { pumped, readerOn, recordingTerminal } from '../reader.ts'
import type { HttpResponse } from '../../src/http.ts'
import { HOUR, MINUTE, Stage } from './stage.ts'
import type { Start } from './stage.ts'

const APPROVE = { mode: 'Approve', metrics: { window: '6h' } }
const ACCEPTED = { configYaml: 'admission: {accept_plain_rbac: true}' }
const DISCOVERY = '/apis/admissionregistration.k8s.io'

/** A cluster of Kubernetes 1.`minor`. */
const onMinor = (minor: number) => new Stage({ apiServer: { minor } })

/** Approves as somebody does who may only edit VolumeMigrations. */
function approve(stage: Stage, claim: string): void {
  for (const m of stage.moves(claim))
    stage.world.api.seed({ ...m, spec: { ...m.spec, approved: true } })
}

const readyOf = (stage: Stage) => stage.condition('Ready')

/** Plays until the first move of the claim waits, approves it, and gives it an hour. */
async function approved(stage: Stage, start: Start = {}) {
  stage.policy(APPROVE)
  const volume = stage.claim({ name: 'data' })
  const running = stage.start(start)
  await stage.until(() => stage.moves('data')[0]?.status?.reason !== undefined, HOUR)
  const before = stage.moves('data')[0]?.status?.reason
  approve(stage, 'data')
  await stage.until(() => stage.tier(volume) === 'cold', HOUR)
  await running.stop()
  return { volume, before }
}

async function planOf(stage: Stage): Promise<Plan> {
  const reader = readerOn(stage.world, stage.clock, '')
  const terminal = recordingTerminal()
  const words = { least: 0, most: 0, usage: '' }
  const { flags } = readCommandLine('plan', ['-o', 'json'], PLAN_FLAGS, words)
  const { signal } = new AbortController()
  await pumped(stage.clock, runPlan(flags, reader.deps, terminal, signal))
  return JSON.parse(terminal.text()) as Plan
}

describe('an API server without ValidatingAdmissionPolicy', () => {
  it.each([28, 29])('of Kubernetes 1.%i: an approval starts no move', async (minor) => {
    const stage = onMinor(minor)
    const { volume, before } = await approved(stage)
    expect(before).toBe('NoAdmissionPolicy')
    expect(stage.retypes(volume)).toBe(0)
    expect(stage.moves('data')[0]?.status).toMatchObject({
      step: 'Waiting',
      reason: 'NoAdmissionPolicy',
      message: expect.stringContaining('admission.accept_plain_rbac') as string,
    })
  })

  it('says so in the condition and in an event of the policy', async () => {
    const stage = onMinor(29)
    await approved(stage)
    expect(readyOf(stage)).toMatchObject({ status: 'False', reason: 'NoAdmissionPolicy' })
    expect(readyOf(stage)?.message).toContain('before 1.30')
    expect(stage.events('tiered')).toContain('NoAdmissionPolicy')
  })

  it('pins no tier by annotation, and informs the owner of the claim', async () => {
    const stage = onMinor(28)
    stage.policy()
    const volume = stage.claim({
      name: 'data',
      annotations: { 'couchestor.io/force-tier': 'warm' },
    })
    const running = stage.start()
    await stage.until(() => stage.events('data').includes('NoAdmissionPolicy'), HOUR)
    await stage.clock.advance(HOUR)
    await running.stop()
    expect(stage.events('data')).toContain('NoAdmissionPolicy')
    expect(stage.retypes(volume)).toBe(0)
    expect(stage.moves('data')).toEqual([])
  })

  it('lets mode Auto move by itself, and by hand who may create a VolumeMigration', async () => {
    const stage = onMinor(28)
    stage.policy({ metrics: { window: '6h' } })
    const quiet = stage.claim({ name: 'quiet' })
    const manual = stage.claim({ name: 'manual', iops: 5000 })
    const running = stage.start()
    expect(await stage.until(() => stage.tier(quiet) === 'cold', 2 * HOUR)).toBe(true)
    stage.move('by-hand', { claim: { name: 'manual' }, to: 'warm' })
    expect(await stage.until(() => stage.tier(manual) === 'warm', HOUR)).toBe(true)
    await running.stop()
  })

  it.each([
    ['an approval', async (stage: Stage) => (await approved(stage, ACCEPTED)).volume],
    [
      'force-tier',
      async (stage: Stage) => {
        stage.policy()
        const annotations = { 'couchestor.io/force-tier': 'cold' }
        const volume = stage.claim({ name: 'data', annotations })
        const running = stage.start(ACCEPTED)
        await stage.until(() => stage.tier(volume) === 'cold', HOUR)
        await running.stop()
        return volume
      },
    ],
  ])('moves by %s once config.yaml accepts plain RBAC', async (_, play) => {
    const stage = onMinor(28)
    const volume = await play(stage)
    expect(stage.tier(volume)).toBe('cold')
    expect(readyOf(stage)?.reason).not.toBe('NoAdmissionPolicy')
  })

  it('is shown by plan as what a move waits for', async () => {
    const stage = onMinor(28)
    stage.policy(APPROVE)
    stage.claim({ name: 'data' })
    const row = (await planOf(stage)).rows.find((r) => r.claim === 'data')
    expect(row).toMatchObject({ action: 'wait', reason: 'NoAdmissionPolicy' })
  })
})

describe('an API server that offers ValidatingAdmissionPolicy', () => {
  it.each([30, 36])('of Kubernetes 1.%i: moves what is approved', async (minor) => {
    const stage = onMinor(minor)
    const { volume, before } = await approved(stage)
    expect(before).toBe('AwaitingApproval')
    expect(stage.tier(volume)).toBe('cold')
  })
})

describe('discovery that fails', () => {
  it.each([
    ['an error', '{"kind":"Status","code":500,"reason":"InternalError"}', 500],
    ["a proxy's page", '<html>busy</html>', 200],
    ['no permission', '{"kind":"Status","code":403,"reason":"Forbidden"}', 403],
  ])('with %s: nothing moves by approval until it is answered', async (_, body, status) => {
    let broken = true
    const answer: HttpResponse = {
      status,
      headers: { 'content-type': 'text/html' },
      text: () => Promise.resolve(body),
      chunks: () => {
        throw new Error('nobody streams discovery')
      },
    }
    const stage = onMinor(36)
    stage.policy(APPROVE)
    const volume = stage.claim({ name: 'data' })
    const running = stage.start({
      gate: (call, send) =>
        broken && call.url.includes(DISCOVERY) ? Promise.resolve(answer) : send(),
    })
    await stage.until(() => stage.moves('data')[0]?.status?.reason !== undefined, HOUR)
    approve(stage, 'data')
    await stage.clock.advance(20 * MINUTE)
    expect(stage.moves('data')[0]?.status?.message).toContain('could not be read')
    expect(stage.retypes(volume)).toBe(0)
    broken = false
    expect(await stage.until(() => stage.tier(volume) === 'cold', HOUR)).toBe(true)
    await running.stop()
  })
})
