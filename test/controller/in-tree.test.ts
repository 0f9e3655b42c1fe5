import { expect, it } from 'vitest'
import { HOUR, MINUTE, Stage } from './stage.ts'

it.each([
  ['a plain id', (id: string) => id],
  ['cinder://', (id: string) => `cinder://${id}`],
  ['cinder:///', (id: string) => `cinder:///${id}`],
])(
  'a PersistentVolume of the driver once built into Kubernetes is moved, written with %s',
  async (_, volumeID) => {
    const stage = new Stage()
    stage.policy()
    const source = (id: string) => ({ cinder: { volumeID: volumeID(id), fsType: 'ext4' } })
    const volume = stage.claim({ name: 'old', iops: 3000, source })
    stage.start()
    expect(await stage.until(() => stage.annotation('old', 'tier') === 'hot')).toBe(true)
    stage.move('by-hand', { claim: { name: 'old' }, to: 'cold', volume: { id: volume.id } })
    await stage.until(
      () =>
        stage.ends('old')[0]?.startsWith('Verifying') === false && stage.tier(volume) === 'cold',
    )
    expect(stage.tier(volume)).toBe('cold')
    expect(stage.ends('old')).toEqual(['Succeeded/Verified'])
  },
)

it('an attachment of such a volume keeps it from being moved as a detached one is', async () => {
  const stage = new Stage()
  stage.policy()
  const volume = stage.claim({
    name: 'old',
    iops: 3000,
    node: 'node-1',
    source: (id) => ({ cinder: { volumeID: id } }),
  })
  stage.start()
  await stage.until(() => stage.annotation('old', 'tier') === 'hot')
  stage.move('by-hand', { claim: { name: 'old' }, to: 'cold' })
  await stage.clock.advance(HOUR)
  expect(stage.ends('old')).toEqual(['Waiting/Attached'])
  expect(stage.retypes(volume)).toBe(0)
})

it.each([
  ['another CSI driver', { csi: { driver: 'ebs.csi.aws.com', volumeHandle: 'vol-1' } }],
  ['NFS', { nfs: { server: 'nas', path: '/a' } }],
  ['an empty Cinder id', { cinder: { volumeID: '' } }],
])('a claim on %s counts as NotCinder, and not as unbound', async (_, source) => {
  const stage = new Stage()
  stage.policy()
  stage.claim({ name: 'other', iops: 1, source: () => source })
  stage.start()
  await stage.until(() => stage.staying()['NotCinder'] === 1, HOUR, MINUTE)
  expect(stage.staying()).toEqual({ NotCinder: 1 })
})
