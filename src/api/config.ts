import { messageOf, UserError } from '../errors.ts'
import { configMistakes } from './config-mistakes.ts'
import { configSchema } from './config-schema.ts'
import type { RawConfig } from './config-schema.ts'
import { tryParseDuration } from './duration.ts'
import { readYamlDocument, refuseMistakes } from './yaml-document.ts'

/** config.yaml with defaults filled in and durations in ms; what is undefined comes from elsewhere or is off. */
export type Config = {
  readonly cloudProvider: 'openstack'
  readonly openstack: {
    readonly authUrl: string | undefined
    readonly region: string | undefined
    readonly credentialRef:
      { readonly secretName: string; readonly namespace: string | undefined } | undefined
    readonly interface: 'public' | 'internal' | 'admin' | undefined
    /** Cinder's URL, instead of the one in the catalog. */
    readonly endpointOverride: string | undefined
    readonly caFile: string | undefined
    readonly insecure: boolean
  }
  readonly prometheus: {
    readonly endpoint: string | undefined
    readonly queryTimeoutMs: number
    readonly ceilometerEndpoint: string | undefined
    readonly preset: 'agent' | 'node-exporter' | 'libvirt' | 'ceph-rbd' | 'custom'
    readonly queries:
      | {
          readonly operations: string
          readonly bytes: string
          readonly readSamples: string
          readonly writeSamples: string
        }
      | undefined
    readonly matchers: Readonly<Record<string, string>>
    /** undefined = measured from the samples. */
    readonly scrapeIntervalMs: number | undefined
    readonly lagMs: number
    readonly auth:
      | { readonly kind: 'basic'; readonly username: string; readonly passwordFile: string }
      | { readonly kind: 'bearer'; readonly tokenFile: string }
      | undefined
    readonly tls: {
      readonly caFile: string | undefined
      readonly certFile: string | undefined
      readonly keyFile: string | undefined
      readonly insecureSkipVerify: boolean
    }
    readonly headers: Readonly<Record<string, string>>
  }
  /** Where usage comes from for policies that do not say. */
  readonly metrics: { readonly source: 'Prometheus' | 'Gnocchi' }
  readonly gnocchi: {
    /** Instead of the one in the catalog. */
    readonly endpoint: string | undefined
    readonly granularityMs: number
    readonly lagMs: number
    readonly queryTimeoutMs: number
    /** As written; names of Ceilometer's metrics by the guide's keys. */
    readonly metricsMapping: Readonly<Record<string, string>>
    readonly archivePolicy: string | undefined
  }
  /** By name, in the order of the file. */
  readonly tiers: Readonly<Record<string, ConfigTier>>
  readonly migration: {
    readonly cooldownMs: number | undefined
    readonly batchSize: number | undefined
    readonly concurrentMigrations: number
    readonly useCinderTransfer: boolean
    /** The global stop switch: nothing new starts. */
    readonly paused: boolean
  }
  readonly erasureCoding: { readonly enabled: boolean }
  /** The file has a `cache` section. */
  readonly hasCache: boolean
  readonly admission: {
    /** Approvals and force-tier count although no ValidatingAdmissionPolicy can check who gives them. */
    readonly acceptPlainRbac: boolean
  }
  readonly ownMetrics: {
    /** Series for each volume on /metrics, which are off by default for their number. */
    readonly perVolume: boolean
  }
}

/** A field is only there when the file gives it. */
export type ConfigTier = {
  readonly storageClass?: string
  readonly cinderVolumeType?: string
  readonly iopsThreshold?: number
  readonly minCapacityGb?: number
}

const DEFAULT_QUERY_TIMEOUT_MS = 30_000
const DEFAULT_LAG_MS = 60_000
const DEFAULT_CONCURRENT = 2
/** That of the archive policy which Ceilometer makes for disks, and the time between its polls. */
const DEFAULT_GRANULARITY_MS = 300_000
/** Two polls, and metricd's way behind. */
const DEFAULT_GNOCCHI_LAG_MS = 1_200_000
const DEFAULT_GNOCCHI_TIMEOUT_MS = 60_000

/**
 * The text of config.yaml, read whole. Throws one `UserError` that lists every wrong or unknown key with path, value
 * and fix. An empty file means all defaults.
 */
export function parseConfig(yamlText: string, fileName: string): Config {
  const raw = readYamlDocument(yamlText, fileName)
  refuseMistakes(fileName, configMistakes(raw))
  return toConfig(configSchema.parse(raw))
}

