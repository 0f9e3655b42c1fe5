/** Names other programs and people use. They are API: never change one, only add. */
export const GROUP = 'couchestor.io'
export const VERSION = 'v1alpha1'
export const API_VERSION = `${GROUP}/${VERSION}`

export const CINDER_DRIVER = 'cinder.csi.openstack.org'

export const ANNOTATION = {
  policy: 'couchestor.io/policy',
  forceTier: 'couchestor.io/force-tier',
  forceUntil: 'couchestor.io/force-until',
  paused: 'couchestor.io/paused',
  tier: 'couchestor.io/tier',
  matchedPolicy: 'couchestor.io/matched-policy',
  lastMigration: 'couchestor.io/last-migration',
} as const

/** Field manager of everything the controller writes by server-side apply. */
export const FIELD_MANAGER = 'couchestor-controller'
export const LEASE_NAME = 'couchestor-controller'
export const DEFAULT_NAMESPACE = 'couchestor-system'
