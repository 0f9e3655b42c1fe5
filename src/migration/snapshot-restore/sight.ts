/** A volume as one read of Cinder shows it. */
export type VolumeSeen = {
  readonly id: string
  readonly name: string
  readonly status: string
  readonly typeId: string
  readonly sizeGiB: number
  readonly availabilityZone: string
  readonly bootable: boolean
  readonly encrypted: boolean
  readonly attached: boolean
  readonly updatedAt: string
  /** The snapshot that it was made from. */
  readonly snapshotId?: string
  readonly metadata: Readonly<Record<string, string>>
}

export type SnapshotSeen = {
  readonly id: string
  readonly name: string
  readonly volumeId: string
  readonly status: string
  readonly metadata: Readonly<Record<string, string>>
}

export type PersistentVolumeSeen = {
  readonly uid: string
  readonly resourceVersion: string
  readonly driver: string
  readonly handle: string
  readonly policy: string
  readonly finalizers: readonly string[]
  readonly terminating: boolean
  readonly claimUid: string
  /** It is not as it was saved: somebody has changed more of it than its reclaim policy and finalizers. */
  readonly changed?: true
}

/** A read failed: no conclusion of any kind. */
export type Unread = { readonly kind: 'Unreadable'; readonly why: string }

/** All read from the API server itself, never from a cache. */
export type KubeSeen = {
  readonly kind: 'Seen'
  /** undefined = there is none with that uid. */
  readonly claim:
    | {
        readonly phase: string
        /** What its owner sees of its size; missing where that cannot be read. */
        readonly sizeGiB?: number
      }
    | undefined
  /** Of the name that the claim's PersistentVolume has. */
  readonly pv: PersistentVolumeSeen | undefined
  /** Pods that use the claim and have not ended. */
  readonly pods: number
  /** VolumeAttachments of a PersistentVolume of that name. */
  readonly attachments: readonly {
    readonly name: string
    readonly uid: string
    readonly attacher: string
    readonly attached: boolean
  }[]
  /** Handles of all other PersistentVolumes; undefined in a phase that deletes no volume, and so does not ask. */
  readonly otherHandles: readonly string[] | undefined
}

export type CinderSeen = {
  readonly kind: 'Seen'
  /** undefined = Cinder itself says that it does not know it. */
  readonly source: VolumeSeen | undefined
  /** Volumes that have the derived name, or the id in the journal. */
  readonly copies: readonly VolumeSeen[]
  /** Of the source, of the copies, and those with the derived name. */
  readonly snapshots: readonly SnapshotSeen[]
}

/** What one read showed. Kubernetes and Cinder fail apart from each other. */
export type ReplaceSight = {
  readonly kube: KubeSeen | Unread
  readonly cinder: CinderSeen | Unread
}
