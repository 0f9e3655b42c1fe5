/** What the rest of the house sees of Cinder: plain data, parsed where it enters. Sizes GiB, times RFC 3339 in UTC. */
export type CinderVolume = {
  readonly id: string
  readonly status: string
  readonly sizeGiB: number
  /** Empty for a volume without a type. */
  readonly typeName: string
  /** From microversion 3.63; below it resolved by name through the type list. Empty when it has none or may not be seen. */
  readonly typeId: string
  readonly availabilityZone: string
  readonly updatedAt: string
  readonly createdAt: string
  readonly multiattach: boolean
  readonly encrypted: boolean
  readonly bootable: boolean
  readonly groupId?: string
  /** Owner; a policy of the cloud may hide it from members, who see no project but their own. */
  readonly projectId?: string
  readonly attachments: readonly {
    readonly serverId: string
    readonly device: string
    readonly hostName?: string
    /** Since when it is attached, where Cinder reports it. */
    readonly attachedAt?: string
  }[]
  readonly metadata: Readonly<Record<string, string>>
  /** Admin only; undefined for a member. */
  readonly migrationStatus?: string
}

export type CinderVolumeType = {
  readonly id: string
  readonly name: string
  readonly isPublic: boolean
  /** As far as the credential may see them; undefined where Cinder shows none at all, which is not the same as none. */
  readonly extraSpecs: Readonly<Record<string, string>> | undefined
}

export type CinderSnapshot = {
  readonly id: string
  /** Empty when Cinder does not show it: then it may be a snapshot of any volume. */
  readonly volumeId: string
  readonly name: string
  readonly status: string
  /** Missing where Cinder does not show it. */
  readonly sizeGiB?: number
  /** RFC 3339; missing where Cinder does not show it. */
  readonly createdAt?: string
}

/** A pool that the scheduler places volumes in. */
export type StoragePool = {
  /** `host@backend#pool` */
  readonly name: string
  /** What the extra spec `volume_backend_name` of a type asks for; undefined where it is not shown. */
  readonly backendName: string | undefined
  /** GiB; Infinity where the driver says so, undefined where it does not know or the answer cannot be read. */
  readonly freeGiB: number | undefined
}

/** -1 = unlimited. */
export type QuotaLine = {
  readonly limit: number
  readonly inUse: number
  readonly reserved: number
}

export type RetypeRequest = {
  readonly volumeId: string
  readonly newTypeId: string
  readonly migrationPolicy: 'never' | 'on-demand'
  /** Sent as X-OpenStack-Request-ID. */
  readonly requestId: string
  /**
   * Called synchronously right before the POST leaves, after any waiting for a login; when it throws the answer is
   * `NotSent`. The place for the lease's fence.
   */
  readonly fence?: () => void
}

/**
 * What is known after the one POST. NotSent: it certainly never reached Cinder. Rejected: Cinder itself, or what guards
 * it, provably refused, so nothing started. Unknown: time-out, reset, 5xx, or an answer that is not Cinder's; it may have
 * started.
 */
export type RetypeAnswer =
  | { readonly kind: 'Accepted'; readonly cinderRequestId?: string }
  | {
      readonly kind: 'Rejected'
      readonly httpStatus: number
      readonly message: string
      readonly quota: boolean
      /** What the answer asks for; at most minutes. */
      readonly retryAfterMs?: number
      readonly cinderRequestId?: string
    }
  | {
      readonly kind: 'NotSent'
      readonly message: string
      /** The line that has to come before it could not be written to the audit. */
      readonly unaudited?: true
    }
  | {
      readonly kind: 'Unknown'
      readonly httpStatus?: number
      readonly retryAfterMs?: number
      readonly message: string
      readonly cinderRequestId?: string
    }

/**
 * The calls of the move. Reads are retried inside (5 tries, 2 to 30 s, never on 4xx) and throw `CinderError`;
 * `retype` is sent exactly once and never throws.
 */
export interface VolumeService {
  /** All volumes of the project, paged by marker; a page at a time so that a large project never blocks the loop. */
  listVolumes(options?: {
    changedSince?: string
    signal?: AbortSignal
  }): AsyncIterable<readonly CinderVolume[]>
  /** undefined when Cinder itself says that it does not know the volume; any other 404 is thrown. */
  getVolume(id: string, signal?: AbortSignal): Promise<CinderVolume | undefined>
  listSnapshots(options?: {
    volumeId?: string
    signal?: AbortSignal
  }): Promise<readonly CinderSnapshot[]>
  listVolumeTypes(signal?: AbortSignal): Promise<readonly CinderVolumeType[]>
  /** Quota lines by name: `gigabytes`, `volumes`, `gigabytes_<type>`, … undefined when the credential may not read them. */
  getQuota(signal?: AbortSignal): Promise<ReadonlyMap<string, QuotaLine> | undefined>
  /** Administrators only, unless the policy of the cloud says otherwise: undefined when the credential may not read them. */
  listPools(signal?: AbortSignal): Promise<readonly StoragePool[] | undefined>
  /** Names of the zones that are available. */
  listAvailabilityZones(signal?: AbortSignal): Promise<readonly string[]>
  /** Highest microversion the server offers, as [major, minor]. */
  maxMicroversion(signal?: AbortSignal): Promise<readonly [number, number]>
  /** The project that everything above is asked for. */
  projectId(signal?: AbortSignal): Promise<string>
  retype(request: RetypeRequest, signal?: AbortSignal): Promise<RetypeAnswer>
}
