import { describe, expect, it } from 'vitest'
import { readCommandLine } from '../../src/cli/flags.ts'
import type { DecisionDeps } from '../../src/cli/approve/decision.ts'
import {
  APPROVE_FLAGS,
  CANCEL_FLAGS,
  PAUSE_FLAGS,
  runApprove,
  runCancel,
  runPause,
} from '../../src/cli/approve/run-decision.ts'
import { checkPause } from '../../src/cli/approve/pause.ts'
import { whoAmI } from '../../src/insight/who.ts'
import { createKubeClient } from '../../src/kube/client.ts'
import { createEventRecorder } from '../../src/kube/events.ts'
import { silentLog } from '../../src/log.ts'
import { inProcess } from '../../src/sim/server.ts'
import { WORLD_ORIGINS } from '../../src/sim/world.ts'
import { pumped, recordingTerminal } from '../reader.ts'
import { HOUR, MINUTE, POLICY, Stage } from './stage.ts'

const APPROVE = { mode: 'Approve', metrics: { window: '6h' } }
const WORDS = { least: 0, most: 1, usage: '' }

/** A person at a terminal. */
async function person(stage: Stage, why?: string) {
  const { clock, world } = stage
  const kube = createKubeClient({
    http: inProcess(world.routes, { clock }),
    server: WORLD_ORIGINS.kube,
    authorization: () => Promise.resolve(undefined),
    clock,
    random: () => 0.5,
    log: silentLog,
  })
  const events = createEventRecorder({ client: kube, clock, log: silentLog })
  const terminal = recordingTerminal()
  const who = await pumped(clock, whoAmI(kube))
  const deps: DecisionDeps = { kube, events, clock, terminal, namespace: 'default', who, why }
  const act = async (work: Promise<number>) => {
    const code = await pumped(clock, work)
    await pumped(clock, events.flush())
    return code
  }
  const line = (name: string, args: readonly string[], flags: typeof APPROVE_FLAGS) =>
    readCommandLine(name, args, flags, WORDS)
  return {
    terminal,
    approve: (...args: string[]) => act(runApprove(line('approve', args, APPROVE_FLAGS), deps)),
    cancel: (...args: string[]) =>
      act(runCancel(readCommandLine('cancel', args, CANCEL_FLAGS, WORDS), deps)),
    pause: async (...args: string[]) =>
      act(
        runPause(
          readCommandLine('pause', args, PAUSE_FLAGS, { ...WORDS, check: checkPause }),
          true,
          deps,
        ),
      ),
    resume: (...args: string[]) =>
      act(runPause(readCommandLine('resume', args, PAUSE_FLAGS, WORDS), false, deps)),
  }
}

const waiting = (stage: Stage) =>
  stage.moves().filter((m) => m.status?.reason === 'AwaitingApproval')

