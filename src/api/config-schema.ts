import type * as z from 'zod'
import { tasksSection } from './config-tasks.ts'
import { flag, integer, milliseconds, number, oneOf, record, text, url } from './fields.ts'
import { key, keyPaths, named, needed, section } from './keys.ts'
import { SOURCES } from './names.ts'
import { shownUrl } from './shown-url.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const MOST = 1_000_000_000

/** Of `migration.cooldown_period`, which policies fall back to. */
export const DEFAULT_COOLDOWN = '24h'

const NOTED = 'Noted only.'
const THE_SAME = 'The same.'
const COMPLETE = 'How long after its end a window is complete.'
const TRUSTED = { shownDefault: "the system's", meaning: 'Certificates to trust, PEM.' }
const INSECURE = { default: false, meaning: 'Trust any certificate. For trying out only.' }

const file = () => text(4096, '/etc/couchestor/ca.pem')
const query = () => text(16_384, 'sum by (volume_id) (rate(my_operations_total[{{range}}]))')

const tier = section({
  storage_class: key(text(), {
    meaning: 'For a tier of that name where the policy leaves it out.',
  }),
  cinder_volume_type: key(text(255), { shownDefault: 'of the StorageClass', meaning: THE_SAME }),
  iops_threshold: key(number(0, 10_000_000), { meaning: THE_SAME }),
  min_capacity_gb: key(number(0, MOST), {
    meaning:
      'GB that have to stay free in a pool of the tier after a move down into it. Without effect where Cinder shows its pools to administrators only, which the status of the policies says.',
  }),
})

const openstack = section({
  auth_url: key(url('https://keystone.example.com:5000/v3'), {
    shownDefault: '`OS_AUTH_URL`',
    meaning: 'Keystone, version 3.',
  }),
  region: key(text(255, 'RegionOne'), {
    shownDefault: '`OS_REGION_NAME`',
    meaning: 'Region of the volumes.',
  }),
  credential_ref: key(
    section({
      secret_name: needed(text(253, 'openstack-credentials'), {
        meaning: "Secret with `OS_*` keys, `clouds.yaml` or the CSI driver's `cloud.conf`.",
      }),
      namespace: key(text(63, 'couchestor-system'), {
        shownDefault: 'that of the controller',
        meaning: 'Its namespace.',
      }),
    }),
  ),
  interface: key(oneOf('public', 'internal', 'admin'), {
    shownDefault: '`public`',
    meaning: '`public`, `internal` or `admin` endpoint.',
  }),
  endpoint_override: key(url('https://cinder.example.com:8776/v3/0123456789abcdef'), {
    shownDefault: 'from the catalog',
    meaning: 'URL of Cinder.',
  }),
  ca_file: key(file(), TRUSTED),
  insecure: key(flag(), INSECURE),
  storage_mode: key(oneOf('fixed', 'dynamic'), {
    default: 'dynamic',
    meaning:
      'Which quotas the project is given: `fixed`, one for all storage, or `dynamic`, one per volume type. Cinder enforces all that are set in either case; it changes what [couchestor quota](quotas.md) expects and proposes.',
  }),
})

