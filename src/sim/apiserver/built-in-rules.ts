import type { Cause, Definition, KubeJson } from './types.ts'
import { isObject, sameJson, textOf, valueAt } from './types.ts'

type Rules = Pick<Definition, 'prepare' | 'validate' | 'decodeError'>

function spec(object: KubeJson): Readonly<Record<string, unknown>> {
  return isObject(object['spec']) ? object['spec'] : {}
}

function required(field: string, why = 'Required value'): Cause {
  return { reason: 'FieldValueRequired', message: why, field }
}

function invalidValue(field: string, value: unknown, why: string): Cause {
  return {
    reason: 'FieldValueInvalid',
    message: `Invalid value: ${JSON.stringify(value)}: ${why}`,
    field,
  }
}

function forbiddenField(field: string, why: string): Cause {
  return { reason: 'FieldValueForbidden', message: `Forbidden: ${why}`, field }
}

function withFinalizer(object: KubeJson, finalizer: string): KubeJson {
  const finalizers = object.metadata.finalizers ?? []
  if (finalizers.includes(finalizer)) return object
  return { ...object, metadata: { ...object.metadata, finalizers: [...finalizers, finalizer] } }
}

export const namespace: Rules = {
  prepare: (ns) => ({
    ...ns,
    metadata: {
      ...ns.metadata,
      labels: { ...ns.metadata.labels, 'kubernetes.io/metadata.name': ns.metadata.name },
    },
    spec: { finalizers: ['kubernetes'] },
    status: { phase: 'Active' },
  }),
}

const CLAIM_MUTABLE = ['resources', 'volumeAttributesClassName']

export const claim: Rules = {
  prepare: (pvc) => ({
    ...withFinalizer(pvc, 'kubernetes.io/pvc-protection'),
    spec: { volumeMode: 'Filesystem', ...spec(pvc) },
    status: { phase: 'Pending' },
  }),
  validate: (pvc, old) => [
    ...(Array.isArray(spec(pvc)['accessModes'])
      ? []
      : [required('spec.accessModes', 'Required value: at least 1 access mode is required')]),
    ...(valueAt(pvc, 'spec.resources.requests.storage') === undefined
      ? [required('spec.resources[storage]')]
      : []),
    ...(old === undefined || sameBut(spec(old), spec(pvc), claimMutable(old))
      ? []
      : [
          forbiddenField(
            'spec',
            'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims',
          ),
        ]),
  ],
}

/** The binder may set the volume once. */
function claimMutable(old: KubeJson): string[] {
  return spec(old)['volumeName'] === undefined ? [...CLAIM_MUTABLE, 'volumeName'] : CLAIM_MUTABLE
}

function sameBut(
  a: Readonly<Record<string, unknown>>,
  b: Readonly<Record<string, unknown>>,
  but: string[],
) {
  const keys = new Set([...Object.keys(a), ...Object.keys(b)])
  return [...keys].every((key) => but.includes(key) || sameJson(a[key], b[key]))
}

const VOLUME_MUTABLE = [
  'capacity',
  'accessModes',
  'claimRef',
  'persistentVolumeReclaimPolicy',
  'storageClassName',
  'mountOptions',
  'nodeAffinity',
  'volumeAttributesClassName',
  'volumeMode',
]

export const persistentVolume: Rules = {
  prepare: (pv) => ({
    ...withFinalizer(pv, 'kubernetes.io/pv-protection'),
    spec: { persistentVolumeReclaimPolicy: 'Retain', volumeMode: 'Filesystem', ...spec(pv) },
    status: { phase: 'Pending' },
  }),
  validate: (pv, old) => [
    ...(spec(pv)['capacity'] === undefined ? [required('spec.capacity')] : []),
    ...(Array.isArray(spec(pv)['accessModes']) ? [] : [required('spec.accessModes')]),
    ...(old === undefined || sameBut(spec(old), spec(pv), VOLUME_MUTABLE)
      ? []
      : [
          forbiddenField(
            'spec.persistentvolumesource',
            'spec.persistentvolumesource is immutable after creation',
          ),
        ]),
  ],
}

