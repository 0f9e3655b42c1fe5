import { A, OWN, POLICY, series } from '../alert-case.ts'
import type { AlertCase, Labels } from '../alert-case.ts'

const of = (name: string, more: Labels, values: string) =>
  series(`couchestor_${name}`, { ...A, ...POLICY, ...more }, values)
const PAIR = { from: 'hot', to: 'cold' }
const STRATEGY = { strategy: 'cinder-retype' }
const ended = (result: string, reason: string, values: string) =>
  of('migrations_total', { ...PAIR, ...STRATEGY, result, reason }, values)
const labels = { ...OWN, ...POLICY }

export const MOVE_CASES: readonly AlertCase[] = [
  {
    alert: 'CouchestorMigrationStuck',
    fires: {
      series: [of('migrations_in_flight', { ...STRATEGY, step: 'Stuck' }, '2x20')],
      at: '6m',
      fired: { labels, value: '2' },
    },
    silent: [
      {
        why: 'moves run',
        series: [of('migrations_in_flight', { ...STRATEGY, step: 'Retyping' }, '9x20')],
        at: '15m',
      },
    ],
  },
  {
    alert: 'CouchestorHalted',
    fires: { series: [series('couchestor_halted', A, '1x20')], at: '6m', fired: { labels: OWN } },
    silent: [{ why: 'nothing halts', series: [series('couchestor_halted', A, '0x20')], at: '15m' }],
  },
  {
    alert: 'CouchestorClaimLost',
    fires: {
      series: [series('couchestor_claims_in_gap_seconds', A, '0x5 30 90x10')],
      at: '8m',
      fired: { labels: OWN, value: '1m 30s' },
    },
    silent: [
      {
        why: 'each gap is a short one',
        series: [series('couchestor_claims_in_gap_seconds', A, '1 0 15 0x20')],
        at: '2m',
      },
      { why: 'no claim is in one', series: [], at: '15m' },
    ],
  },
  {
    alert: 'CouchestorWorkloadDown',
    fires: {
      series: [of('workload_restore_overdue_seconds', {}, '_x4 0+60x20')],
      at: '10m',
      fired: { labels, value: '5m 0s' },
    },
    silent: [
      {
        why: 'each of them is back soon',
        series: [of('workload_restore_overdue_seconds', {}, '0+60x2 _x5 0+60x3')],
        at: '11m',
      },
      {
        why: 'no record is unreadable',
        series: [series('couchestor_workload_stops_unreadable', A, '0x20')],
        at: '15m',
      },
    ],
  },
  {
    alert: 'CouchestorReplacementStalled',
    fires: {
      series: [of('replacement_stalled_seconds', { phase: 'CleaningUp' }, '0+60x20')],
      at: '11m',
      fired: { labels: { ...labels, phase: 'CleaningUp' }, value: '11m 0s' },
    },
    silent: [
      {
        why: 'it gets on',
        series: [of('replacement_stalled_seconds', { phase: 'Copying' }, '0+60x8 0+60x8')],
        at: '16m',
      },
    ],
  },
  {
    alert: 'CouchestorMovesFailing',
    fires: {
      series: [ended('Failed', 'Rejected', '_x10 3x60'), ended('Failed', 'Reverted', '_x20 2x60')],
      at: '30m',
      fired: { labels: { ...labels, ...PAIR }, value: '5' },
    },
    silent: [
      {
        why: 'people changed their minds',
        series: [
          ended('Failed', 'Cancelled', '_x10 9x60'),
          ended('Failed', 'NoLongerWanted', '_x10 9x60'),
        ],
        at: '30m',
      },
      { why: 'it was long ago', series: [ended('Failed', 'Rejected', '9x500')], at: '480m' },
      { why: 'they succeed', series: [ended('Succeeded', 'Verified', '0+1x60')], at: '50m' },
    ],
  },
  {
    alert: 'CouchestorMovesReverted',
    fires: {
      series: [ended('Failed', 'Reverted', '_x5 1x5 2x5 3x10')],
      at: '20m',
      fired: { labels: { ...labels, ...PAIR }, value: '3' },
    },
    silent: [{ why: 'it was one', series: [ended('Failed', 'Reverted', '_x5 1x30')], at: '20m' }],
  },
  {
    alert: 'CouchestorBreakerOpen',
    fires: {
      series: [of('breaker_open', PAIR, '1x20')],
      at: '11m',
      fired: { labels: { ...labels, ...PAIR } },
    },
    silent: [{ why: 'it is closed', series: [of('breaker_open', PAIR, '0x20')], at: '15m' }],
  },
  {
    alert: 'CouchestorThrashing',
    fires: { series: [of('thrash_breaker_open', {}, '1x20')], at: '11m', fired: { labels } },
    silent: [{ why: 'it is closed', series: [of('thrash_breaker_open', {}, '0x20')], at: '15m' }],
  },
  {
    alert: 'CouchestorMigrationLate',
    fires: {
      series: [of('migrations_late', {}, '1x60')],
      at: '31m',
      fired: { labels, value: '1' },
    },
    silent: [
      { why: 'it ends after all', series: [of('migrations_late', {}, '1x20 0x40')], at: '45m' },
    ],
  },
  {
    alert: 'CouchestorApprovalsWaiting',
    fires: {
      series: [of('migrations_waiting', { reason: 'AwaitingApproval' }, '3x800')],
      at: '725m',
      fired: { labels, value: '3' },
    },
    silent: [
      {
        why: 'they wait for something else',
        series: [of('migrations_waiting', { reason: 'OutsideSchedule' }, '3x800')],
        at: '790m',
      },
    ],
  },
  {
    alert: 'CouchestorMovesWaitForQuota',
    fires: {
      series: [
        of('migrations_waiting', { reason: 'QuotaExhausted' }, '2x200 0x300'),
        of('migrations_waiting', { reason: 'QuotaExceeded' }, '0x200 1x300'),
      ],
      at: '365m',
      fired: { labels, value: '1' },
    },
    silent: [
      {
        why: 'they wait for something else',
        series: [of('migrations_waiting', { reason: 'AwaitingApproval' }, '3x500')],
        at: '400m',
      },
    ],
  },
  {
    alert: 'CouchestorFleetBlocked',
    interval: '1h',
    fires: {
      series: [
        of('blocked_claims', {}, '6x40'),
        of('claims', { reason: 'Snapshots' }, '6x40'),
        of('claims', { reason: 'OnBestTier' }, '4x40'),
      ],
      at: '26h',
      fired: { labels, value: '60%' },
    },
    silent: [
      {
        why: 'most are where they belong',
        series: [
          of('blocked_claims', {}, '4x40'),
          of('claims', { reason: 'Snapshots' }, '4x40'),
          of('claims', { reason: 'OnBestTier' }, '6x40'),
        ],
        at: '30h',
      },
    ],
  },
]
