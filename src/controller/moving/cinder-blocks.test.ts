import { expect, it } from 'vitest'
import type { VolumeMigration } from '../../api/volume-migration.ts'
import { CinderBlocks } from './cinder-blocks.ts'
import { DEFAULT_TIMING } from '../deps.ts'
import type { Target } from '../view/targets.ts'

const MOVE = { metadata: { uid: 'u', generation: 1 }, spec: {} } as VolumeMigration
const byStrategy = (strategy: string) =>
  ({ strategy, claim: {}, volume: { handle: 'v' }, to: { typeId: 't' } }) as unknown as Target

it('what stands against one strategy is not taken for what stands against another', () => {
  const blocks = new CinderBlocks({
    clock: { now: () => 0, monotonic: () => 0 } as never,
    timing: DEFAULT_TIMING,
  })
  const answer = { over: false, reason: 'Snapshots', message: 'it has snapshots' } as const
  blocks.note(MOVE, byStrategy('cinder-retype'), answer)
  expect(blocks.of(MOVE, byStrategy('cinder-retype'))).toEqual(answer)
  expect(blocks.of(MOVE, byStrategy('snapshot-restore'))).toBeUndefined()
})
