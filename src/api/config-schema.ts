import * as z from 'zod'
import { duration, flag, integer, number, oneOf, text, url } from './fields.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const MOST = 1_000_000_000

/** A section that is missing, or empty as `cache:` with all lines below commented out, is the empty section. */
function section<T extends z.ZodRawShape>(shape: T) {
  return z.preprocess((value) => value ?? {}, z.strictObject(shape))
}

const file = () => text(4096, '/etc/couchestor/ca.pem')

const tier = section({
  storage_class: text().optional(),
  cinder_volume_type: text(255).optional(),
  iops_threshold: number(0, 10_000_000).optional(),
  min_capacity_gb: number(0, MOST).optional(),
})

const openstack = section({
  auth_url: url('https://keystone.example.com:5000/v3').optional(),
  region: text(255, 'RegionOne').optional(),
  credential_ref: section({
    secret_name: text(253, 'openstack-credentials'),
    namespace: text(63, 'couchestor-system').optional(),
  }).optional(),
  interface: oneOf('public', 'internal', 'admin').optional(),
  endpoint_override: url('https://cinder.example.com:8776/v3/0123456789abcdef').optional(),
  ca_file: file().optional(),
  insecure: flag().optional(),
})

const query = () => text(16_384, 'sum by (volume_id) (rate(my_operations_total[{{range}}]))')

const prometheus = section({
  endpoint: url('http://prometheus-server.monitoring.svc:9090').optional(),
  query_timeout: duration(SECOND, 10 * MINUTE).optional(),
  ceilometer_endpoint: url('http://gnocchi-api.openstack.svc:8041').optional(),
  preset: oneOf('agent', 'node-exporter', 'libvirt', 'ceph-rbd', 'custom').optional(),
  queries: section({
    operations: query(),
    bytes: query(),
    read_samples: query(),
    write_samples: query(),
  }).optional(),
  matchers: z.record(z.string(), text(1024)).optional(),
  scrape_interval: duration(SECOND, HOUR).optional(),
  lag: duration(0, HOUR).optional(),
  auth: section({
    basic: section({ username: text(1024), password_file: file() }).optional(),
    bearer_token_file: file().optional(),
  }).optional(),
  tls: section({
    ca_file: file().optional(),
    cert_file: file().optional(),
    key_file: file().optional(),
    insecure_skip_verify: flag().optional(),
  }).optional(),
  headers: z.record(z.string(), text(8192, 'X-Scope-OrgID: my-tenant')).optional(),
})

const gnocchi = section({
  endpoint: url('http://gnocchi-api.openstack.svc:8041').optional(),
  granularity: duration(SECOND, HOUR).optional(),
  lag: duration(0, 6 * HOUR).optional(),
  query_timeout: duration(SECOND, 10 * MINUTE).optional(),
  metrics_mapping: z.record(z.string(), text(255, 'disk.device.read.requests')).optional(),
  archive_policy: text(255, 'ceilometer-low-rate').optional(),
})

/** config.yaml as it is written: the keys of the guide and ours, all of them optional. */
export const configSchema = section({
  cloud_provider: oneOf('openstack').optional(),
  openstack: openstack.optional(),
  metrics: section({ source: oneOf('Prometheus', 'Gnocchi').optional() }).optional(),
  prometheus: prometheus.optional(),
  gnocchi: gnocchi.optional(),
  tiers: z.preprocess((value) => value ?? {}, z.record(z.string(), tier)).optional(),
  erasure_coding: section({
    enabled: flag().optional(),
    data_shards: integer(2, 32).optional(),
    parity_shards: integer(1, 16).optional(),
    stripe_size_mb: integer(1, 1024).optional(),
  }).optional(),
  migration: section({
    cooldown_period: duration(0, 8760 * HOUR).optional(),
    batch_size: integer(1, 1000).optional(),
    concurrent_migrations: integer(1, 100).optional(),
    use_cinder_transfer: flag().optional(),
    paused: flag().optional(),
  }).optional(),
  cache: section({
    l1_size_mb: integer(0, MOST).optional(),
    l2_size_mb: integer(0, MOST).optional(),
    compression: text(32, 'zstd').optional(),
    prefetch_enabled: flag().optional(),
  }).optional(),
  admission: section({ accept_plain_rbac: flag().optional() }).optional(),
  own_metrics: section({ per_volume: flag().optional() }).optional(),
})

export type RawConfig = z.output<typeof configSchema>

/** Every key as a path; `<name>` stands for a name of one's own. */
export function configKeys(schema: z.core.$ZodType = configSchema, path = ''): string[] {
  const { def } = schema._zod
  if (def.type === 'optional') return configKeys((def as z.core.$ZodOptionalDef).innerType, path)
  if (def.type === 'pipe') return configKeys((def as z.core.$ZodPipeDef).out, path)
  if (def.type === 'record')
    return configKeys((def as z.core.$ZodRecordDef).valueType, `${path}<name>.`)
  if (def.type !== 'object') return [path.slice(0, -1)]
  return Object.entries((def as z.core.$ZodObjectDef).shape).flatMap(([key, child]) =>
    configKeys(child, `${path}${key}.`),
  )
}
