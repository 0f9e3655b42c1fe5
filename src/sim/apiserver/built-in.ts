import type { Column, Definition, KubeJson } from './types.ts'
import { META_SCHEMA } from './custom-resource.ts'
import {
  autoscaler,
  claim,
  deployment,
  event,
  lease,
  namespace,
  persistentVolume,
  pod,
  secret,
  statefulSet,
  storageClass,
} from './built-in-rules.ts'
import type { Schema } from './schema.ts'

type Options = Partial<Omit<Definition, 'group' | 'version' | 'kind' | 'plural'>> & {
  lists?: Schema
}

const AGE: Column = { name: 'Age', type: 'date', path: '.metadata.creationTimestamp' }
const OPEN: Schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }

function define(groupVersion: string, kind: string, plural: string, options: Options): Definition {
  const [group, version] = groupVersion.includes('/') ? groupVersion.split('/') : ['', groupVersion]
  const { lists, ...rest } = options
  return {
    group: group!,
    version: version!,
    kind,
    plural,
    singular: kind.toLowerCase(),
    shortNames: [],
    namespaced: true,
    status: false,
    custom: false,
    schema: { ...OPEN, ...lists, properties: { ...lists?.properties, metadata: META_SCHEMA } },
    generation: false,
    selectable: [],
    createOnUpdate: false,
    unconditional: true,
    returnsDeleted: false,
    columns: [AGE],
    ...rest,
  }
}

const CONDITIONS = byKey('type')

function byKey(...keys: string[]): Schema {
  return {
    type: 'array',
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': keys,
    items: OPEN,
  }
}

function lists(spec: Record<string, Schema>, status: Record<string, Schema> = {}): Schema {
  return {
    properties: {
      spec: { ...OPEN, properties: spec },
      status: { ...OPEN, properties: { conditions: CONDITIONS, ...status } },
    },
  }
}

function column(name: string, path: string): Column {
  return { name, type: 'string', path }
}

const EVENT_FIELDS = [
  'involvedObject.kind',
  'involvedObject.namespace',
  'involvedObject.name',
  'involvedObject.uid',
  'involvedObject.apiVersion',
  'involvedObject.resourceVersion',
  'involvedObject.fieldPath',
  'reason',
  'reportingComponent',
  'source',
  'type',
]

const ADMISSION_POLICIES = 'validatingadmissionpolicies'

