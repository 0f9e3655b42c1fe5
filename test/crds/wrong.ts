import { WRONG_POLICIES } from './wrong-policies.ts'

/** A wrong object, and what its refusal must name: the field, and how to fix it. */
export type Wrong = {
  readonly what: string
  readonly kind: 'StoragePolicy' | 'VolumeMigration' | 'TieringCheckpoint'
  readonly spec: Readonly<Record<string, unknown>>
  readonly field: string
  readonly fix: RegExp
}

const move = (what: string, spec: object, field: string, fix: RegExp): Wrong => ({
  what,
  kind: 'VolumeMigration',
  spec: { claim: { name: 'data' }, from: 'hot', to: 'cold', policy: 'p', ...spec },
  field,
  fix,
})
const checkpoint = (what: string, spec: object, field: string, fix: RegExp): Wrong => ({
  what,
  kind: 'TieringCheckpoint',
  spec: {
    policy: 'p',
    shard: 0,
    rule: 'r',
    windowEnd: '2026-01-01T00:00:00Z',
    volumes: 1,
    data: 'AA==',
    ...spec,
  },
  field,
  fix,
})

/** Everything that must be refused. */
export const WRONG: readonly Wrong[] = [
  ...WRONG_POLICIES,
  move('to the tier it comes from', { to: 'hot' }, 'spec.to', /both "hot": name another tier/),
  move('no target', { to: undefined }, 'spec.to', /Required value/),
  move('no claim name', { claim: {} }, 'spec.claim.name', /Required value/),
  move('no policy', { policy: '' }, 'spec.policy', /at least 1/),
  move(
    'no tier name',
    { to: 'Cold Tier' },
    'spec.to',
    /"Cold Tier" is no tier name: use a tiers\[\]\.name/,
  ),
  move('a way without a strategy', { via: 'backup' }, 'spec.via', /set spec\.strategy to it/),
  move(
    'a way of a copy for a retype',
    { strategy: 'cinder-retype', via: 'backup' },
    'spec.via',
    /or leave via out/,
  ),
  move('an unknown reason', { reason: 'Because' }, 'spec.reason', /"Policy", "Forced", "Manual"/),
  move(
    'a volume by name',
    { volume: { id: 'pvc-1' } },
    'spec.volume.id',
    /no volume id: write the UUID/,
  ),
  move(
    'a volume without size',
    { volume: { sizeGiB: 0 } },
    'spec.volume.sizeGiB',
    /greater than or equal to 1/,
  ),
  checkpoint('no base64', { data: 'not base64!' }, 'spec.data', /is not base64: delete the object/),
  checkpoint('no time', { windowEnd: 'yesterday' }, 'spec.windowEnd', /no time: write RFC 3339/),
  checkpoint('a shard below zero', { shard: -1 }, 'spec.shard', /greater than or equal to 0/),
]
