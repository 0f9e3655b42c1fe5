import { expect, it } from 'vitest'
import { Stage } from '../controller/stage.ts'

const LEASES = '/apis/coordination.k8s.io/v1/namespaces/couchestor-system/leases'

it('a move that ran while CoucheStor was removed is finished by the next installation, with one retype', async () => {
  const stage = new Stage()
  stage.policy()
  // the third leader of the old installation holds the move, so its epoch is far above that of a new Lease
  for (const identity of ['first', 'second']) {
    const early = stage.start({ identity })
    expect(await stage.until(() => early.controller.ready().why === 'leading')).toBe(true)
    early.life.kill()
  }
  const third = stage.start({ identity: 'third' })
  expect(await stage.until(() => third.controller.ready().why === 'leading')).toBe(true)
  const volume = stage.claim({
    name: 'data',
    iops: 3000,
    annotations: { 'couchestor.io/force-tier': 'cold' },
  })
  expect(await stage.until(() => stage.cloud.retyping().length > 0)).toBe(true)
  third.life.kill()
  await stage.world.api.handle({
    method: 'DELETE',
    url: `${LEASES}/couchestor-controller`,
    headers: {},
    body: '',
    signal: new AbortController().signal,
  })
  expect(stage.world.api.objects(LEASES)).toEqual([])

  stage.start({ identity: 'reinstalled' })
  expect(await stage.until(() => stage.ends('data')[0] === 'Succeeded/Verified')).toBe(true)
  expect(stage.retypes(volume)).toBe(1)
  expect(stage.ledger()).toEqual([])
})