describe('mode Approve', () => {
  it('moves what a person approves, keeps who it was, and leaves the rest', async () => {
    const stage = new Stage()
    stage.policy(APPROVE)
    const yes = stage.claim({ name: 'yes' })
    const no = stage.claim({ name: 'no' })
    const running = stage.start()
    await stage.until(() => waiting(stage).length === 2, HOUR)
    expect(stage.retypes(yes) + stage.retypes(no)).toBe(0)
    const [m] = stage.moves('yes')
    const user = await person(stage, 'quiet for months')
    await user.approve(m!.metadata.name)
    expect(stage.moves('yes')[0]?.metadata.annotations).toMatchObject({
      'couchestor.io/approved-by': 'simulated',
      'couchestor.io/approved-at': expect.stringContaining('2026-01-20T') as string,
      'couchestor.io/approved-reason': 'quiet for months',
    })
    expect(await stage.until(() => stage.tier(yes) === 'cold', HOUR)).toBe(true)
    expect(stage.events('yes')).toContain('MigrationApproved')
    expect(stage.tier(no)).toBe('hot')
    await stage.until(() => stage.ends('yes')[0] === 'Succeeded/Verified')
    await expect(user.approve(m!.metadata.name)).rejects.toThrow('has ended (Succeeded')
    await running.stop()
  })

  it('takes back what nobody has approved for a day, and asks again', async () => {
    const stage = new Stage()
    stage.policy(APPROVE)
    stage.claim({ name: 'idle' })
    const running = stage.start()
    await stage.until(() => waiting(stage).length === 1, HOUR)
    await stage.clock.advance(23 * HOUR)
    expect(stage.ends('idle')).toEqual(['Waiting/AwaitingApproval'])
    await stage.clock.advance(8 * HOUR)
    expect(stage.ends('idle').toSorted()).toEqual(['Failed/Expired', 'Waiting/AwaitingApproval'])
    await running.stop()
  })

  it('checks again before the call: what is no longer wanted ends, approved or not', async () => {
    const stage = new Stage()
    let iops = 1
    stage.policy({ ...APPROVE, metrics: { window: '1h' } })
    const volume = stage.claim({ name: 'v', iops: () => iops })
    const running = stage.start()
    await stage.until(() => waiting(stage).length === 1, HOUR)
    iops = 20_000
    await stage.until(() => stage.ends('v')[0] === 'Failed/NoLongerWanted', 12 * HOUR, MINUTE)
    expect(stage.ends('v')).toEqual(['Failed/NoLongerWanted'])
    expect(stage.retypes(volume)).toBe(0)
    await running.stop()
  })

  it('keeps the best fifty, and gives the place of the least to what is clearly better', async () => {
    const stage = new Stage()
    stage.policy(APPROVE)
    for (let i = 0; i < 55; i++) stage.claim({ name: `v${i}`, sizeGiB: 10 + i })
    const running = stage.start()
    await stage.until(() => waiting(stage).length === 50, HOUR)
    expect(waiting(stage).some((m) => m.spec.claim.name === 'v0')).toBe(false)
    expect(waiting(stage).some((m) => m.spec.claim.name === 'v54')).toBe(true)
    stage.claim({ name: 'huge', sizeGiB: 5000 })
    await stage.until(() => waiting(stage).some((m) => m.spec.claim.name === 'huge'), 8 * HOUR)
    const names = waiting(stage).map((m) => m.spec.claim.name)
    expect(names).toContain('huge')
    expect(names).toHaveLength(50)
    expect(names).not.toContain('v5')
    await running.stop()
  }, 60_000)

  it('what owners force waits beside the fifty, as one object that no plan takes back', async () => {
    const stage = new Stage()
    stage.policy(APPROVE)
    for (let i = 0; i < 60; i++) stage.claim({ name: `v${i}`, sizeGiB: 50 })
    const pin = { 'couchestor.io/force-tier': 'warm' }
    for (let i = 0; i < 5; i++) stage.claim({ name: `pin-${i}`, annotations: pin })
    const running = stage.start()
    const of = (reason: string) => waiting(stage).filter((m) => m.spec.reason === reason)
    await stage.until(() => of('Policy').length === 50 && of('Forced').length === 5, HOUR)
    const uids = of('Forced').map((m) => m.metadata.uid)
    await stage.clock.advance(2 * HOUR)
    expect(of('Policy')).toHaveLength(50)
    expect(of('Forced').map((m) => m.metadata.uid)).toEqual(uids)
    await running.stop()
  }, 60_000)

  it('approves all of a policy only with --yes', async () => {
    const stage = new Stage()
    stage.policy(APPROVE)
    const volumes = [stage.claim({ name: 'a' }), stage.claim({ name: 'b' })]
    const running = stage.start()
    await stage.until(() => waiting(stage).length === 2, HOUR)
    const user = await person(stage)
    expect(await user.approve('--policy', 'tiered', '--all')).toBe(1)
    expect(user.terminal.text()).toContain('a, hot to cold')
    expect(user.terminal.notes()).toContain('2 moves wait; add --yes')
    expect(waiting(stage)).toHaveLength(2)
    expect(await user.approve('--policy', 'tiered', '--all', '--yes')).toBe(0)
    const moved = () => volumes.every((v) => stage.tier(v) === 'cold')
    expect(await stage.until(moved, 2 * HOUR)).toBe(true)
    await running.stop()
  })
})

