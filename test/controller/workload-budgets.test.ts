import { describe, expect, it } from 'vitest'
import { WorkloadStage } from './workload-stage.ts'

describe('two Deployments of one Pod each, of which a budget wants one to run', () => {
  it('are stopped one after the other, although both volumes may move at once', async () => {
    const stage = new WorkloadStage()
    stage.policy({ migration: { workloads: 'Restart', maxConcurrent: 5 } })
    const volumes = [
      ...(await stage.deployment('web', { claims: ['data'] })),
      ...(await stage.deployment('api', { claims: ['other'] })),
    ]
    await stage.send('POST', '/apis/policy/v1/namespaces/default/poddisruptionbudgets', {
      metadata: { name: 'one-of-them' },
      spec: { selector: {}, minAvailable: 1 },
    })
    stage.move('first', { claim: { name: 'data' }, to: 'warm' })
    stage.move('second', { claim: { name: 'other' }, to: 'warm' })
    // a busy server
    stage.world.api.fail({
      match: { verb: 'patch', resource: 'deployments' },
      fault: { kind: 'delay', ms: 8_000 },
      times: Infinity,
    })
    stage.start()
    let down = 0
    const isDone = () => {
      if (stage.replicas('web') === 0 && stage.replicas('api') === 0) down++
      return volumes.every((v) => stage.tier(v) === 'warm')
    }
    expect(await stage.until(isDone, 3 * 3_600_000)).toBe(true)
    expect(down).toBe(0)
  })
})
