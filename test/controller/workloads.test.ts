import { describe, expect, it } from 'vitest'
import { HOUR } from './stage.ts'
import { WorkloadStage } from './workload-stage.ts'

const RESTART = { migration: { workloads: 'Restart' } }

describe('an idle volume that its Deployment never lets go of', () => {
  it('moves while the Deployment is stopped, which is back with all its replicas then', async () => {
    const stage = new WorkloadStage()
    stage.policy(RESTART)
    const [volume] = await stage.deployment('web', { claims: ['data'], replicas: 3 })
    stage.cloud.write(volume!.id, 'orders')
    stage.start()
    expect(await stage.until(() => stage.replicas('web') === 0)).toBe(true)
    expect(await stage.until(() => stage.ends('data')[0] === 'Succeeded/Verified')).toBe(true)
    expect(await stage.until(() => stage.replicas('web') === 3)).toBe(true)
    expect(stage.tier(volume!)).toBe('cold')
    expect(stage.cloud.data(volume!.id)).toBe('orders')
    expect(stage.mark('web')).toBeUndefined()
    expect(await stage.until(() => stage.stops().length === 0)).toBe(true)
    expect(stage.told('Deployment', 'web')).toEqual([
      'WorkloadStopping',
      'WorkloadStopped',
      'WorkloadRestoring',
      'WorkloadRestored',
    ])
  })

  it('stays, and says why, where nobody has allowed that', async () => {
    const stage = new WorkloadStage()
    stage.policy(RESTART)
    await stage.deployment('web', { claims: ['data'], annotations: {} })
    stage.start()
    await stage.passes(HOUR)
    expect(stage.ends('data')).toEqual(['Waiting/Attached'])
    expect(stage.moves('data')[0]?.status?.message).toContain('couchestor.io/allow-restart')
    expect(stage.replicas('web')).toBe(1)
    expect(stage.stops()).toEqual([])
  })
})