/** The built-in kinds that an operator of volumes meets. */
export const BUILT_IN: readonly Definition[] = [
  define('v1', 'Namespace', 'namespaces', {
    namespaced: false,
    status: true,
    shortNames: ['ns'],
    selectable: ['status.phase'],
    columns: [column('Status', '.status.phase'), AGE],
    ...namespace,
  }),
  define('v1', 'PersistentVolume', 'persistentvolumes', {
    namespaced: false,
    status: true,
    shortNames: ['pv'],
    returnsDeleted: true,
    ...persistentVolume,
    columns: [
      column('Capacity', '.spec.capacity.storage'),
      column('Status', '.status.phase'),
      column('StorageClass', '.spec.storageClassName'),
      AGE,
    ],
  }),
  define('v1', 'PersistentVolumeClaim', 'persistentvolumeclaims', {
    status: true,
    shortNames: ['pvc'],
    returnsDeleted: true,
    ...claim,
    columns: [
      column('Status', '.status.phase'),
      column('Volume', '.spec.volumeName'),
      column('Capacity', '.status.capacity.storage'),
      column('StorageClass', '.spec.storageClassName'),
      AGE,
    ],
    lists: lists({}),
  }),
  define('v1', 'Pod', 'pods', {
    status: true,
    shortNames: ['po'],
    returnsDeleted: true,
    generation: true,
    ...pod,
    selectable: [
      'spec.nodeName',
      'spec.restartPolicy',
      'spec.schedulerName',
      'spec.serviceAccountName',
      'spec.hostNetwork',
      'status.phase',
      'status.podIP',
      'status.nominatedNodeName',
    ],
    columns: [column('Status', '.status.phase'), AGE],
    lists: lists({
      containers: byKey('name'),
      initContainers: byKey('name'),
      volumes: byKey('name'),
    }),
  }),
  define('v1', 'Node', 'nodes', {
    namespaced: false,
    status: true,
    shortNames: ['no'],
    selectable: ['spec.unschedulable'],
    lists: lists({ taints: { type: 'array' } }),
  }),
  define('v1', 'Event', 'events', {
    shortNames: ['ev'],
    selectable: EVENT_FIELDS,
    createOnUpdate: true,
    ...event,
    columns: [
      column('Type', '.type'),
      column('Reason', '.reason'),
      column('Message', '.message'),
      AGE,
    ],
  }),
  define('v1', 'Secret', 'secrets', { selectable: ['type'], ...secret }),
  define('v1', 'ConfigMap', 'configmaps', { shortNames: ['cm'] }),
  define('v1', 'ServiceAccount', 'serviceaccounts', { shortNames: ['sa'], returnsDeleted: true }),
  define('storage.k8s.io/v1', 'StorageClass', 'storageclasses', {
    namespaced: false,
    shortNames: ['sc'],
    returnsDeleted: true,
    ...storageClass,
    columns: [
      column('Provisioner', '.provisioner'),
      column('ReclaimPolicy', '.reclaimPolicy'),
      AGE,
    ],
  }),
  define('storage.k8s.io/v1', 'VolumeAttachment', 'volumeattachments', {
    namespaced: false,
    status: true,
    returnsDeleted: true,
    columns: [
      column('Attacher', '.spec.attacher'),
      column('PV', '.spec.source.persistentVolumeName'),
      column('Node', '.spec.nodeName'),
      column('Attached', '.status.attached'),
      AGE,
    ],
  }),
  // stored and served; what they say is not enforced here
  define('admissionregistration.k8s.io/v1', 'ValidatingAdmissionPolicy', ADMISSION_POLICIES, {
    namespaced: false,
    status: true,
    generation: true,
    since: 30,
  }),
  define(
    'admissionregistration.k8s.io/v1',
    'ValidatingAdmissionPolicyBinding',
    'validatingadmissionpolicybindings',
    { namespaced: false, generation: true, since: 30 },
  ),
  define('coordination.k8s.io/v1', 'Lease', 'leases', {
    createOnUpdate: true,
    unconditional: false,
    ...lease,
    columns: [column('Holder', '.spec.holderIdentity'), AGE],
  }),
  define('snapshot.storage.k8s.io/v1', 'VolumeSnapshot', 'volumesnapshots', snapshotKind('vs')),
  define('snapshot.storage.k8s.io/v1', 'VolumeSnapshotContent', 'volumesnapshotcontents', {
    ...snapshotKind('vsc'),
    namespaced: false,
  }),
  define('snapshot.storage.k8s.io/v1', 'VolumeSnapshotClass', 'volumesnapshotclasses', {
    ...snapshotKind('vsclass'),
    namespaced: false,
    status: false,
  }),
  define('apiextensions.k8s.io/v1', 'CustomResourceDefinition', 'customresourcedefinitions', {
    namespaced: false,
    status: true,
    shortNames: ['crd'],
    generation: true,
    prepare: (crd) => ({ ...crd, status: established(crd) }),
  }),
]

/** Kinds that a controller would make pods of, or that speak of pods; served only where asked for. */
export const WORKLOADS: readonly Definition[] = [
  define('apps/v1', 'Deployment', 'deployments', {
    status: true,
    generation: true,
    shortNames: ['deploy'],
    ...deployment,
  }),
  define('apps/v1', 'DaemonSet', 'daemonsets', { status: true, generation: true }),
  define('apps/v1', 'ReplicaSet', 'replicasets', {
    status: true,
    generation: true,
    shortNames: ['rs'],
    ...deployment,
  }),
  define('apps/v1', 'StatefulSet', 'statefulsets', {
    status: true,
    generation: true,
    shortNames: ['sts'],
    ...statefulSet,
  }),
  define('policy/v1', 'PodDisruptionBudget', 'poddisruptionbudgets', {
    status: true,
    generation: true,
    shortNames: ['pdb'],
  }),
  define('autoscaling/v2', 'HorizontalPodAutoscaler', 'horizontalpodautoscalers', {
    status: true,
    shortNames: ['hpa'],
    ...autoscaler,
  }),
]

/** A custom resource in a real cluster; here its schema is left open. */
function snapshotKind(shortName: string): Options {
  return {
    status: true,
    custom: true,
    generation: true,
    unconditional: false,
    shortNames: [shortName],
  }
}

function established(crd: KubeJson) {
  const { names } = crd['spec'] as { names: unknown }
  const condition = (type: string) => ({ type, status: 'True', reason: type, message: type })
  return {
    acceptedNames: names,
    conditions: [condition('NamesAccepted'), condition('Established')],
  }
}
