import { series } from '../alert-case.ts'
import type { AlertCase } from '../alert-case.ts'

const AGENT = {
  namespace: 'couchestor-system',
  job: 'couchestor-system/couchestor-agent',
  instance: '10.0.1.7:9106',
}
const EXPORTER = {
  namespace: 'couchestor-system',
  job: 'ceilometer-exporter',
  instance: '10.0.0.9:9105',
}
const NODE = { ...AGENT, node: 'node-1' }
const disks = (state: string, values: string) =>
  series('couchestor_agent_disks', { ...NODE, state }, values)

export const NODE_CASES: readonly AlertCase[] = [
  {
    alert: 'CouchestorAgentDown',
    fires: { series: [series('up', AGENT, '0x20')], at: '16m', fired: { labels: AGENT } },
    silent: [
      { why: 'the node reboots', series: [series('up', AGENT, '1x3 0x10 1x10')], at: '20m' },
      { why: 'the node is gone', series: [series('up', AGENT, '1x3 0x5 stale')], at: '20m' },
    ],
  },
  {
    alert: 'CouchestorAgentScrapeFailing',
    fires: {
      series: [series('couchestor_agent_scrape_success', NODE, '0x20')],
      at: '16m',
      fired: { labels: NODE },
    },
    silent: [
      {
        why: 'one scrape failed',
        series: [series('couchestor_agent_scrape_success', NODE, '1x5 0 1x20')],
        at: '20m',
      },
    ],
  },
  {
    alert: 'CouchestorAgentUnmappedDisks',
    fires: {
      series: [
        disks('shared_serial', '2x70'),
        disks('unreadable', '1x70'),
        disks('counted', '9x70'),
      ],
      at: '61m',
      fired: { labels: NODE, value: '3' },
    },
    silent: [
      {
        why: 'a root disk has no serial, and local disks are no volumes',
        series: [
          disks('no_serial', '1x70'),
          disks('foreign_serial', '4x70'),
          disks('counted', '9x70'),
        ],
        at: '65m',
      },
      { why: 'a disk is replaced', series: [disks('replaced', '1x70')], at: '65m' },
    ],
  },
  {
    alert: 'CouchestorAgentAccountingOff',
    fires: {
      series: [disks('accounting_off', '2x70')],
      at: '61m',
      fired: { labels: NODE, value: '2' },
    },
    silent: [{ why: 'all are counted', series: [disks('accounting_off', '0x70')], at: '65m' }],
  },
  {
    alert: 'CouchestorAgentHangingReads',
    fires: {
      series: [series('couchestor_agent_hanging_reads', NODE, '1x20')],
      at: '16m',
      fired: { labels: NODE, value: '1' },
    },
    silent: [
      {
        why: 'the device answers again',
        series: [series('couchestor_agent_hanging_reads', NODE, '1x5 0x20')],
        at: '20m',
      },
    ],
  },
  {
    alert: 'CouchestorExporterDown',
    fires: { series: [series('up', EXPORTER, '0x20')], at: '16m', fired: { labels: EXPORTER } },
    silent: [
      {
        why: 'the cloud’s own exporter is another program',
        series: [series('up', { job: 'openstack-exporter' }, '0x20')],
        at: '16m',
      },
    ],
  },
  {
    alert: 'CouchestorExporterCannotRead',
    fires: {
      series: [series('couchestor_exporter_up', EXPORTER, '0x40')],
      at: '31m',
      fired: { labels: EXPORTER },
    },
    silent: [
      {
        why: 'Gnocchi is slow for a scrape or two',
        series: [series('couchestor_exporter_up', EXPORTER, '1x5 0x2 1x40')],
        at: '40m',
      },
    ],
  },
  {
    alert: 'CouchestorGnocchiLag',
    fires: {
      series: [series('couchestor_exporter_newest_measure_age_seconds', EXPORTER, '5400x40')],
      at: '31m',
      fired: { labels: EXPORTER, value: '1h 30m 0s' },
    },
    silent: [
      {
        why: 'measures come every five minutes',
        series: [series('couchestor_exporter_newest_measure_age_seconds', EXPORTER, '420x40')],
        at: '35m',
      },
    ],
  },
]
