/** Identical samples for a simulated and a real Prometheus: what a volume's devices counted in one window. */

export const WINDOW = 1800
export const INTERVAL = 30
const BLOCK = 4096

export type SeriesFixture = {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly samples: readonly (readonly [seconds: number, value: number])[]
}

export type Expected = {
  readonly operationsPerSecond: number
  readonly bytesPerSecond: number
  readonly coveragePercent: number
}

/** Samples of one counter on one device; `replica` is the server of a pair that stored them. */
type Device = {
  readonly node: string
  readonly replica?: string
  readonly reads: readonly (readonly [number, number])[]
  readonly writes: readonly (readonly [number, number])[]
}

type VolumeCase = {
  readonly title: string
  readonly id: string
  readonly devices: readonly Device[]
  /** Undefined: no data. */
  readonly expected: Expected | undefined
}

/** Per second; reads and writes of every device. */
const READS = 100
const WRITES = 50

type Shape = {
  /** Indexes of the scrapes that hold the series, of 0 to 60. */
  readonly from?: number
  readonly to?: number
  readonly gap?: readonly [number, number]
  /** Seconds after the start of the window of scrape 0. */
  readonly offset?: number
  /** Value at the first scrape. */
  readonly base?: number
  /** Scrape whose value starts again as if the counter had been 0 one interval before. */
  readonly reset?: number
  readonly nanAt?: number
}

/** Scrapes of a counter that grows by `perSecond`. */
function counter(end: number, perSecond: number, shape: Shape = {}): [number, number][] {
  const { from = 0, to = 59, gap, offset = 7, base = 1_000_000, reset, nanAt } = shape
  const samples: [number, number][] = []
  for (let i = from; i <= to; i += 1) {
    if (gap !== undefined && i >= gap[0] && i <= gap[1]) continue
    const steps = reset !== undefined && i >= reset ? i - reset + 1 : i - from
    const start = reset !== undefined && i >= reset ? 0 : base
    const value = i === nanAt ? Number.NaN : start + perSecond * INTERVAL * steps
    samples.push([end - WINDOW + offset + i * INTERVAL, value])
  }
  return samples
}

function device(end: number, node: string, shape: Shape = {}, writeShape: Shape = shape): Device {
  return {
    node,
    reads: counter(end, READS, shape),
    writes: counter(end, WRITES, writeShape),
  }
}

function expected(share: number, coveragePercent: number): Expected {
  const operationsPerSecond = (READS + WRITES) * share
  return { operationsPerSecond, bytesPerSecond: operationsPerSecond * BLOCK, coveragePercent }
}

/** The cases of one run; `id(n)` makes volume ids that no other run uses. */
export function volumeCases(end: number, id: (n: number) => string): VolumeCase[] {
  // a rate is extrapolated by half an interval where the series begins or ends inside the window, but not
  // below a counter's zero; then it is divided by the whole window
  const half = INTERVAL / 2
  const rows: [string, readonly Device[], Expected | undefined][] = [
    ['a steady load', [device(end, 'a')], expected(1, 100)],
    ['a counter reset', [device(end, 'a', { reset: 30 })], expected(1, 100)],
    ['a gap of ten minutes', [device(end, 'a', { gap: [20, 39] })], expected(1, (100 * 40) / 60)],
    [
      'a late start from zero',
      [device(end, 'a', { from: 48, base: 0 })],
      expected((11 * INTERVAL + 23) / WINDOW, 20),
    ],
    [
      'a late start of an older counter',
      [device(end, 'a', { from: 48 })],
      expected((11 * INTERVAL + 23 + half) / WINDOW, 20),
    ],
    [
      'two servers that scrape the same device',
      [
        { ...device(end, 'a'), replica: 'one' },
        { ...device(end, 'a', { offset: 19 }), replica: 'two' },
      ],
      expected(1, 100),
    ],
    [
      'two servers, one of them down for a while',
      [
        { ...device(end, 'a'), replica: 'one' },
        { ...device(end, 'a', { from: 40 }), replica: 'two' },
      ],
      expected(1, 100),
    ],
    [
      'a volume that moved between two nodes',
      [device(end, 'a', { to: 29 }), device(end, 'b', { from: 30, base: 0 })],
      expected((29 * INTERVAL + 7 + half + (29 * INTERVAL + 23)) / WINDOW, 100),
    ],
    [
      'writes that were counted for three quarters of the window',
      [device(end, 'a', {}, { from: 15 })],
      {
        operationsPerSecond: READS + (WRITES * (44 * INTERVAL + 23 + half)) / WINDOW,
        bytesPerSecond: BLOCK * (READS + (WRITES * (44 * INTERVAL + 23 + half)) / WINDOW),
        coveragePercent: 75,
      },
    ],
    ['scrapes on the window’s edges', [device(end, 'a', { offset: 0, to: 60 })], expected(1, 100)],
    ['a NaN at the end', [device(end, 'a', { nanAt: 59 })], undefined],
    ['a NaN in the middle', [device(end, 'a', { nanAt: 30 })], expected(1, 100)],
    ['a single sample', [device(end, 'a', { from: 59 })], undefined],
    ['reads without writes', [{ ...device(end, 'a'), writes: [] }], undefined],
    ['no series at all', [], undefined],
  ]
  return rows.map(([title, devices, want], n) => ({ title, id: id(n), devices, expected: want }))
}

