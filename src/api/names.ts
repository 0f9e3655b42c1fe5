/** Names other programs and people use. They are API: never change one, only add. */
export const GROUP = 'couchestor.io'
export const VERSION = 'v1alpha1'
export const API_VERSION = `${GROUP}/${VERSION}`

export const CINDER_DRIVER = 'cinder.csi.openstack.org'
/** Provisioners of StorageClasses whose volumes that driver serves: its own, and the one once built into Kubernetes. */
export const CINDER_PROVISIONERS: readonly string[] = [CINDER_DRIVER, 'kubernetes.io/cinder']

export const ANNOTATION = {
  policy: 'couchestor.io/policy',
  forceTier: 'couchestor.io/force-tier',
  forceUntil: 'couchestor.io/force-until',
  paused: 'couchestor.io/paused',
  tier: 'couchestor.io/tier',
  matchedPolicy: 'couchestor.io/matched-policy',
  lastMigration: 'couchestor.io/last-migration',
  /** On a StoragePolicy: uid of a VolumeMigration whose end is explained now, where it cannot be deleted any more. */
  explained: 'couchestor.io/explained',
  /** On a Deployment, StatefulSet or namespace: exactly "true" lets a move stop the workload for a while. */
  allowRestart: 'couchestor.io/allow-restart',
  /** On a workload that a move has stopped: uid of the VolumeMigration. Without it nothing is restored. */
  stoppedFor: 'couchestor.io/stopped-for',
} as const

/** On a claim: when its PersistentVolume was replaced last. Its change is what makes Kubernetes bind the claim at once. */
export const REPLACED_AT = 'couchestor.io/volume-replaced-at'

/** Annotations by which a person's decision stays on record; the API server's audit log is the proof. */
export const RECORD = {
  approvedBy: 'couchestor.io/approved-by',
  approvedAt: 'couchestor.io/approved-at',
  approvedReason: 'couchestor.io/approved-reason',
  cancelledBy: 'couchestor.io/cancelled-by',
  cancelledAt: 'couchestor.io/cancelled-at',
  cancelledReason: 'couchestor.io/cancelled-reason',
  rolledBackBy: 'couchestor.io/rolled-back-by',
  rolledBackAt: 'couchestor.io/rolled-back-at',
  rolledBackReason: 'couchestor.io/rolled-back-reason',
  pausedBy: 'couchestor.io/paused-by',
  pausedAt: 'couchestor.io/paused-at',
  pausedReason: 'couchestor.io/paused-reason',
} as const

/** Field manager of everything the controller writes by server-side apply. */
export const FIELD_MANAGER = 'couchestor-controller'
export const LEASE_NAME = 'couchestor-controller'
export const DEFAULT_NAMESPACE = 'couchestor-system'

/** Where usage numbers may come from (`metrics.source`). */
export const SOURCES = ['Prometheus', 'Gnocchi'] as const
export type SourceName = (typeof SOURCES)[number]