const prometheus = section({
  endpoint: key(url('http://prometheus-server.monitoring.svc:9090'), {
    meaning: 'URL of Prometheus up to `/api/v1`, without user and password.',
  }),
  query_timeout: key(milliseconds(SECOND, 10 * MINUTE), {
    default: '30s',
    meaning: 'Longest a query may take, 1 s to 10 min.',
  }),
  ceilometer_endpoint: key(url('http://gnocchi-api.openstack.svc:8041'), {
    meaning: 'Not asked, see [compatibility](compatibility.md).',
    noted: (endpoint) =>
      `prometheus.ceilometer_endpoint (${shownUrl(endpoint)}) is not asked: Ceilometer's own API was removed from OpenStack in 2017, its numbers are in Gnocchi. Remove the key and set metrics.source to Gnocchi, here or in the StoragePolicy; gnocchi.endpoint only where the service catalog has no endpoint of type metric`,
  }),
  preset: key(oneOf('agent', 'node-exporter', 'libvirt', 'ceph-rbd', 'custom'), {
    default: 'agent',
    meaning:
      'Where the per-volume counters come from: `agent`, `node-exporter`, `libvirt`, `ceph-rbd`, `custom`.',
  }),
  queries: key(
    section({
      operations: needed(query(), {
        shownDefault: 'of the preset',
        meaning:
          'For `custom`: operations per second by `volume_id`. `{{window}}` is its length in seconds, `{{range}}` the same as a duration.',
      }),
      bytes: needed(query(), {
        shownDefault: 'of the preset',
        meaning: 'For `custom`: bytes per second.',
      }),
      read_samples: needed(query(), {
        shownDefault: 'of the preset',
        meaning: 'For `custom`: samples of the read counter in the window.',
      }),
      write_samples: needed(query(), {
        shownDefault: 'of the preset',
        meaning: 'For `custom`: samples of the write counter in the window.',
      }),
    }),
  ),
  matchers: key(record(text(1024)), {
    default: {},
    shownDefault: 'none',
    meaning:
      'A label value that every series must have, where clusters share a server. Not for `custom`.',
  }),
  scrape_interval: key(milliseconds(SECOND, HOUR), {
    shownDefault: 'measured',
    meaning: 'Time between two samples. `custom` needs it.',
  }),
  lag: key(milliseconds(0, HOUR), { default: '60s', meaning: COMPLETE }),
  auth: key(
    section({
      basic: key(
        section({
          username: needed(text(1024), { meaning: 'User for basic authentication.' }),
          password_file: needed(file(), {
            meaning: 'File with the password, read again when it changes.',
          }),
        }),
      ),
      bearer_token_file: key(file(), {
        meaning: 'File with a token, read again when it changes.',
      }),
    }),
    { default: {} },
  ),
  tls: key(
    section({
      ca_file: key(file(), TRUSTED),
      cert_file: key(file(), { meaning: 'Client certificate, PEM.' }),
      key_file: key(file(), { meaning: 'Its key, PEM.' }),
      insecure_skip_verify: key(flag(), INSECURE),
    }),
    { default: {} },
  ),
  headers: key(record(text(8192, 'X-Scope-OrgID: my-tenant')), {
    default: {},
    shownDefault: 'none',
    meaning: 'Sent with every query, such as `X-Scope-OrgID`. Never shown.',
  }),
})

const gnocchi = section({
  endpoint: key(url('http://gnocchi-api.openstack.svc:8041'), {
    shownDefault: 'from the catalog',
    meaning: 'URL of Gnocchi. See [Gnocchi](gnocchi.md).',
  }),
  // that of the archive policy which Ceilometer makes for disks, and the time between its polls
  granularity: key(milliseconds(SECOND, HOUR), {
    default: '5m',
    meaning: 'Granularity to read; the archive policy of the metrics must have it.',
  }),
  // two polls, and metricd's way behind
  lag: key(milliseconds(0, 6 * HOUR), { default: '20m', meaning: COMPLETE }),
  query_timeout: key(milliseconds(SECOND, 10 * MINUTE), {
    default: '60s',
    meaning: 'Longest one question may take, all its tries included; 1 s to 10 min.',
  }),
  metrics_mapping: key(record(text(255, 'disk.device.read.requests')), {
    default: {},
    shownDefault: 'as Ceilometer has them',
    meaning:
      'Names of the metrics: `volume_iops_read`, `volume_iops_write`, `volume_throughput_read`, `volume_throughput_write`.',
  }),
  archive_policy: key(text(255, 'ceilometer-low-rate'), {
    meaning: NOTED,
    noted:
      'gnocchi.archive_policy is noted, but Ceilometer gives its metrics their archive policy; gnocchi.granularity says which of its granularities is read',
  }),
})

const erasureCoding = section({
  enabled: key(flag(), {
    default: false,
    meaning: 'Noted only, as all of `erasure_coding` and `cache`.',
    noted:
      'erasure_coding is noted, but Cinder has no such switch per volume; use a volume type on an erasure-coded pool',
  }),
  data_shards: key(integer(2, 32)),
  parity_shards: key(integer(1, 16)),
  stripe_size_mb: key(integer(1, 1024)),
})