type Scheme = {
  readonly metrics: readonly [reads: string, writes: string, readBytes: string, written: string]
  labels(c: VolumeCase, node: string): Record<string, string>
  info?: string
}

/** How each preset's exporter names what the devices counted; `run` keeps runs apart. */
export const SCHEMES: Readonly<Record<string, (run: string) => Scheme>> = {
  agent: () => ({
    metrics: [
      'couchestor_volume_reads_completed_total',
      'couchestor_volume_writes_completed_total',
      'couchestor_volume_read_bytes_total',
      'couchestor_volume_written_bytes_total',
    ],
    labels: (c, node) => ({ volume_id: c.id, node, device: 'vdb' }),
  }),
  'node-exporter': (run) => ({
    metrics: [
      'node_disk_reads_completed_total',
      'node_disk_writes_completed_total',
      'node_disk_read_bytes_total',
      'node_disk_written_bytes_total',
    ],
    labels: (c, node) => ({ instance: `${node}-${run}:9100`, device: `vd-${c.id.slice(15, 18)}` }),
    info: 'node_disk_info',
  }),
  libvirt: (run) => ({
    metrics: [
      'libvirt_domain_block_stats_read_requests_total',
      'libvirt_domain_block_stats_write_requests_total',
      'libvirt_domain_block_stats_read_bytes_total',
      'libvirt_domain_block_stats_write_bytes_total',
    ],
    labels: (c, node) => ({
      instance: `hypervisor-${node}-${run}`,
      domain: `instance-${node}`,
      target_device: `vd-${c.id.slice(15, 18)}`,
    }),
    info: 'libvirt_domain_block_stats_info',
  }),
  'ceph-rbd': () => ({
    metrics: [
      'ceph_rbd_read_ops',
      'ceph_rbd_write_ops',
      'ceph_rbd_read_bytes',
      'ceph_rbd_write_bytes',
    ],
    labels: (c, node) => ({ image: `volume-${c.id}`, pool: `pool-${node}` }),
  }),
  custom: () => ({
    metrics: ['contract_reads', 'contract_writes', 'contract_read_bytes', 'contract_written_bytes'],
    labels: (c, node) => ({ volume_id: c.id, node }),
  }),
}

/** The first case's serial is cut to 20 characters, as virtio-blk does; the others are whole. */
function serialOf(c: VolumeCase, n: number): string {
  return n === 0 ? c.id.slice(0, 20) : c.id
}

/** All series of one preset for the given cases. */
export function seriesFor(
  preset: string,
  run: string,
  cases: readonly VolumeCase[],
): SeriesFixture[] {
  const scheme = SCHEMES[preset]!(run)
  return cases.flatMap((c, n) =>
    c.devices.flatMap((d) => {
      const own = scheme.labels(c, d.node)
      const labels = {
        ...own,
        contract_run: run,
        ...(d.replica === undefined ? {} : { prometheus_replica: d.replica }),
      }
      const [reads, writes, readBytes, writtenBytes] = scheme.metrics
      const scaled = (samples: readonly (readonly [number, number])[]) =>
        samples.map(([t, v]) => [t, v * BLOCK] as const)
      const series: SeriesFixture[] = [
        { name: reads, labels, samples: d.reads },
        { name: writes, labels, samples: d.writes },
        { name: readBytes, labels, samples: scaled(d.reads) },
        { name: writtenBytes, labels, samples: scaled(d.writes) },
      ]
      if (scheme.info !== undefined)
        series.push({
          name: scheme.info,
          labels: { ...labels, serial: serialOf(c, n) },
          samples: d.reads.map(([t]) => [t, 1] as const),
        })
      return series.filter((s) => s.samples.length > 0)
    }),
  )
}

/** A volume with two paths to one node, and a gap of ten minutes in both: twice the I/O, not twice the coverage. */
export function twoPaths(
  preset: string,
  run: string,
  end: number,
  id: string,
): { readonly series: SeriesFixture[]; readonly expected: Expected } {
  const gap = { gap: [20, 39] } as const
  const one = { title: '', id, devices: [device(end, 'a', gap)], expected: undefined }
  // the second of its list, so that it reports its whole id
  const path = seriesFor(preset, run, [{ ...one, devices: [] }, one])
  const other = path.map((s) => ({
    ...s,
    labels: { ...s.labels, device: `${s.labels['device']}-other` },
  }))
  return { series: [...path, ...other], expected: expected(2, (100 * 40) / 60) }
}

/** A device that was handed from one volume to another within the window: node_exporter keeps its counters' name. */
export function reusedDevice(
  run: string,
  end: number,
  before: string,
  after: string,
): SeriesFixture[] {
  const labels = { instance: `reused-${run}:9100`, device: 'vdz', contract_run: run }
  const samples = counter(end, READS)
  const info = (serial: string, part: readonly (readonly [number, number])[]): SeriesFixture => ({
    name: 'node_disk_info',
    labels: { ...labels, serial },
    samples: part.map(([t]) => [t, 1] as const),
  })
  const [reads, writes, readBytes, writtenBytes] = SCHEMES['node-exporter']!(run).metrics
  return [
    ...[reads, writes, readBytes, writtenBytes].map((name) => ({ name, labels, samples })),
    info(before, samples.slice(0, 30)),
    info(after, samples.slice(30)),
  ]
}
