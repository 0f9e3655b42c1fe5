import type { PanelSpec } from '../panels.ts'
import { RATE } from '../promql.ts'
import { volumeRate, volumeRatio } from './counters.ts'
import type { Counter } from './counters.ts'

/** Default length of the windows over which the controller judges. */
export const WINDOW = '30m'
export const NONE = 'no exporter shows this volume'

const sum = (a: Counter, b: Counter, window: string) =>
  `((${volumeRate(a, window)}) + (${volumeRate(b, window)}))`
export const operations = (window: string) => sum('reads', 'writes', window)
export const asOperations = (window: string) =>
  `(${sum('readBytes', 'writtenBytes', window)} / ($io_unit_kib * 1024))`
/** The greater of the two: sequential reads of 1 MiB are not cold. */
export const demand = (window: string) =>
  `(${operations(window)} >= ${asOperations(window)}) or ${asOperations(window)}`
/** What the disk does. */
export const load: readonly PanelSpec[] = [
  {
    kind: 'timeseries',
    title: 'Operations',
    description: 'Reads and writes that the disk completed per second.',
    unit: 'iops',
    width: 12,
    style: 'stacked',
    queries: [
      { expr: volumeRate('reads', RATE), legend: 'reads' },
      { expr: volumeRate('writes', RATE), legend: 'writes' },
    ],
    noData: NONE,
  },
  {
    kind: 'timeseries',
    title: 'Bytes',
    description: 'Bytes read and written per second.',
    unit: 'binBps',
    width: 12,
    style: 'stacked',
    queries: [
      { expr: volumeRate('readBytes', RATE), legend: 'read' },
      { expr: volumeRate('writtenBytes', RATE), legend: 'written' },
    ],
    noData: NONE,
  },
  {
    kind: 'timeseries',
    title: 'Time of an operation',
    description:
      'Mean time of an operation: growth of the time counter by growth of the operation counter. From libvirt or node_exporter; the agent counts operations and bytes only. Rises when a tier throttles.',
    unit: 's',
    width: 12,
    queries: [
      { expr: volumeRatio('readTime', 'reads', RATE), legend: 'read' },
      { expr: volumeRatio('writeTime', 'writes', RATE), legend: 'write' },
    ],
    noData: 'no exporter counts time',
  },
  {
    kind: 'timeseries',
    title: 'Size of an operation',
    description:
      'Mean bytes per operation. Above the I/O unit the bytes decide about the tier, below it the operations.',
    unit: 'bytes',
    width: 12,
    queries: [
      { expr: volumeRatio('readBytes', 'reads', RATE), legend: 'read' },
      { expr: volumeRatio('writtenBytes', 'writes', RATE), legend: 'write' },
    ],
    noData: NONE,
  },
]
