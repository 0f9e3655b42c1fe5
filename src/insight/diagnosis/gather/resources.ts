import type { Resource } from '../../../kube/types.ts'

/** Kinds that only the doctor reads. */
export const CSI_DRIVER: Resource = cluster('storage.k8s.io', 'csidrivers', 'CSIDriver')
export const CUSTOM_RESOURCE_DEFINITION: Resource = cluster(
  'apiextensions.k8s.io',
  'customresourcedefinitions',
  'CustomResourceDefinition',
)
export const DEPLOYMENT: Resource = apps('deployments', 'Deployment')
export const DAEMON_SET: Resource = apps('daemonsets', 'DaemonSet')
/** Asks what somebody else may do; created only, never stored. */
export const SUBJECT_ACCESS_REVIEW: Resource = cluster(
  'authorization.k8s.io',
  'subjectaccessreviews',
  'SubjectAccessReview',
)

function cluster(group: string, plural: string, kind: string): Resource {
  return { group, version: 'v1', plural, kind, namespaced: false }
}

function apps(plural: string, kind: string): Resource {
  return { group: 'apps', version: 'v1', plural, kind, namespaced: true }
}
