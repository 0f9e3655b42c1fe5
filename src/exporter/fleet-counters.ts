import type { Point } from './newest-point.ts'

/** Why an attached volume has no counters. */
export const SKIP_REASONS = {
  no_device: 'Cinder does not say to which device of which server it is attached, or since when',
  shared_device: 'another volume claims the same device of the same server',
  no_resource: 'Gnocchi does not know the disk that it is attached as',
  no_mean: 'its archive policy lacks the aggregation "mean"',
  no_granularity: 'its archive policy lacks the granularity of aggregation_period',
  contradicted: 'Gnocchi has several resources of its disk, which contradict each other',
  not_asked: 'Gnocchi refused a question because of another disk; it is asked again soon',
  no_measures: 'Gnocchi has no recent measures of its disk, or not of all four counters',
  young: 'it was attached so lately that no whole period has been measured',
  stale: 'its disk has not been measured for three intervals',
} as const
export type SkipReason = keyof typeof SKIP_REASONS

/** A disk of a server that is a volume, and how its counters stood. */
export type VolumeDisk = {
  readonly volumeId: string
  readonly serverId: string
  /** `vdb` */
  readonly device: string
  readonly point: Point
}

/** The volumes of the project as Cinder and Gnocchi report them. */
export type FleetCounters = {
  readonly disks: readonly VolumeDisk[]
  /** Each attached volume of which a disk has no counters, once. */
  readonly skipped: ReadonlyMap<string, SkipReason>
  /** Attached volumes with the counters of all their disks. */
  readonly measured: number
  /** Volumes attached to nothing; they have no I/O. */
  readonly detached: number
  /** Disks in Gnocchi that are no attached volume of the project: root disks, and what was detached. */
  readonly unmappedDisks: number
}
