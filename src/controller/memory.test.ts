import { describe, expect, it } from 'vitest'
import type { TieringCheckpoint } from '../api/tiering-checkpoint.ts'
import type { KubeClient } from '../kube/types.ts'
import { silentLog } from '../log.ts'
import { Memory } from './memory.ts'

const NOW = Date.UTC(2026, 5, 10)
const HOUR = 3_600_000

function checkpoint(name: string, policy: string, hoursOld: number): TieringCheckpoint {
  const windowEnd = new Date(NOW - hoursOld * HOUR).toISOString()
  return {
    apiVersion: 'couchestor.io/v1alpha1',
    kind: 'TieringCheckpoint',
    metadata: { name },
    spec: { policy, shard: 0, rule: 'r', windowEnd, volumes: 1, data: '' },
  }
}

/** The names that a tidying removes. */
async function removed(items: TieringCheckpoint[], policies: string[]): Promise<string[]> {
  const gone: string[] = []
  const client = {
    list: () => Promise.resolve({ items, resourceVersion: '1' }),
    delete: (_: unknown, name: string) => Promise.resolve(void gone.push(name)),
  } as unknown as KubeClient
  await new Memory(client, silentLog).tidy(new Set(policies), NOW)
  return gone
}

describe('checkpoints', () => {
  it('of a policy that has been gone for a day are removed, its shadow costs too', async () => {
    const items = [checkpoint('old-0', 'old', 25), checkpoint('old.shadow', 'old/shadow', 25)]
    expect(await removed(items, ['other'])).toEqual(['old-0', 'old.shadow'])
  })

  it.each([
    ['of a policy that is there stay, however old', checkpoint('here-0', 'here', 900), ['here']],
    [
      'of a policy deleted a moment ago stay, since it may be applied again',
      checkpoint('gone-0', 'gone', 2),
      [],
    ],
    [
      'of the moves in flight are no policy and stay',
      checkpoint('moves-in-flight', 'moves-in-flight', 9000),
      [],
    ],
  ])('%s', async (_name, item, policies) => {
    expect(await removed([item], policies)).toEqual([])
  })
})
