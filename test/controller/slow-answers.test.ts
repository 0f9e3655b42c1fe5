import { expect, it } from 'vitest'
import { sleep } from '../../src/clock.ts'
import type { Gate } from '../life.ts'
import { HOUR, Stage } from './stage.ts'

it('a second verifying read that is answered late was not made late', async () => {
  const stage = new Stage()
  stage.policy()
  const volume = stage.claim({ name: 'idle', sizeGiB: 1 })
  const reads: number[] = []
  const gate: Gate = async (request, send) => {
    const answer = await send()
    const isLook = request.method === 'GET' && request.url.endsWith(`/volumes/${volume.id}`)
    if (!isLook || stage.tier(volume) !== 'cold' || stage.cloud.retyping().length > 0) return answer
    reads.push(stage.clock.monotonic())
    if (reads.length > 1) await sleep(stage.clock, 5000)
    return answer
  }
  stage.start({ gate })
  expect(await stage.until(() => stage.ends('idle')[0] === 'Succeeded/Verified', HOUR)).toBe(true)
  expect((reads.at(-1) ?? 0) - (reads[0] ?? 0)).toBeGreaterThanOrEqual(3000)
})
