import { describe, expect, it } from 'vitest'
import { HOUR, Stage } from './stage.ts'

/** Names a class on a claim, as `kubectl patch` does. */
function nameClass(stage: Stage, claim: string, volumeAttributesClassName: string): void {
  const pvc = stage.pvc(claim)
  stage.world.api.seed({ ...pvc, spec: { ...(pvc['spec'] as object), volumeAttributesClassName } })
}

describe('a claim that names a VolumeAttributesClass', () => {
  it('is moved as every other, and its owner learns once that the name does nothing', async () => {
    const stage = new Stage()
    stage.policy({ metrics: { window: '6h' } })
    const volume = stage.claim({ name: 'data' })
    nameClass(stage, 'data', 'gold')
    const running = stage.start()
    expect(await stage.until(() => stage.tier(volume) === 'cold', 2 * HOUR)).toBe(true)
    await stage.clock.advance(HOUR)
    await running.stop()
    expect(stage.events('data').filter((e) => e === 'VolumeAttributesClassIgnored')).toEqual([
      'VolumeAttributesClassIgnored',
    ])
  })

  it('hears of it also when it is named later, and not without one', async () => {
    const stage = new Stage()
    stage.policy()
    stage.claim({ name: 'data' })
    const running = stage.start()
    await stage.clock.advance(HOUR)
    expect(stage.events('data')).not.toContain('VolumeAttributesClassIgnored')
    nameClass(stage, 'data', 'gold')
    const ignored = () => stage.events('data').includes('VolumeAttributesClassIgnored')
    expect(await stage.until(ignored, HOUR)).toBe(true)
    await running.stop()
  })
})