export const pod: Rules = {
  prepare: (p) => ({
    ...p,
    spec: {
      restartPolicy: 'Always',
      terminationGracePeriodSeconds: 30,
      serviceAccountName: 'default',
      schedulerName: 'default-scheduler',
      ...spec(p),
    },
    status: { phase: 'Pending', qosClass: 'BestEffort' },
  }),
  validate: (p) =>
    Array.isArray(spec(p)['containers']) && (spec(p)['containers'] as unknown[]).length > 0
      ? []
      : [required('spec.containers')],
}

export const event: Rules = {
  prepare: (e) => ({
    source: {},
    firstTimestamp: null,
    lastTimestamp: null,
    eventTime: null,
    reportingComponent: '',
    reportingInstance: '',
    ...e,
  }),
  validate: (e) => {
    const about = valueAt(e, 'involvedObject.namespace') ?? ''
    const own = e.metadata.namespace
    const clusterScoped = about === '' && (own === 'default' || own === 'kube-system')
    if (about === own || clusterScoped) return []
    return [invalidValue('involvedObject.namespace', about, 'does not match event.namespace')]
  },
}

const MICRO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(Z|[+-]\d\d:\d\d)$/

export const lease: Rules = {
  decodeError: (l) => {
    for (const field of ['acquireTime', 'renewTime']) {
      const value = spec(l)[field]
      if (value === undefined || value === null || MICRO_TIME.test(textOf(value))) continue
      const rest = textOf(value).replace(/^.{19}/, '')
      return `parsing time "${textOf(value)}" as "2006-01-02T15:04:05.000000Z07:00": cannot parse "${rest}" as ".000000"`
    }
    return undefined
  },
  validate: (l) => {
    const { leaseDurationSeconds, leaseTransitions } = spec(l)
    const causes: Cause[] = []
    if (typeof leaseDurationSeconds === 'number' && leaseDurationSeconds <= 0)
      causes.push(
        invalidValue('spec.leaseDurationSeconds', leaseDurationSeconds, 'must be greater than 0'),
      )
    if (typeof leaseTransitions === 'number' && leaseTransitions < 0)
      causes.push(
        invalidValue(
          'spec.leaseTransitions',
          leaseTransitions,
          'must be greater than or equal to 0',
        ),
      )
    return causes
  },
}

export const storageClass: Rules = {
  prepare: (sc) => ({ reclaimPolicy: 'Delete', volumeBindingMode: 'Immediate', ...sc }),
  validate: (sc, old) => {
    const causes = sc['provisioner'] === undefined ? [required('provisioner')] : []
    if (old !== undefined && !sameJson(old['parameters'], sc['parameters']))
      causes.push(invalidValue('parameters', sc['parameters'], 'field is immutable'))
    return causes
  },
}

export const deployment: Rules = {
  prepare: (workload) => ({ ...workload, spec: { replicas: 1, ...spec(workload) } }),
}

export const statefulSet: Rules = {
  prepare: (set) => ({
    ...set,
    spec: {
      replicas: 1,
      podManagementPolicy: 'OrderedReady',
      persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
      ...spec(set),
    },
  }),
}

export const autoscaler: Rules = {
  prepare: (hpa) => ({ ...hpa, spec: { minReplicas: 1, ...spec(hpa) } }),
}

export const secret: Rules = {
  decodeError: (s) => {
    const bad = Object.values(isObject(s['data']) ? s['data'] : {}).find((v) => !isBase64(v))
    return bad === undefined ? undefined : 'illegal base64 data at input byte 0'
  },
  prepare: (s) => {
    const { stringData, ...rest } = s
    const texts = Object.entries(isObject(stringData) ? stringData : {})
    const encoded = texts.map(([k, v]) => [k, Buffer.from(String(v)).toString('base64')])
    const data = { ...(isObject(s['data']) ? s['data'] : {}), ...Object.fromEntries(encoded) }
    return {
      type: 'Opaque',
      ...(rest as KubeJson),
      ...(Object.keys(data).length === 0 ? {} : { data }),
    }
  },
}

function isBase64(value: unknown): boolean {
  if (typeof value !== 'string' || value.length % 4 !== 0) return false
  return /^[A-Za-z0-9+/]*={0,2}$/.test(value)
}
