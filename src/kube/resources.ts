import { GROUP, VERSION } from '../api/names.ts'
import type { Resource } from './types.ts'

export const PERSISTENT_VOLUME_CLAIM = core('persistentvolumeclaims', 'PersistentVolumeClaim', true)
export const PERSISTENT_VOLUME = core('persistentvolumes', 'PersistentVolume', false)
export const NAMESPACE = core('namespaces', 'Namespace', false)
export const NODE = core('nodes', 'Node', false)
export const POD = core('pods', 'Pod', true)
export const CONFIG_MAP = core('configmaps', 'ConfigMap', true)
export const SECRET = core('secrets', 'Secret', true)
export const EVENT = core('events', 'Event', true)
export const STORAGE_CLASS = storage('storageclasses', 'StorageClass')
export const VOLUME_ATTACHMENT = storage('volumeattachments', 'VolumeAttachment')
export const DEPLOYMENT = apps('deployments', 'Deployment')
export const STATEFUL_SET = apps('statefulsets', 'StatefulSet')
export const REPLICA_SET = apps('replicasets', 'ReplicaSet')
export const POD_DISRUPTION_BUDGET: Resource = {
  group: 'policy',
  version: 'v1',
  plural: 'poddisruptionbudgets',
  kind: 'PodDisruptionBudget',
  namespaced: true,
}
export const HORIZONTAL_POD_AUTOSCALER: Resource = {
  group: 'autoscaling',
  version: 'v2',
  plural: 'horizontalpodautoscalers',
  kind: 'HorizontalPodAutoscaler',
  namespaced: true,
}
/** Of KEDA; a custom resource that may not be there. */
export const SCALED_OBJECT: Resource = {
  group: 'keda.sh',
  version: 'v1alpha1',
  plural: 'scaledobjects',
  kind: 'ScaledObject',
  namespaced: true,
}
export const STORAGE_POLICY = own('storagepolicies', 'StoragePolicy', false)
export const VOLUME_MIGRATION = own('volumemigrations', 'VolumeMigration', true)
export const TIERING_CHECKPOINT = own('tieringcheckpoints', 'TieringCheckpoint', false)
export const LEASE: Resource = {
  group: 'coordination.k8s.io',
  version: 'v1',
  plural: 'leases',
  kind: 'Lease',
  namespaced: true,
}
/** Checks who approves and who forces a tier; since Kubernetes 1.30. */
export const VALIDATING_ADMISSION_POLICY: Resource = {
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  plural: 'validatingadmissionpolicies',
  kind: 'ValidatingAdmissionPolicy',
  namespaced: false,
}
/** Asks what we may do; created only, never stored. */
export const SELF_SUBJECT_ACCESS_REVIEW: Resource = {
  group: 'authorization.k8s.io',
  version: 'v1',
  plural: 'selfsubjectaccessreviews',
  kind: 'SelfSubjectAccessReview',
  namespaced: false,
}

/** Asks who we are; created only, never stored. */
export const SELF_SUBJECT_REVIEW: Resource = {
  group: 'authentication.k8s.io',
  version: 'v1',
  plural: 'selfsubjectreviews',
  kind: 'SelfSubjectReview',
  namespaced: false,
}

/** `apiVersion` of a resource's objects: `v1`, `storage.k8s.io/v1`. */
export function apiVersionOf(resource: Resource): string {
  return resource.group === '' ? resource.version : `${resource.group}/${resource.version}`
}

/** `persistentvolumes`, `storagepolicies.couchestor.io`: as kubectl and RBAC messages name it. */
export function resourceName(resource: Resource): string {
  return resource.group === '' ? resource.plural : `${resource.plural}.${resource.group}`
}

export type ObjectPath = {
  readonly namespace?: string | undefined
  readonly name: string
  readonly subresource?: string | undefined
}

/** Path of the list of kinds that the API server has in that group and version. */
export function groupVersionPath(resource: Resource): string {
  return resource.group === '' ? `/api/${resource.version}` : `/apis/${apiVersionOf(resource)}`
}

/** Path of all objects of a kind, in one namespace or (without) in all. */
export function collectionPath(resource: Resource, namespace?: string): string {
  const root = groupVersionPath(resource)
  if (namespace === undefined) return `${root}/${resource.plural}`
  if (!resource.namespaced) throw new Error(`${resource.kind} has no namespace`)
  return `${root}/namespaces/${segment(namespace, 'namespace')}/${resource.plural}`
}

/** Path of one object. Throws on a name that would address something else. */
export function objectPath(
  resource: Resource,
  { namespace, name, subresource }: ObjectPath,
): string {
  if (resource.namespaced && namespace === undefined)
    throw new Error(`${resource.kind} "${name}" needs a namespace`)
  const path = `${collectionPath(resource, namespace)}/${segment(name, 'name')}`
  return subresource === undefined ? path : `${path}/${subresource}`
}

// an empty name would address the whole collection, and a dot segment another path
function segment(value: string, what: string): string {
  if (value === '' || value === '.' || value === '..')
    throw new Error(`"${value}" is no ${what} of an object`)
  return encodeURIComponent(value)
}

function core(plural: string, kind: string, namespaced: boolean): Resource {
  return { group: '', version: 'v1', plural, kind, namespaced }
}

function apps(plural: string, kind: string): Resource {
  return { group: 'apps', version: 'v1', plural, kind, namespaced: true }
}

function storage(plural: string, kind: string): Resource {
  return { group: 'storage.k8s.io', version: 'v1', plural, kind, namespaced: false }
}

function own(plural: string, kind: string, namespaced: boolean): Resource {
  return { group: GROUP, version: VERSION, plural, kind, namespaced }
}
