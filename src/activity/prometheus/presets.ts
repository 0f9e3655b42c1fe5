import type { PrometheusSourceConfig, QueryTemplates } from './config.ts'

/**
 * Counters our own agent exports, labels `volume_id`, `node`, `device`: raw kernel counters since attach.
 * They are public names: dashboards and recording rules of users depend on them.
 */
export const AGENT_READS = 'couchestor_volume_reads_completed_total'
export const AGENT_WRITES = 'couchestor_volume_writes_completed_total'
export const AGENT_READ_BYTES = 'couchestor_volume_read_bytes_total'
/** Of every scrape of an agent. */
const AGENT_SUCCESS = 'couchestor_agent_scrape_success'
export const AGENT_WRITTEN_BYTES = 'couchestor_volume_written_bytes_total'

/** How the answer's label names a volume: a full UUID, a disk serial of 20 or 36 characters, an RBD image. */
export type IdentityKind = 'uuid' | 'serial' | 'image'

export type Preset = {
  readonly templates: QueryTemplates
  /** The label of the answer that identifies the volume. */
  readonly label: string
  readonly identity: IdentityKind
  /** Raw samples of one volume (`{{volume}}` = the label's value), to measure the scrape interval. */
  readonly probe?: string
  /** One series for each node whose agent has been scraped, also where no volume is attached. */
  readonly presence?: string
  /** The metric that gives each device its serial, and the series of it by serial. */
  readonly info?: {
    readonly metric: string
    readonly query: string
    /** What to do where there are no such series, and where they have no serial. */
    readonly fix: { readonly missing: string; readonly unnamed: string }
  }
}

/**
 * The counters of a preset, the labels that distinguish two devices, regardless of the scraper, and those that distinguish two
 * places apart. Several paths lead from one place to a volume: their I/O adds up, their samples do not.
 */
type Counters = {
  readonly reads: string
  readonly writes: string
  readonly readBytes: string
  readonly writtenBytes: string
  readonly device: readonly string[]
  readonly place: readonly string[]
}

const AGENT: Counters = {
  reads: AGENT_READS,
  writes: AGENT_WRITES,
  readBytes: AGENT_READ_BYTES,
  writtenBytes: AGENT_WRITTEN_BYTES,
  device: ['volume_id', 'node', 'device'],
  place: ['volume_id', 'node'],
}
const NODE_EXPORTER: Counters = {
  reads: 'node_disk_reads_completed_total',
  writes: 'node_disk_writes_completed_total',
  readBytes: 'node_disk_read_bytes_total',
  writtenBytes: 'node_disk_written_bytes_total',
  device: ['instance', 'device'],
  place: ['instance'],
}
const LIBVIRT: Counters = {
  reads: 'libvirt_domain_block_stats_read_requests_total',
  writes: 'libvirt_domain_block_stats_write_requests_total',
  readBytes: 'libvirt_domain_block_stats_read_bytes_total',
  writtenBytes: 'libvirt_domain_block_stats_write_bytes_total',
  device: ['instance', 'domain', 'target_device'],
  place: ['instance', 'domain'],
}
const CEPH_RBD: Counters = {
  reads: 'ceph_rbd_read_ops',
  writes: 'ceph_rbd_write_ops',
  readBytes: 'ceph_rbd_read_bytes',
  writtenBytes: 'ceph_rbd_write_bytes',
  device: ['image', 'pool', 'namespace'],
  place: ['image', 'pool', 'namespace'],
}

/** Said once at start with preset `ceph-rbd`. */
export const CEPH_RBD_WARNING =
  'preset ceph-rbd reads backend counters: they count migration copies, backups and snapshots too, and lose a volume whose image was renamed by a generic retype; prefer agent, node-exporter or libvirt'

/** The queries and the identity of the configured preset. */
export function presetOf(config: PrometheusSourceConfig): Preset {
  const matchers = config.matchers ?? {}
  switch (config.preset) {
    case 'agent':
      // where a disk reports 20 characters only, these are the label
      return {
        ...direct(AGENT, 'volume_id', 'serial', '', matchers),
        presence: `count by (node) (last_over_time(${AGENT_SUCCESS}{node=~".+"${rendered(matchers)}}[{{range}}]))`,
      }
    case 'ceph-rbd':
      return direct(CEPH_RBD, 'image', 'image', 'volume-', matchers)
    case 'node-exporter':
      return joined(NODE_EXPORTER, 'node_disk_info', matchers)
    case 'libvirt':
      return joined(LIBVIRT, 'libvirt_domain_block_stats_info', matchers)
    case 'custom':
      if (config.custom === undefined) throw new Error('preset custom without queries')
      return { templates: config.custom, label: 'volume_id', identity: 'uuid' }
  }
}

/** Each counter carries the volume's name itself. */
function direct(
  c: Counters,
  label: string,
  identity: IdentityKind,
  prefix: string,
  matchers: Readonly<Record<string, string>>,
): Preset {
  const of = (fn: string, by: readonly string[]) => (metric: string) =>
    `max by (${by.join(', ')}) (${fn}(${metric}{${label}=~"${prefix}{{volumes}}"${rendered(matchers)}}[{{range}}]))`
  const perVolume = (inner: string) => `sum by (${label}) (${inner})`
  return {
    label,
    identity,
    probe: `${c.reads}{${label}="{{volume}}"${rendered(matchers)}}[{{range}}]`,
    templates: templates(
      c,
      of('rate', c.device),
      of('count_over_time', c.place),
      perVolume,
      perVolume,
    ),
  }
}

