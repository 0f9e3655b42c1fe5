import { A, B, OWN, POLICY, series } from '../alert-case.ts'
import type { Labels, Series } from '../alert-case.ts'

export type RecordingCase = {
  readonly record: string
  readonly series: readonly Series[]
  readonly at: string
  readonly samples: readonly { readonly labels: Labels; readonly value: number }[]
}

const VOLUME = { volume_id: '0b0fd3a3-5b0c-4d80-8a3e-1e0f6a5f4c11' }
const disk = (name: string, node: string, values: string, more: Labels = {}) =>
  series(`couchestor_volume_${name}_total`, { ...VOLUME, node, device: 'vdb', ...more }, values)
const of = (name: string, more: Labels, values: string, replica = A) =>
  series(`couchestor_${name}`, { ...replica, ...more }, values)

export const RECORDING_CASES: readonly RecordingCase[] = [
  {
    record: 'volume_id:couchestor_volume_operations:rate5m',
    // on two nodes after a move of its pod, one of them scraped twice
    series: [
      disk('reads_completed', 'node-1', '0+600x20'),
      disk('reads_completed', 'node-1', '0+600x20', { job: 'again' }),
      disk('writes_completed', 'node-1', '0+60x20'),
      disk('reads_completed', 'node-2', '0+60x20'),
      disk('writes_completed', 'node-2', '0x20'),
    ],
    at: '15m',
    samples: [{ labels: VOLUME, value: 12 }],
  },
  {
    record: 'volume_id:couchestor_volume_bytes:rate5m',
    series: [disk('read_bytes', 'node-1', '0+6000x20'), disk('written_bytes', 'node-1', '0+60x20')],
    at: '15m',
    samples: [{ labels: VOLUME, value: 101 }],
  },
  {
    record: 'kind:couchestor_monthly_cost:sum',
    // an earlier leader is still scraped: its money counts once
    series: [
      of('monthly_cost', { policy: 'one', kind: 'now' }, '100x20'),
      of('monthly_cost', { policy: 'one', kind: 'now' }, '100x20', B),
      of('monthly_cost', { policy: 'two', kind: 'now' }, '20x20'),
      of('monthly_cost', { policy: 'two', kind: 'wanted' }, '10x20'),
    ],
    at: '10m',
    samples: [
      { labels: { kind: 'now' }, value: 120 },
      { labels: { kind: 'wanted' }, value: 10 },
    ],
  },
  {
    record: 'tier:couchestor_volumes_size_bytes:sum',
    series: [
      of('volumes_size_bytes', { policy: 'one', tier: 'hot' }, '100x20'),
      of('volumes_size_bytes', { policy: 'two', tier: 'hot' }, '20x20'),
    ],
    at: '10m',
    samples: [{ labels: { tier: 'hot' }, value: 120 }],
  },
  {
    record: 'policy:couchestor_covered_volumes:ratio',
    series: [of('covered_volumes', POLICY, '9x20'), of('attached_volumes', POLICY, '10x20')],
    at: '10m',
    samples: [{ labels: { ...OWN, ...POLICY }, value: 0.9 }],
  },
  {
    record: 'policy:couchestor_blocked_claims:ratio',
    series: [
      of('blocked_claims', POLICY, '1x20'),
      of('claims', { ...POLICY, reason: 'Snapshots' }, '1x20'),
      of('claims', { ...POLICY, reason: 'OnBestTier' }, '3x20'),
    ],
    at: '10m',
    samples: [{ labels: { ...OWN, ...POLICY }, value: 0.25 }],
  },
]
