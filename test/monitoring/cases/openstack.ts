import { A, OWN, series } from '../alert-case.ts'
import type { AlertCase } from '../alert-case.ts'

const requests = (service: string, operation: string, code: string, values: string) =>
  series(
    'couchestor_openstack_requests_total',
    { ...A, service, method: 'GET', operation, code },
    values,
  )
const cinder = (code: string, values: string) =>
  requests('block-storage', 'volumes.list', code, values)
const login = (code: string, values: string) => requests('identity', 'login', code, values)

export const OPENSTACK_CASES: readonly AlertCase[] = [
  {
    alert: 'CouchestorCinderDown',
    fires: {
      series: [series('couchestor_cinder_up', A, '0x60')],
      at: '31m',
      fired: { labels: OWN },
    },
    silent: [
      {
        why: 'an API server is replaced in twenty minutes',
        series: [series('couchestor_cinder_up', A, '1x5 0x20 1x30')],
        at: '45m',
      },
    ],
  },
  {
    alert: 'CouchestorOpenStackErrors',
    fires: {
      series: [cinder('200', '0+80x90'), cinder('503', '0+15x90'), cinder('timeout', '0+5x90')],
      at: '70m',
      fired: { labels: { ...OWN, service: 'block-storage' }, value: '20%' },
    },
    silent: [
      {
        why: 'what Cinder refuses or does not know is an answer',
        series: [cinder('200', '0+80x90'), cinder('404', '0+15x90'), cinder('400', '0+5x90')],
        at: '80m',
      },
    ],
  },
  {
    alert: 'CouchestorCredentialRejected',
    fires: {
      series: [login('401', '0+1x40')],
      at: '30m',
      fired: { labels: { ...OWN, service: 'identity' } },
    },
    silent: [
      {
        why: 'the new credential works',
        series: [login('401', '0+1x10 11x40'), login('201', '_x12 1x40')],
        at: '35m',
      },
      { why: 'Keystone is down', series: [login('503', '0+1x40')], at: '35m' },
    ],
  },
  {
    alert: 'CouchestorQuotaDrift',
    fires: {
      series: [
        series('couchestor_quota_drift', { ...A, key: 'gigabytes_couchestor-cold' }, '-20x90'),
      ],
      at: '65m',
      fired: { labels: { ...OWN, key: 'gigabytes_couchestor-cold' }, value: '-20' },
    },
    silent: [
      {
        why: 'it is corrected',
        series: [
          series(
            'couchestor_quota_drift',
            { ...A, key: 'gigabytes_couchestor-cold' },
            '-20x30 _x60',
          ),
        ],
        at: '80m',
      },
    ],
  },
  {
    alert: 'CouchestorCredentialExpires',
    fires: {
      series: [series('couchestor_openstack_credential_expires_timestamp_seconds', A, '864000x90')],
      at: '65m',
      fired: { labels: OWN, value: '9d 22h 55m 0s' },
    },
    silent: [
      {
        why: 'it is good for a year',
        series: [
          series('couchestor_openstack_credential_expires_timestamp_seconds', A, '31536000x90'),
        ],
        at: '80m',
      },
    ],
  },
]