/** Reads and parses the file; a missing or unreadable one is a `UserError` that says what to do. */
export async function loadConfig(
  path: string,
  readFile: (path: string) => Promise<string>,
): Promise<Config> {
  let text: string
  try {
    text = await readFile(path)
  } catch (e) {
    throw new UserError(
      'config',
      `--config names ${path}, which cannot be read (${messageOf(e)}): mount the ConfigMap couchestor-config there, or name another file`,
      { cause: e },
    )
  }
  return parseConfig(text, path)
}

function toConfig(raw: RawConfig): Config {
  return {
    cloudProvider: 'openstack',
    openstack: openstackOf(raw.openstack ?? {}),
    metrics: { source: raw.metrics?.source ?? 'Prometheus' },
    prometheus: prometheusOf(raw.prometheus ?? {}),
    gnocchi: gnocchiOf(raw.gnocchi ?? {}),
    tiers: Object.fromEntries(
      Object.entries(raw.tiers ?? {}).map(([name, t]) => [name, tierOf(t)]),
    ),
    migration: migrationOf(raw.migration ?? {}),
    erasureCoding: { enabled: raw.erasure_coding?.enabled ?? false },
    hasCache: raw.cache !== undefined,
    admission: { acceptPlainRbac: raw.admission?.accept_plain_rbac ?? false },
    ownMetrics: { perVolume: raw.own_metrics?.per_volume ?? false },
  }
}

function migrationOf(raw: NonNullable<RawConfig['migration']>): Config['migration'] {
  return {
    cooldownMs: msOf(raw.cooldown_period),
    batchSize: raw.batch_size,
    concurrentMigrations: raw.concurrent_migrations ?? DEFAULT_CONCURRENT,
    useCinderTransfer: raw.use_cinder_transfer ?? false,
    paused: raw.paused ?? false,
  }
}

function openstackOf(raw: NonNullable<RawConfig['openstack']>): Config['openstack'] {
  const ref = raw.credential_ref
  return {
    authUrl: raw.auth_url,
    region: raw.region,
    credentialRef: ref && { secretName: ref.secret_name, namespace: ref.namespace },
    interface: raw.interface,
    endpointOverride: raw.endpoint_override,
    caFile: raw.ca_file,
    insecure: raw.insecure ?? false,
  }
}

function prometheusOf(raw: NonNullable<RawConfig['prometheus']>): Config['prometheus'] {
  return {
    endpoint: raw.endpoint,
    queryTimeoutMs: msOf(raw.query_timeout) ?? DEFAULT_QUERY_TIMEOUT_MS,
    ceilometerEndpoint: raw.ceilometer_endpoint,
    preset: raw.preset ?? 'agent',
    queries: raw.queries && {
      operations: raw.queries.operations,
      bytes: raw.queries.bytes,
      readSamples: raw.queries.read_samples,
      writeSamples: raw.queries.write_samples,
    },
    matchers: raw.matchers ?? {},
    scrapeIntervalMs: msOf(raw.scrape_interval),
    lagMs: msOf(raw.lag) ?? DEFAULT_LAG_MS,
    auth: authOf(raw.auth),
    tls: {
      caFile: raw.tls?.ca_file,
      certFile: raw.tls?.cert_file,
      keyFile: raw.tls?.key_file,
      insecureSkipVerify: raw.tls?.insecure_skip_verify ?? false,
    },
    headers: raw.headers ?? {},
  }
}

function gnocchiOf(raw: NonNullable<RawConfig['gnocchi']>): Config['gnocchi'] {
  return {
    endpoint: raw.endpoint,
    granularityMs: msOf(raw.granularity) ?? DEFAULT_GRANULARITY_MS,
    lagMs: msOf(raw.lag) ?? DEFAULT_GNOCCHI_LAG_MS,
    queryTimeoutMs: msOf(raw.query_timeout) ?? DEFAULT_GNOCCHI_TIMEOUT_MS,
    metricsMapping: raw.metrics_mapping ?? {},
    archivePolicy: raw.archive_policy,
  }
}

function authOf(auth: NonNullable<RawConfig['prometheus']>['auth']): Config['prometheus']['auth'] {
  if (auth?.basic)
    return { kind: 'basic', username: auth.basic.username, passwordFile: auth.basic.password_file }
  if (auth?.bearer_token_file) return { kind: 'bearer', tokenFile: auth.bearer_token_file }
  return undefined
}

function tierOf(raw: NonNullable<RawConfig['tiers']>[string]): ConfigTier {
  return {
    ...(raw.storage_class !== undefined && { storageClass: raw.storage_class }),
    ...(raw.cinder_volume_type !== undefined && { cinderVolumeType: raw.cinder_volume_type }),
    ...(raw.iops_threshold !== undefined && { iopsThreshold: raw.iops_threshold }),
    ...(raw.min_capacity_gb !== undefined && { minCapacityGb: raw.min_capacity_gb }),
  }
}

function msOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : tryParseDuration(text)
}
