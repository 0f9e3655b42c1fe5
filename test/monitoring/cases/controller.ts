import { A, B, OWN, series } from '../alert-case.ts'
import type { AlertCase } from '../alert-case.ts'

const LEASE = { name: 'couchestor-controller' }
const leads = (values: string, replica = A) =>
  series('leader_election_master_status', { ...replica, ...LEASE }, values)
const passes = (values: string, replica = A) =>
  series('couchestor_cycle_duration_seconds_count', replica, values)
const requests = (code: string, values: string) =>
  series('rest_client_requests_total', { ...A, code, method: 'GET', host: 'api' }, values)

export const CONTROLLER_CASES: readonly AlertCase[] = [
  {
    alert: 'CouchestorControllerDown',
    fires: { series: [], at: '16m', fired: { labels: LEASE } },
    silent: [{ why: 'one replica is scraped', series: [leads('0x20')], at: '16m' }],
  },
  {
    alert: 'CouchestorReplicaDown',
    fires: { series: [series('up', B, '0x70')], at: '61m', fired: { labels: B } },
    silent: [
      { why: 'it comes back within the hour', series: [series('up', B, '0x30 1x40')], at: '65m' },
      {
        why: 'what is down is another program',
        series: [series('up', { job: 'node-exporter' }, '0x70')],
        at: '65m',
      },
    ],
  },
  {
    alert: 'CouchestorNoLeader',
    fires: {
      series: [leads('0x20'), leads('0x20', B)],
      at: '11m',
      fired: { labels: { ...OWN, ...LEASE } },
    },
    silent: [
      { why: 'the other replica leads', series: [leads('0x20'), leads('1x20', B)], at: '15m' },
      {
        why: 'the lead changes, with some minutes without one',
        series: [leads('1x5 0x20'), leads('0x8 1x20', B)],
        at: '20m',
      },
    ],
  },
  {
    alert: 'CouchestorControllerRestarting',
    fires: {
      series: [series('process_start_time_seconds', A, '0+60x30')],
      at: '20m',
      fired: { labels: A, value: '20' },
    },
    silent: [
      {
        why: 'it was updated',
        series: [series('process_start_time_seconds', A, '0x5 300x60')],
        at: '50m',
      },
    ],
  },
  {
    alert: 'CouchestorLeaderCannotStart',
    fires: {
      series: [series('couchestor_leader_start_failing', { ...A, step: 'cinder' }, '1x20')],
      at: '11m',
      fired: { labels: { ...OWN, step: 'cinder' } },
    },
    silent: [
      {
        why: 'it could be read after some minutes',
        series: [series('couchestor_leader_start_failing', { ...A, step: 'ledger' }, '1x5 0x20')],
        at: '20m',
      },
    ],
  },
  {
    alert: 'CouchestorAuditUnavailable',
    fires: {
      series: [
        series('couchestor_audit_unavailable', A, '1x20'),
        series('couchestor_audit_unavailable', B, '0x20'),
      ],
      at: '6m',
      fired: { labels: OWN },
    },
    silent: [
      {
        why: 'the disk had room again after some minutes',
        series: [series('couchestor_audit_unavailable', A, '1x3 0x20')],
        at: '10m',
      },
    ],
  },
  {
    alert: 'CouchestorTaskFailing',
    fires: {
      series: [
        series('couchestor_task_interval_seconds', { ...A, task: 'resources' }, '300x60'),
        series(
          'couchestor_task_last_success_timestamp_seconds',
          { ...A, task: 'resources' },
          '0x60',
        ),
      ],
      at: '32m',
      fired: { labels: { ...OWN, task: 'resources' } },
    },
    silent: [
      {
        why: 'it succeeds in its turns',
        series: [
          series('couchestor_task_interval_seconds', { ...A, task: 'resources' }, '300x60'),
          series(
            'couchestor_task_last_success_timestamp_seconds',
            { ...A, task: 'resources' },
            '0+60x60',
          ),
        ],
        at: '50m',
      },
      {
        why: 'its turns are far apart',
        series: [
          series('couchestor_task_interval_seconds', { ...A, task: 'checkpoints' }, '21600x60'),
          series(
            'couchestor_task_last_success_timestamp_seconds',
            { ...A, task: 'checkpoints' },
            '0x60',
          ),
        ],
        at: '50m',
      },
    ],
  },
  {
    alert: 'CouchestorWritesRefused',
    fires: {
      series: [series('couchestor_writes_refused', { ...A, resource: 'volumemigrations' }, '3x60')],
      at: '31m',
      fired: { labels: { ...OWN, resource: 'volumemigrations' }, value: '3' },
    },
    silent: [
      {
        why: 'they were written in the end',
        series: [
          series('couchestor_writes_refused', { ...A, resource: 'volumemigrations' }, '3x20 0x40'),
        ],
        at: '50m',
      },
    ],
  },
  {
    alert: 'CouchestorPassesStopped',
    fires: {
      series: [leads('1x200'), passes('7x200')],
      at: '150m',
      fired: { labels: A },
    },
    silent: [
      {
        why: 'a pass ends each half hour',
        series: [leads('1x200'), passes('0x29 1x29 2x29 3x29 4x29 5x29 6x29')],
        at: '190m',
      },
      { why: 'it stands by', series: [leads('0x200'), passes('0x200')], at: '190m' },
      {
        why: 'it has led for an hour only',
        series: [leads('0x100 1x100'), passes('0x200')],
        at: '160m',
      },
    ],
  },
  {
    alert: 'CouchestorQueueStuck',
    fires: {
      series: [
        series('workqueue_longest_running_processor_seconds', { ...A, name: 'moves' }, '0+60x60'),
      ],
      at: '40m',
      fired: { labels: { ...A, name: 'moves' }, value: '40m 0s' },
    },
    silent: [
      {
        why: 'steps end after ten minutes at most',
        series: [
          series(
            'workqueue_longest_running_processor_seconds',
            { ...A, name: 'moves' },
            '0+60x10 0+60x10 0+60x10',
          ),
        ],
        at: '32m',
      },
    ],
  },
  {
    alert: 'CouchestorWatchStale',
    fires: {
      series: [
        series('couchestor_reflector_idle_seconds', { ...B, resource: 'volumes' }, '0+60x40'),
      ],
      at: '25m',
      fired: { labels: { ...B, resource: 'volumes' }, value: '25m 0s' },
    },
    silent: [
      {
        why: 'a kind that the role may not read is asked for every five minutes',
        series: [
          series(
            'couchestor_reflector_idle_seconds',
            { ...B, resource: 'pods' },
            '0+60x5 0+60x5 0+60x5 0+60x5 0+60x5',
          ),
        ],
        at: '28m',
      },
    ],
  },
  {
    alert: 'CouchestorApiErrors',
    fires: {
      series: [
        requests('200', '0+90x60'),
        requests('503', '0+20x60'),
        requests('<error>', '0+10x60'),
      ],
      at: '30m',
      fired: { labels: OWN, value: '25%' },
    },
    silent: [
      {
        why: 'a few of many fail',
        series: [requests('200', '0+97x60'), requests('503', '0+3x60')],
        at: '30m',
      },
      {
        why: 'conflicts and refusals are answers',
        series: [requests('200', '0+50x60'), requests('409', '0+50x60'), requests('403', '0+5x60')],
        at: '30m',
      },
    ],
  },
  {
    alert: 'CouchestorEventLoopLag',
    fires: {
      series: [series('nodejs_eventloop_lag_p99_seconds', A, '0.8x30')],
      at: '16m',
      fired: { labels: A, value: '800ms' },
    },
    silent: [
      {
        why: 'one long block at the start',
        series: [series('nodejs_eventloop_lag_p99_seconds', A, '0.8x3 0.02x30')],
        at: '25m',
      },
    ],
  },
  {
    alert: 'CouchestorMemoryNearLimit',
    fires: {
      series: [
        series('process_resident_memory_bytes', A, '950x30'),
        series('couchestor_memory_limit_bytes', A, '1000x30'),
      ],
      at: '16m',
      fired: { labels: A, value: '95%' },
    },
    silent: [
      {
        why: 'half of it is free',
        series: [
          series('process_resident_memory_bytes', A, '500x30'),
          series('couchestor_memory_limit_bytes', A, '1000x30'),
        ],
        at: '16m',
      },
      {
        why: 'there is no limit',
        series: [series('process_resident_memory_bytes', A, '950x30')],
        at: '16m',
      },
    ],
  },
]