const FIXES = {
  node_disk_info: {
    missing:
      'enable the diskstats collector of node_exporter 1.4 or later, or set prometheus.preset: agent',
    unnamed:
      'node_exporter reads it from udev; mount /run/udev of the node and name it in --path.udev.data, with 1.10 or later for virtio disks, or set prometheus.preset: agent',
  },
  libvirt_domain_block_stats_info: {
    missing: 'scrape the libvirt exporter of the hypervisors, or set prometheus.preset: agent',
    unnamed:
      'this libvirt exporter does not show it; use one that does, prometheus.queries with preset custom, or preset agent',
  },
} as const

/**
 * The counters know a device only; an info metric knows the serial of each device. A device that carried two
 * serials within the window is left out: its I/O can be charged to neither (and one such device would
 * otherwise fail the query of the whole fleet, as a many-to-many join).
 */
function joined(
  c: Counters,
  info: keyof typeof FIXES,
  matchers: Readonly<Record<string, string>>,
): Preset {
  const by = c.device.join(', ')
  const selected = rendered(matchers)
  const plain = selected === '' ? '' : `{${selected.slice(1)}}`
  const of = (fn: string) => (metric: string) =>
    `max by (${by}) (${fn}(${metric}${plain}[{{range}}]))`
  const serials = (matcher: string) =>
    `max by (${by}, serial) (last_over_time(${info}{${matcher}${selected}}[{{range}}]))`
  const single = `count by (${by}) (${serials('serial!=""')}) == 1`
  const disks = `(${serials('serial=~"{{volumes}}"')} and on (${by}) (${single}))`
  const named = (inner: string) => `(${inner}) * on (${by}) group_left (serial) ${disks}`
  const place = c.place.join(', ')
  return {
    label: 'serial',
    identity: 'serial',
    probe: `${info}{serial="{{volume}}"${selected}}[{{range}}]`,
    info: {
      metric: info,
      fix: FIXES[info],
      query: `count by (serial) (last_over_time(${info}${plain}[{{range}}]))`,
    },
    templates: templates(
      c,
      of('rate'),
      of('count_over_time'),
      (inner) => `sum by (serial) (${named(inner)})`,
      (inner) => `sum by (serial) (max by (${place}, serial) (${named(inner)}))`,
    ),
  }
}

/**
 * rate before sum, or a counter reset on one node would hide behind the others; the inner `max by` folds the
 * copies that a pair of servers stores, the outer sum adds the nodes a volume was attached to.
 */
function templates(
  c: Counters,
  rate: (metric: string) => string,
  count: (metric: string) => string,
  perVolume: (inner: string) => string,
  samplesPerVolume: (inner: string) => string,
): QueryTemplates {
  return {
    operations: perVolume(`${rate(c.reads)} + ${rate(c.writes)}`),
    bytes: perVolume(`${rate(c.readBytes)} + ${rate(c.writtenBytes)}`),
    readSamples: samplesPerVolume(count(c.reads)),
    writeSamples: samplesPerVolume(count(c.writes)),
  }
}

function rendered(matchers: Readonly<Record<string, string>>): string {
  return Object.entries(matchers)
    .map(([label, value]) => `,${label}=${JSON.stringify(value)}`)
    .join('')
}

/** All volumes at once, or sixteen parts by the first hex digit of the id. */
export function shards(split: boolean): readonly string[] {
  if (!split) return ['.+']
  return [...'0123456789', ...[...'abcdef'].map((d) => `[${d}${d.toUpperCase()}]`)].map(
    (d) => `${d}.*`,
  )
}

/** virtio-blk cuts a serial to 20 bytes, and the rest of what a label says of a volume is the same. */
const CUT_LENGTH = 20

/** Matches the labels of these volumes, in full or cut, in either case; more than a few of them match all. */
export function namesOf(volumeIds: readonly string[]): string | undefined {
  if (volumeIds.length > MOST_NAMES || volumeIds.length === 0) return undefined
  if (!volumeIds.every((id) => /^[0-9a-f-]+$/i.test(id))) return undefined
  const cut = (id: string) =>
    id
      .toLowerCase()
      .slice(0, CUT_LENGTH)
      .replaceAll(/[a-f]/g, (d) => `[${d}${d.toUpperCase()}]`)
  return `(${volumeIds.map(cut).join('|')}).*`
}
const MOST_NAMES = 50

/** Fills the placeholders of a query. */
export function fillTemplate(
  template: string,
  values: { windowSeconds: number; volumes?: string; volume?: string },
): string {
  const { windowSeconds, volumes = '.+', volume = '' } = values
  const known: Record<string, string> = {
    window: String(windowSeconds),
    range: `${windowSeconds}s`,
    volumes,
    volume,
  }
  return template.replaceAll(/\{\{\s*(\w+)\s*\}\}/g, (whole, name: string) => known[name] ?? whole)
}
