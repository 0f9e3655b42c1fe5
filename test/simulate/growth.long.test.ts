import { expect, it } from 'vitest'
import { heldAfter } from './growth.ts'

/** What a garbage collection leaves differs by less from one run to the next. */
const NOISE_MB = 3

it('memory and series do not grow while claims come and go', async () => {
  const day = await heldAfter(24)
  const threeDays = await heldAfter(72)
  process.stdout.write(
    `after a day ${JSON.stringify(day)}, after three ${JSON.stringify(threeDays)}\n`,
  )
  expect(threeDays.series).toBe(day.series)
  expect(threeDays.heapMB).toBeLessThan(day.heapMB + NOISE_MB)
})
