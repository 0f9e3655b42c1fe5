/** The rows of the simulated cloud. Times are ms since the epoch, sizes GiB. */
export type VolumeRow = {
  readonly id: string
  projectId: string
  userId: string
  name: string | null
  description: string | null
  status: string
  previousStatus: string | null
  sizeGiB: number
  typeId: string
  availabilityZone: string
  /** `host@backend#pool`; null until it is scheduled. */
  host: string | null
  readonly createdAt: number
  updatedAt: number | null
  metadata: Record<string, string>
  bootable: boolean
  encrypted: boolean
  multiattach: boolean
  groupId: string | null
  migrationStatus: string | null
  /** Set when the backend's object kept the name of the migration's temporary volume. */
  nameId: string | null
  snapshotId: string | null
  /** The snapshot this volume still shares blocks with; a migration makes it independent. */
  dependsOnSnapshot: string | null
  sourceVolid: string | null
  useQuota: boolean
  /** An attached volume shows no attachments for a moment while its migration completes. */
  attachmentsHidden: boolean
  /** What the volume holds, as an opaque token: equal before and after a move that lost nothing. */
  data: string
}

export type SnapshotRow = {
  readonly id: string
  readonly volumeId: string
  projectId: string
  readonly userId: string
  name: string | null
  description: string | null
  status: string
  sizeGiB: number
  readonly createdAt: number
  updatedAt: number | null
  metadata: Record<string, string>
  readonly data: string
}

export type BackupRow = {
  readonly id: string
  readonly projectId: string
  readonly userId: string
  name: string | null
  description: string | null
  readonly volumeId: string
  status: string
  readonly sizeGiB: number
  readonly createdAt: number
  updatedAt: number | null
  failReason: string | null
  metadata: Record<string, string>
  /** Of the volume, as they were when it was backed up. */
  readonly volumeMetadata: Readonly<Record<string, string>>
  readonly bootable: boolean
  readonly data: string
}

/** What there is of cinder-backup. `dead`: it takes everything on, and does nothing. */
export type BackupService = {
  service: 'up' | 'absent' | 'dead'
  /** The next backup fails. */
  fails: boolean
  /** What becomes of the next restore. `empty`: a volume that is not of the backup. */
  restores: 'as it was' | 'error' | 'empty'
}

export type AttachmentRow = {
  readonly id: string
  readonly volumeId: string
  readonly projectId: string
  readonly serverId: string
  status: 'reserved' | 'attaching' | 'attached'
  device: string | null
  hostName: string | null
  readonly mode: string
  /** A connector was given, so the backend was notified; Cinder then asks Nova before it releases the volume. */
  readonly connected: boolean
  attachedAt: number | null
}

export type VolumeTypeRow = {
  readonly id: string
  name: string
  readonly description: string | null
  isPublic: boolean
  readonly createdAt: number
  extraSpecs: Record<string, string>
  /** Projects a private type is open to. */
  readonly access: Set<string>
  readonly encrypted: boolean
  /** Quality-of-service limits applied by the hypervisor; a change of them needs a detached volume. */
  readonly frontEndQos: string | null
  readonly qosSpecsId: string | null
}

export type BackendRow = {
  /** Value of `volume_backend_name`. */
  readonly name: string
  /** `host@backend#pool` */
  readonly host: string
  readonly serviceId: string
  readonly availabilityZone: string
  readonly totalGiB: number
  /** Sum of the sizes of the volumes on it. */
  allocatedGiB: number
  /** Speed of a copy that ends on this backend, MiB/s. */
  copyMiBps: number
  up: boolean
}

export type MessageRow = {
  readonly id: string
  readonly projectId: string
  readonly eventId: string
  readonly userMessage: string
  readonly requestId: string
  readonly resourceType: string
  readonly resourceId: string
  readonly createdAt: number
}

export type TransferRow = {
  readonly id: string
  readonly name: string | null
  readonly volumeId: string
  readonly projectId: string
  readonly createdAt: number
  readonly authKey: string
  readonly noSnapshots: boolean
}

/** Who sends the request, as the token says. */
export type Caller = {
  readonly userId: string
  readonly projectId: string
  readonly isAdmin: boolean
}
