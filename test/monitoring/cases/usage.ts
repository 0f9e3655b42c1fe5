import { A, B, OWN, POLICY, series } from '../alert-case.ts'
import type { AlertCase, Series } from '../alert-case.ts'

const of = (name: string, values: string, replica = A): Series =>
  series(`couchestor_${name}`, { ...replica, ...POLICY }, values)
const labels = { ...OWN, ...POLICY }
/** Windows of half an hour, complete a minute later. */
const WINDOWS = [of('window_seconds', '1800x200'), of('source_lag_seconds', '60x200')]

export const USAGE_CASES: readonly AlertCase[] = [
  {
    alert: 'CouchestorSourceDown',
    fires: {
      // the lead changes meanwhile: the wait goes on
      series: [of('source_up', '0x20 stale'), of('source_up', '_x20 0x40', B)],
      at: '31m',
      fired: { labels },
    },
    silent: [{ why: 'it is back in time', series: [of('source_up', '0x20 1x40')], at: '45m' }],
  },
  {
    alert: 'CouchestorWindowStale',
    fires: {
      series: [...WINDOWS, of('window_end_timestamp_seconds', '0x200')],
      at: '90m',
      fired: { labels, value: '1h 30m 0s' },
    },
    silent: [
      {
        why: 'each window is read a minute after its end',
        series: [...WINDOWS, of('window_end_timestamp_seconds', '0x30 1800x29 3600x29 5400x60')],
        at: '119m',
      },
      {
        why: 'a source may need an hour to be complete',
        series: [
          of('window_seconds', '1800x200'),
          of('source_lag_seconds', '3600x200'),
          of('window_end_timestamp_seconds', '0x90 1800x29 3600x60'),
        ],
        at: '119m',
      },
    ],
  },
  {
    alert: 'CouchestorCatchingUpLong',
    fires: {
      series: [of('catching_up', '1x200'), of('source_up', '1x200')],
      at: '121m',
      fired: { labels },
    },
    silent: [
      {
        why: 'the source is down, which has an alert of its own',
        series: [of('catching_up', '1x200'), of('source_up', '0x200')],
        at: '190m',
      },
      { why: 'history is read in an hour', series: [of('catching_up', '1x60 0x100')], at: '150m' },
    ],
  },
  {
    alert: 'CouchestorCoverageLow',
    fires: {
      series: [of('covered_volumes', '10x200'), of('attached_volumes', '20x200')],
      at: '125m',
      fired: { labels, value: '50%' },
    },
    silent: [
      {
        why: 'one volume of twenty is missing',
        series: [of('covered_volumes', '19x200'), of('attached_volumes', '20x200')],
        at: '190m',
      },
      {
        why: 'nothing is attached',
        series: [of('covered_volumes', '0x200'), of('attached_volumes', '0x200')],
        at: '190m',
      },
    ],
  },
  {
    alert: 'CouchestorDemotionFrozen',
    fires: {
      series: [of('demotion_frozen', '1x100'), of('covered_volumes', '3x100')],
      at: '61m',
      fired: { labels, queried: ' (3 in the last window)' },
    },
    silent: [{ why: 'it thaws in time', series: [of('demotion_frozen', '1x50 0x50')], at: '80m' }],
  },
]
