/** What is counted of a disk, and the metric of Ceilometer's that counts it. All are totals since the disk was attached. */
export const DISK_METRICS = {
  readRequests: 'disk.device.read.requests',
  writeRequests: 'disk.device.write.requests',
  readBytes: 'disk.device.read.bytes',
  writeBytes: 'disk.device.write.bytes',
} as const

export type DiskQuantity = keyof typeof DISK_METRICS
/** The name in Gnocchi of each quantity's metric. */
export type DiskMetricNames = Readonly<Record<DiskQuantity, string>>

export const DISK_QUANTITIES = Object.keys(DISK_METRICS) as readonly DiskQuantity[]

export type MappedName =
  | {
      readonly kind: 'Metric'
      readonly name: string
      /** Why it is another than asked for. */ readonly note?: string
    }
  | { readonly kind: 'Nothing'; readonly why: string }

/**
 * The metric that a name of the guide, or of older Ceilometers, stands for. Any other name is taken as it is, so that
 * a cloud which renamed its metrics can say so. Source: Ceilometer's release notes and its gnocchi_resources.yaml.
 */
export function metricOf(name: string): MappedName {
  const real = REAL_NAMES[name]
  if (real !== undefined) return { kind: 'Metric', name: real, note: noteOf(name, real) }
  if (/latency/.test(name)) return { kind: 'Nothing', why: LATENCY }
  if (/^disk\.(read|write)\.(requests|bytes)/.test(name))
    return { kind: 'Nothing', why: WHOLE_SERVER }
  if (name.startsWith('volume.')) return { kind: 'Nothing', why: NO_VOLUME_METERS }
  return { kind: 'Metric', name }
}

export type Mapping = {
  readonly names: DiskMetricNames
  /** What is read instead of what the mapping says, one line each. */
  readonly notes: readonly string[]
  /** Entries that can stand for nothing; the mapping must be corrected. */
  readonly mistakes: readonly string[]
}

/**
 * The guide's `metrics_mapping`: `volume_iops_read`, `volume_iops_write`, `volume_throughput_read` and
 * `volume_throughput_write`; what it leaves out is as Ceilometer has it. `path` starts the messages.
 */
export function mapMetrics(given: Readonly<Record<string, string>>, path: string): Mapping {
  const names: Record<DiskQuantity, string> = { ...DISK_METRICS }
  const notes: string[] = []
  const mistakes: string[] = []
  for (const [key, name] of Object.entries(given)) {
    const quantity = QUANTITY_OF_KEY[key]
    const mapped = metricOf(name)
    if (quantity === undefined && key === 'volume_latency') notes.push(`${path}.${key}: ${LATENCY}`)
    else if (quantity === undefined)
      mistakes.push(
        `${path}.${key} is unknown: write one of ${Object.keys(QUANTITY_OF_KEY).join(', ')}`,
      )
    else if (mapped.kind === 'Nothing')
      mistakes.push(`${path}.${key} is "${name}": ${mapped.why}; write ${DISK_METRICS[quantity]}`)
    else if (countsAnother(mapped.name, quantity))
      mistakes.push(`${path}.${key} is "${name}": ${ANOTHER}; write ${DISK_METRICS[quantity]}`)
    else {
      names[quantity] = mapped.name
      if (mapped.note !== undefined) notes.push(`${path}.${key}: ${mapped.note}`)
    }
  }
  return { names, notes, mistakes }
}

const QUANTITY_OF_KEY: Readonly<Record<string, DiskQuantity>> = {
  volume_iops_read: 'readRequests',
  volume_iops_write: 'writeRequests',
  volume_throughput_read: 'readBytes',
  volume_throughput_write: 'writeBytes',
}

/** The guide's names, which no Ceilometer ever had, and those that were removed in 2018. */
const REAL_NAMES: Readonly<Record<string, string>> = Object.fromEntries(
  Object.values(DISK_METRICS).flatMap((real) => [
    [`${real.replace('disk.device', 'volume')}.rate`, real],
    [`${real}.rate`, real],
  ]),
)

function noteOf(name: string, real: string): string {
  const why = name.startsWith('volume.') ? 'no Ceilometer has' : 'Ceilometer no longer has'
  return `${why} "${name}"; ${real}, the total that the rate is made of, is read instead`
}

/** Requests taken for bytes would make a busy volume look idle. */
function countsAnother(name: string, quantity: DiskQuantity): boolean {
  return DISK_QUANTITIES.some((q) => q !== quantity && DISK_METRICS[q] === name)
}

const ANOTHER = 'it counts something else'
const LATENCY = 'latency is not used: tiers are chosen by operations and bytes'
const WHOLE_SERVER = 'it counts all disks of a server together, so it says nothing about one volume'
const NO_VOLUME_METERS = "Ceilometer's volume meters measure sizes, not input and output"
