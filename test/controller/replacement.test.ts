import { describe, expect, it } from 'vitest'
import { HOUR, MINUTE, Stage } from './stage.ts'
import type { StoragePolicySpec } from '../../src/api/storage-policy.ts'

const BY_COPY = { migration: { strategy: 'snapshot-restore' } } satisfies Partial<StoragePolicySpec>

/** An idle volume on the fastest tier, with a snapshot of its owner's, which blocks a retype for good. */
function pinned({ snapshot = true } = {}) {
  const stage = new Stage({ csi: true })
  stage.policy(BY_COPY)
  const volume = stage.claim({ name: 'data' })
  stage.cloud.write(volume.id, 'orders')
  const kept = snapshot ? stage.cloud.addSnapshot(volume.id) : undefined
  const handle = () => {
    const pv = stage.object('/api/v1/persistentvolumes', volume.pv)
    const { csi } = (pv?.['spec'] ?? {}) as { csi?: { volumeHandle?: string } }
    return csi?.volumeHandle ?? ''
  }
  const step = () => stage.moves('data')[0]?.status?.step
  return { stage, volume, kept, handle, step }
}

describe('a claim whose volume is pinned by a snapshot', () => {
  it('gets a copy on the tier that it belongs to, with its data and the same uid', async () => {
    const { stage, volume, handle, step } = pinned()
    const { uid } = stage.pvc('data').metadata
    stage.start()
    expect(await stage.until(() => step() === 'Soaking', HOUR)).toBe(true)
    expect(handle()).not.toBe(volume.id)
    const copy = { ...volume, id: handle() }
    expect(stage.tier(copy)).toBe('cold')
    expect(stage.cloud.data(copy.id)).toBe('orders')
    expect(stage.pvc('data').metadata.uid).toBe(uid)
    expect((stage.pvc('data')['status'] as { phase: string }).phase).toBe('Bound')
    expect(stage.moves('data')[0]?.status?.replacement).toMatchObject({
      formerVolumeId: volume.id,
      copyVolumeId: copy.id,
    })
  })

  it('has each gap announced before Kubernetes reports it as Lost', async () => {
    const { stage, step } = pinned()
    stage.start()
    expect(await stage.until(() => step() === 'Soaking', HOUR)).toBe(true)
    const move = stage.moves('data')[0]!
    stage.world.api.seed({ ...move, spec: { ...move.spec, rollback: true } })
    expect(await stage.until(() => step() === 'Failed', HOUR)).toBe(true)
    const events = stage.world.api
      .objects('/api/v1/events')
      .map((e) => e as unknown as { reason: string; message: string })
    const announced = events.filter((e) => e.message.includes('may report ClaimLost'))
    expect(announced.map((e) => e.reason)).toEqual([
      'MigrationStarted',
      'VolumeSwitching',
      'VolumeGivenBack',
    ])
    const first = (of: string) => events.findIndex((e) => e.reason === of)
    expect(first('MigrationStarted')).toBeLessThan(first('ClaimLost'))
  })

  it('keeps its former volume as long as it has the snapshot, and no longer', async () => {
    const { stage, volume, kept, step } = pinned()
    stage.start({ configYaml: 'migration: {soak_max_age: 1h}' })
    expect(await stage.until(() => step() === 'CleaningUp', 3 * HOUR, MINUTE)).toBe(true)
    await stage.clock.advance(HOUR)
    expect(step()).toBe('CleaningUp')
    expect(stage.moves('data')[0]?.status?.message).toContain('snapshots')
    expect(stage.cloud.volume(volume.id)).toBeDefined()
    stage.cloud.removeSnapshot(kept!.id)
    expect(await stage.until(() => step() === 'Succeeded', HOUR)).toBe(true)
    expect(stage.cloud.volume(volume.id)).toBeUndefined()
    expect(stage.cloud.volumeCount()).toBe(1)
  })
})
