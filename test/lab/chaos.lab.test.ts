import { beforeAll, expect, it } from 'vitest'
import { buildController } from './controller-process.ts'
import { describeLab } from './describe-lab.ts'
import { failuresIn, reportOf } from '../chaos/figures.ts'
import { planOf } from '../chaos/plan.ts'
import { playChaos } from '../chaos/run.ts'

/** `npm run test:long -- chaos` plays others, and kills Cinder too. */
const SEED = 1933
const SIZE = { claims: 3, waves: 2, troublesPerWave: 3, sparesCinder: true }

describeLab('moves while what they need is killed', () => {
  beforeAll(buildController)

  it('end with the data whole, and each act done once', async () => {
    const figures = await playChaos(planOf(SEED, SIZE))
    process.stdout.write(reportOf(figures))
    expect(failuresIn(figures)).toEqual([])
    expect(figures.moves).toBe(SIZE.claims * SIZE.waves)
  })
})
