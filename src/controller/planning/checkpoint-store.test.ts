import { describe, expect, it } from 'vitest'
import type { TieringCheckpoint } from '../../api/tiering-checkpoint.ts'
import type { KubeClient } from '../../kube/types.ts'
import { silentLog } from '../../log.ts'
import { initialState } from '../../policy/rule.ts'
import { CheckpointStore } from './checkpoint-store.ts'
import type { ResolvedPolicy } from '../view/policies.ts'

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
  await new CheckpointStore(client, silentLog, { now: () => NOW }).tidy(new Set(policies), NOW)
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

  it.each([
    ['stay in memory too when their policy was deleted an hour ago', 1, true],
    ['leave nothing in memory once their policy has been gone for a day', 25, false],
  ])('%s', async (_, hours, held) => {
    const client = {
      list: () => Promise.resolve({ items: [], resourceVersion: '1' }),
    } as unknown as KubeClient
    const memory = new CheckpointStore(client, silentLog, { now: () => NOW })
    const gone = { name: 'gone', rule: 'r', tiers: [], effective: { metrics: { windowMs: HOUR } } }
    memory.of(gone as unknown as ResolvedPolicy).askedUntil = (NOW - hours * HOUR) / 1000
    await memory.tidy(new Set(['other']), NOW)
    expect(memory.holds('gone')).toBe(held)
  })

  it('of a time that has not come yet are read again; a move of that time happened now', () => {
    const client = {} as unknown as KubeClient
    const memory = new CheckpointStore(client, silentLog, { now: () => NOW })
    const policy = { name: 'p', rule: 'r', tiers: [], effective: { metrics: { windowMs: HOUR } } }
    const before = memory.of(policy as unknown as ResolvedPolicy)
    const movedAt = NOW / 1000 + 86_400
    before.states.set('vol', { ...initialState(3, 0), movedAt, previousTier: 1 })
    before.askedUntil = NOW / 1000 + 3600
    expect(memory.of(policy as unknown as ResolvedPolicy)).toBe(before)
    before.askedUntil = NOW / 1000 + 3601
    const after = memory.of(policy as unknown as ResolvedPolicy)
    expect(after.askedUntil).toBeUndefined()
    expect(after.states.size).toBe(0)
    expect(after.earlier.get('vol')?.state).toMatchObject({ movedAt: NOW / 1000, previousTier: 1 })
  })

  it('of a time that has not come yet count no time that has not passed', () => {
    const client = {} as unknown as KubeClient
    const memory = new CheckpointStore(client, silentLog, { now: () => NOW })
    const policy = { name: 'p', rule: 'r', tiers: [], effective: { metrics: { windowMs: HOUR } } }
    const before = memory.of(policy as unknown as ResolvedPolicy)
    const [coveredSeconds, quietSeconds] = [14 * 86_400, 14 * 86_400]
    const counted = { coveredSeconds, quietSeconds }
    const [hour, day] = [NOW / 1000 - 3600, NOW / 1000 - 86_400]
    before.states.set('new', { ...initialState(3, hour), ...counted })
    before.states.set('busy', { ...initialState(3, day), ...counted, lastExceededAt: hour })
    before.states.set('old', { ...initialState(3, 0), ...counted })
    before.askedUntil = NOW / 1000 + 86_400
    const { earlier } = memory.of(policy as unknown as ResolvedPolicy)
    expect(earlier.get('new')?.state).toMatchObject({ coveredSeconds: 3600, quietSeconds: 3600 })
    expect(earlier.get('busy')?.state).toMatchObject({ coveredSeconds: 86_400, quietSeconds: 3600 })
    expect(earlier.get('old')?.state).toMatchObject(counted)
  })
})
