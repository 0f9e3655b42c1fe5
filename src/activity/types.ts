import type { SourceName } from '../api/names.ts'

/** Usage of one volume in one window. Operations and bytes per second, means over the window. */
export type VolumeActivity = {
  readonly operationsPerSecond: number
  readonly bytesPerSecond: number
  /** Samples seen of samples expected, in per cent; the lesser of reads and writes. */
  readonly coveragePercent: number
}

export type WindowQuery = {
  /** End of the window, whole seconds since the epoch; asked as the explicit evaluation time. */
  readonly endSeconds: number
  readonly windowSeconds: number
  readonly signal?: AbortSignal
  /** Only these volumes matter: the answer may leave out all others. Default: the whole fleet. */
  readonly history?: HistoryOf
}

/** Windows of the past for a few volumes. */
export type HistoryOf = {
  readonly volumeIds: readonly string[]
  /** The windows up to this end are asked for next, so that the source may read them along. */
  readonly throughSeconds: number
}

/**
 * The fleet's usage in one window. A volume that is not in the map has no data: never zero.
 * `warnings` name duplicates, partial answers, unmapped series. `Down` says why nothing is known.
 */
export type WindowAnswer =
  | {
      readonly kind: 'Answer'
      readonly volumes: ReadonlyMap<string, VolumeActivity>
      readonly warnings: readonly string[]
      /** Why a volume that is not in `volumes` has no data, as far as the source knows. */
      readonly missing?: ReadonlyMap<string, string>
    }
  | { readonly kind: 'Down'; readonly why: string }

export interface ActivitySource {
  readonly name: string
  /** How long after its end a window is complete. */
  readonly lagSeconds: number
  /** Answers only for the volumes it was given: an earlier answer lacks those that came since. */
  readonly knownVolumesOnly?: true
  /** A constant number of requests whatever the size of the fleet; history takes some for many windows. Never throws. */
  window(query: WindowQuery): Promise<WindowAnswer>
}

/** The sources a policy can name. */
export type ActivitySources = Readonly<Record<SourceName, ActivitySource>>

/** One place where a volume is attached, as Cinder reports it. */
export type VolumeAttachment = {
  readonly volumeId: string
  readonly serverId: string
  /** Mountpoint, such as /dev/vdb. */
  readonly device: string
  /** Undefined when Cinder does not report it. */
  readonly attachedAtSeconds?: number
}

/** What a source may have to know of the volumes whose usage is asked. */
export type Fleet = {
  attachments(): readonly VolumeAttachment[] | Promise<readonly VolumeAttachment[]>
}

/** A fleet as a source needs it whose series may name a volume by the 20 characters that a virtio disk reports. */
export type NamedFleet = Fleet & {
  /** Ids of all volumes there are, managed or not: 20 characters that fit two of them are no name. */
  volumeIds(): Iterable<string>
}