describe('cancel, pause and resume', () => {
  it('cancels what waits, and says why it cannot be undone', async () => {
    const stage = new Stage()
    stage.policy(APPROVE)
    const volume = stage.claim({ name: 'v' })
    const running = stage.start()
    await stage.until(() => waiting(stage).length === 1, HOUR)
    const { name } = stage.moves('v')[0]!.metadata
    const user = await person(stage)
    await user.cancel(name)
    await stage.until(() => stage.ends('v')[0] === 'Failed/Cancelled')
    expect(stage.ends('v')[0]).toBe('Failed/Cancelled')
    expect(stage.retypes(volume)).toBe(0)
    await expect(user.approve(name)).rejects.toThrow('has ended (Failed, Cancelled)')
    await expect(user.approve('nobody')).rejects.toThrow('there is no VolumeMigration')
    await running.stop()
  })

  it('keeps a claim where it is until it is resumed', async () => {
    const stage = new Stage()
    const volume = stage.claim({ name: 'v' })
    const user = await person(stage, 'quarter end')
    await user.pause('pvc/v')
    stage.policy({ metrics: { window: '6h' } })
    const running = stage.start()
    expect(await stage.until(() => stage.staying()['Paused'] === 1, HOUR)).toBe(true)
    const { annotations } = stage.pvc('v').metadata
    expect(annotations).toMatchObject({
      'couchestor.io/paused': 'true',
      'couchestor.io/paused-by': 'simulated',
      'couchestor.io/paused-reason': 'quarter end',
    })
    await user.resume('pvc/v')
    expect(stage.pvc('v').metadata.annotations).not.toHaveProperty('couchestor.io/paused-by')
    expect(await stage.until(() => stage.tier(volume) === 'cold', HOUR)).toBe(true)
    expect(stage.events('v')).toEqual(expect.arrayContaining(['Paused', 'Resumed']))
    await running.stop()
  })

  it('keeps a whole policy from moves until it is resumed', async () => {
    const stage = new Stage()
    stage.policy({ metrics: { window: '6h' } })
    const volume = stage.claim({ name: 'v' })
    const user = await person(stage)
    await user.pause('tiered')
    const running = stage.start()
    await stage.until(() => stage.condition('Ready')?.reason === 'Paused', HOUR)
    expect(stage.condition('Ready')).toMatchObject({ status: 'False', reason: 'Paused' })
    expect(stage.retypes(volume)).toBe(0)
    await user.resume('tiered')
    expect(await stage.until(() => stage.tier(volume) === 'cold', HOUR)).toBe(true)
    await running.stop()
  })

  it.each([
    [['pod/v'], '"pod/v" is not a claim'],
    [['nobody'], 'StoragePolicy nobody does not exist'],
    [['pvc/nobody'], 'claim default/nobody does not exist'],
    [['tiered', '--direction', 'up'], '--direction: "up" is not one of promotion, demotion'],
    [['tiered', '--direction', 'demotion'], '--direction is for claims'],
  ])('says of %j what is wrong', async (args, message) => {
    const stage = new Stage()
    stage.policy(POLICY)
    const user = await person(stage)
    await expect(user.pause(...args)).rejects.toThrow(message)
  })
})

it('informs the person who approves by command line that the approval starts nothing', async () => {
  const stage = new Stage({ apiServer: { minor: 28 } })
  stage.policy(APPROVE)
  stage.claim({ name: 'data' })
  const running = stage.start()
  await stage.until(() => stage.moves('data')[0]?.status?.reason !== undefined, HOUR)
  const user = await person(stage)
  await user.approve(stage.moves('data')[0]!.metadata.name)
  await running.stop()
  expect(user.terminal.text()).toMatch(
    /is approved; it waits: spec\.approved starts nothing.*accept_plain_rbac/,
  )
})
