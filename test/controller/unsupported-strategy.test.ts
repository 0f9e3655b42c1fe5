import { describe, expect, it } from 'vitest'
import { HOUR, MINUTE, Stage } from './stage.ts'

const UNSUPPORTED = { migration: { strategy: 'cinder-transfer' } }

describe('a policy whose strategy there is no machine for', () => {
  it('says so of each claim and of itself, and plans nothing', async () => {
    const stage = new Stage()
    stage.policy(UNSUPPORTED)
    const volume = stage.claim({ name: 'idle' })
    stage.claim({
      name: 'forced',
      iops: 3000,
      annotations: { 'couchestor.io/force-tier': 'cold' },
    })
    stage.start()
    await stage.clock.advance(HOUR)
    expect(stage.staying()).toEqual({ StrategyUnsupported: 2 })
    expect(stage.condition('Ready')).toMatchObject({
      status: 'False',
      reason: 'StrategyUnsupported',
      message: expect.stringContaining('set cinder-retype'),
    })
    expect(JSON.stringify(stage.policyStatus())).toContain('nothing moves by cinder-transfer')
    expect(stage.moves()).toEqual([])
    expect(stage.retypes(volume)).toBe(0)
  })

  it('ends what is planned by that strategy once, and nothing counts it as a failure', async () => {
    const stage = new Stage()
    stage.policy(UNSUPPORTED)
    stage.claim({ name: 'idle' })
    const uid = stage.pvc('idle').metadata.uid
    stage.move('planned', {
      claim: { name: 'idle', uid },
      from: 'hot',
      to: 'cold',
      reason: 'Policy',
      strategy: 'cinder-transfer',
    })
    stage.start()
    await stage.clock.advance(HOUR)
    expect(stage.ends('idle')).toEqual(['Failed/StrategyUnsupported'])
    stage.policy({})
    expect(await stage.until(() => stage.ends('idle')[1] === 'Succeeded/Verified', HOUR)).toBe(true)
  })

  it('keeps what it has planned by another one waiting, until that is its strategy again', async () => {
    const stage = new Stage()
    stage.policy({ mode: 'Approve' })
    const volume = stage.claim({ name: 'idle' })
    stage.start()
    expect(
      await stage.until(() => stage.ends('idle')[0] === 'Waiting/AwaitingApproval', HOUR, MINUTE),
    ).toBe(true)
    stage.policy(UNSUPPORTED)
    await stage.clock.advance(20 * MINUTE)
    expect(stage.ends('idle')).toEqual(['Waiting/StrategyUnsupported'])
    expect(stage.retypes(volume)).toBe(0)
    stage.policy({})
    expect(await stage.until(() => stage.ends('idle')[0] === 'Succeeded/Verified', HOUR)).toBe(true)
  })
})
