import { describe, expect, it } from 'vitest'
import { inProcess } from '../../src/sim/server.ts'
import { HOUR, MINUTE, Stage } from '../controller/stage.ts'
import type { Gate } from '../life.ts'

/** How the request that the process dies at ends. */
type Death = 'before' | 'after'

/**
 * The first leader dies at its first request of that kind, before or after its effect, and another one takes over.
 * `death()` says whether it has come to that.
 */
function dyingAt(stage: Stage, death: Death, meets: (to: string, body: string) => boolean) {
  let killed = false
  const gate: Gate = (request, send) => {
    if (killed || !meets(`${request.method} ${request.url}`, String(request.body ?? '')))
      return send()
    killed = true
    const { signal: _signal, ...bare } = request
    const effect =
      death === 'after' ? inProcess(stage.world.routes).request(bare) : Promise.resolve()
    first.life.kill()
    return effect.then(() => new Promise<never>(() => {}))
  }
  const first = stage.start({ gate })
  return { death: () => killed, follow: () => stage.start({ identity: 'second' }) }
}

const DEATHS: readonly Death[] = ['before', 'after']

describe.each(DEATHS)('a leader that dies %s it has written', (when) => {
  it('for which claim a move was accepted moves that claim once, and no other of its name', async () => {
    const stage = new Stage()
    stage.policy()
    const volume = stage.claim({ name: 'data', iops: 3000 })
    stage.move('by-hand', { claim: { name: 'data' }, to: 'cold' })
    const { death, follow } = dyingAt(
      stage,
      when,
      (to, body) => to.includes('/by-hand/status') && body.includes('claimUid'),
    )
    expect(await stage.until(death)).toBe(true)
    const uid = stage.pvc('data').metadata.uid
    expect(stage.moves('data')[0]?.status?.claimUid).toBe(when === 'after' ? uid : undefined)
    follow()
    expect(await stage.until(() => stage.ends('data')[0] === 'Succeeded/Verified', HOUR)).toBe(true)
    expect(stage.moves('data')[0]?.status?.claimUid).toBe(uid)
    expect(stage.retypes(volume)).toBe(1)
  })

  it('for which claim a move was accepted moves no claim that has the name by then', async () => {
    const stage = new Stage()
    stage.policy()
    stage.claim({ name: 'data', iops: 3000 })
    stage.move('by-hand', { claim: { name: 'data' }, to: 'cold' })
    const { death, follow } = dyingAt(
      stage,
      when,
      (to, body) => to.includes('/by-hand/status') && body.includes('claimUid'),
    )
    expect(await stage.until(death)).toBe(true)
    await stage.remove('/api/v1/namespaces/default/persistentvolumeclaims/data')
    await stage.clock.advance(MINUTE)
    const other = stage.claim({ name: 'data', iops: 3000, pv: 'pv-new', ageHours: 0 })
    follow()
    expect(await stage.until(() => stage.ends('data')[0] === 'Failed/ClaimMismatch', HOUR)).toBe(
      true,
    )
    expect(stage.retypes(other)).toBe(0)
  })

  it('that a strange end halts all moves halts them, also when its namespace goes meanwhile', async () => {
    const stage = new Stage()
    stage.policy()
    const strange = stage.claim({ name: 'strange', namespace: 'tenant', sizeGiB: 10 })
    const { death, follow } = dyingAt(
      stage,
      when,
      (to, body) => /^P.*tieringcheckpoints/.test(to) && /"unexplained":\[\{/.test(body),
    )
    expect(await stage.until(() => stage.cloud.retyping().includes(strange.id), HOUR)).toBe(true)
    stage.cloud.killCopies()
    const row = stage.cloud.volume(strange.id)
    if (row) row.typeId = stage.cloud.volumeType('couchestor-warm').id
    stage.cloud.setStatus(strange.id, 'available')
    expect(await stage.until(death)).toBe(true)
    await stage.remove('/api/v1/namespaces/tenant')
    follow()
    const isHalted = () => stage.condition('Ready')?.reason === 'Halted'
    expect(await stage.until(isHalted, 10 * MINUTE)).toBe(true)
    const other = stage.claim({ name: 'other' })
    await stage.clock.advance(HOUR)
    expect(stage.retypes(other)).toBe(0)
  })

  it('a checkpoint goes on from the one that is there', async () => {
    const stage = new Stage()
    stage.policy()
    const volume = stage.claim({ name: 'data' })
    const { death, follow } = dyingAt(stage, when, (to) =>
      /^PATCH .*\/tieringcheckpoints\/tiered-0/.test(to),
    )
    expect(await stage.until(death, HOUR)).toBe(true)
    follow()
    expect(await stage.until(() => stage.ends('data')[0] === 'Succeeded/Verified', HOUR)).toBe(true)
    expect(stage.retypes(volume)).toBe(1)
    await stage.clock.advance(HOUR)
    const names = stage.world.api
      .objects('/apis/couchestor.io/v1alpha1/tieringcheckpoints')
      .map((c) => c.metadata.name)
    expect(names.filter((name) => name.startsWith('tiered-'))).toEqual(['tiered-0'])
  })
})
