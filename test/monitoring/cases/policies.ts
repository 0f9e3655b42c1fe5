import { A, OWN, POLICY, series } from '../alert-case.ts'
import type { AlertCase, Labels } from '../alert-case.ts'

const of = (name: string, more: Labels, values: string) =>
  series(`couchestor_${name}`, { ...A, ...POLICY, ...more }, values)
const condition = (type: string, status: string, reason: string, values: string) =>
  of('policy_condition', { type, status, reason }, values)
const labels = { ...OWN, ...POLICY }
const ready = (reason: string) => ({ ...labels, type: 'Ready', status: 'False', reason })

export const POLICY_CASES: readonly AlertCase[] = [
  {
    alert: 'CouchestorPolicyNotReady',
    fires: {
      series: [condition('Ready', 'False', 'Invalid', '1x70')],
      at: '61m',
      fired: { labels: ready('Invalid') },
    },
    silent: [
      { why: 'it is ready', series: [condition('Ready', 'True', 'Ready', '1x70')], at: '65m' },
      {
        why: 'it is paused',
        series: [condition('Ready', 'False', 'Paused', '1x70')],
        at: '65m',
      },
    ],
  },
  {
    alert: 'CouchestorPolicyPaused',
    interval: '1h',
    fires: {
      series: [condition('Ready', 'False', 'Stopped', '1x180')],
      at: '170h',
      fired: { labels: ready('Stopped') },
    },
    silent: [
      {
        why: 'a pause of a weekend',
        series: [condition('Ready', 'False', 'Paused', '1x60')],
        at: '170h',
      },
    ],
  },
  {
    alert: 'CouchestorClaimsMisdirected',
    fires: {
      series: [series('couchestor_unmanaged_claims', { ...A, reason: 'PolicyNotFound' }, '2x70')],
      at: '61m',
      fired: { labels: { ...OWN, reason: 'PolicyNotFound' }, value: '2' },
    },
    silent: [
      {
        why: 'most claims of a cluster are nobody’s, and some opted out',
        series: [
          series('couchestor_unmanaged_claims', { ...A, reason: 'NoPolicy' }, '5000x70'),
          series('couchestor_unmanaged_claims', { ...A, reason: 'OptedOut' }, '5x70'),
        ],
        at: '65m',
      },
    ],
  },
  {
    alert: 'CouchestorPoliciesOverlap',
    interval: '1h',
    fires: {
      series: [of('contested_claims', {}, '4x40')],
      at: '25h',
      fired: { labels, value: '4' },
    },
    silent: [{ why: 'none overlap', series: [of('contested_claims', {}, '0x40')], at: '30h' }],
  },
  {
    alert: 'CouchestorBudgetExceeded',
    fires: {
      series: [
        of('monthly_cost', { kind: 'now' }, '120x70'),
        of('monthly_cost', { kind: 'fastest' }, '900x70'),
        of('monthly_budget', {}, '100x70'),
        condition('WithinBudget', 'False', 'OverBudget', '1x70'),
      ],
      at: '61m',
      fired: {
        labels: { ...labels, kind: 'now' },
        value: '120',
        queried: '; budget.maxMonthlyCost is 100',
      },
    },
    silent: [
      {
        why: 'it is kept',
        series: [
          of('monthly_cost', { kind: 'now' }, '99x70'),
          condition('WithinBudget', 'True', 'WithinBudget', '1x70'),
        ],
        at: '65m',
      },
    ],
  },
  {
    alert: 'CouchestorNotWorthwhile',
    interval: '1h',
    fires: {
      series: [condition('Worthwhile', 'False', 'DearerThanStaying', '1x40')],
      at: '25h',
      fired: {
        labels: { ...labels, type: 'Worthwhile', status: 'False', reason: 'DearerThanStaying' },
      },
    },
    silent: [
      {
        why: 'there is too little to judge',
        series: [condition('Worthwhile', 'Unknown', 'TooEarly', '1x40')],
        at: '30h',
      },
    ],
  },
]