const migration = section({
  paused: key(flag(), {
    default: false,
    meaning: 'The stop switch for everything: no move starts, what runs is finished.',
  }),
  cooldown_period: key(milliseconds(0, 8760 * HOUR), {
    default: DEFAULT_COOLDOWN,
    meaning: 'Least time between two moves of a volume, where the policy leaves it out.',
  }),
  concurrent_migrations: key(integer(1, 100), {
    default: 2,
    meaning: 'Moves that may run at once, over all policies.',
  }),
  batch_size: key(integer(1, 1000), {
    meaning:
      'Moves that may begin in one window of usage, over all policies; forced and manual moves count, and do not wait.',
  }),
  soak_mounted: key(milliseconds(0, 8760 * HOUR), {
    default: '24h',
    meaning:
      'After `snapshot-restore` the former volume is kept until the copy has been mounted for that long, and `couchestor rollback` brings it back.',
  }),
  soak_max_age: key(milliseconds(0, 8760 * HOUR), {
    default: '336h',
    meaning: 'The longest that it is kept for that, mounted or not.',
  }),
  use_cinder_transfer: key(flag(), {
    default: false,
    meaning: NOTED,
    noted:
      'migration.use_cinder_transfer is noted, but switches nothing on: a Cinder transfer changes the project of a volume, not its type; tiers are changed by retype',
  }),
})

/**
 * config.yaml: each key once, with its check, default and meaning. The type `Config`, the notices at start,
 * docs/reference-config.md and the chart's values.schema.json are made from it. The keys are those of the guide and ours.
 */
export const configSchema = section({
  cloud_provider: key(oneOf('openstack'), {
    default: 'openstack',
    meaning: 'The only one there is.',
  }),
  openstack: key(openstack, { default: {} }),
  metrics: key(
    section({
      source: key(oneOf(...SOURCES), {
        default: 'Prometheus',
        meaning: 'Where usage comes from for policies that do not say: `Prometheus` or `Gnocchi`.',
      }),
    }),
    { default: {} },
  ),
  prometheus: key(prometheus, { default: {} }),
  gnocchi: key(gnocchi, { default: {} }),
  tiers: key(named(tier), { default: {} }),
  migration: key(migration, { default: {} }),
  tasks: key(tasksSection, { default: {} }),
  erasure_coding: key(erasureCoding, { default: {} }),
  cache: key(
    section({
      l1_size_mb: key(integer(0, MOST)),
      l2_size_mb: key(integer(0, MOST)),
      compression: key(text(32, 'zstd')),
      prefetch_enabled: key(flag()),
    }),
    {
      noted:
        'cache is noted, but nothing is cached here: the data path stays between node and Cinder',
    },
  ),
  admission: key(
    section({
      // approvals and force-tier count although no ValidatingAdmissionPolicy can check who gives them
      accept_plain_rbac: key(flag(), {
        default: false,
        meaning:
          'Let approvals and `force-tier` count where Kubernetes is older than 1.30: [supported versions](supported-versions.md).',
      }),
    }),
    { default: {} },
  ),
  audit: key(
    section({
      path: key(text(4096, '/var/log/couchestor/audit.jsonl'), {
        shownDefault: 'standard output',
        meaning:
          'File that the lines of the [audit](audit.md) are appended to; its directory must be writable for the controller.',
      }),
    }),
    { default: {} },
  ),
  own_metrics: key(
    section({
      // off by default for the number of series
      per_volume: key(flag(), {
        default: false,
        meaning:
          'Five series for each volume on `/metrics` of the controller, see [metrics](reference-metrics.md).',
      }),
    }),
    { default: {} },
  ),
})

/** config.yaml as it is written; all of it may be left out. */
export type RawConfig = z.input<typeof configSchema>

/** Every key as a path; `<name>` stands for a name of one's own. */
export function configKeys(): string[] {
  return keyPaths(configSchema)
}
