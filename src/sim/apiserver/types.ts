import type { Schema } from './schema.ts'

/** Parsed JSON of one object. What is stored is never changed in place: a write makes a new one. */
export type KubeJson = {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: Meta
  readonly [field: string]: unknown
}

export type Meta = {
  readonly name: string
  readonly namespace?: string
  readonly generateName?: string
  readonly uid?: string
  readonly resourceVersion?: string
  readonly generation?: number
  readonly creationTimestamp?: string
  readonly deletionTimestamp?: string
  readonly deletionGracePeriodSeconds?: number
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly finalizers?: readonly string[]
  readonly managedFields?: readonly ManagedFields[]
  readonly [field: string]: unknown
}

export type ManagedFields = {
  readonly manager: string
  readonly operation: 'Apply' | 'Update'
  readonly apiVersion: string
  readonly time: string
  readonly fieldsType: 'FieldsV1'
  readonly fieldsV1: unknown
  readonly subresource?: string
}

export type Cause = { readonly reason: string; readonly message: string; readonly field: string }

export type Column = {
  readonly name: string
  readonly type: string
  readonly path: string
  readonly priority?: number
}

/** One served resource: a built-in kind, or one version of a CustomResourceDefinition. */
export type Definition = {
  readonly group: string
  readonly version: string
  readonly plural: string
  readonly singular: string
  readonly kind: string
  readonly shortNames: readonly string[]
  /** Groups of kinds that one name lists, such as `kubectl get couchestor`. */
  readonly categories?: readonly string[]
  readonly namespaced: boolean
  /** Has the `status` subresource: the two halves are then written separately. */
  readonly status: boolean
  readonly custom: boolean
  /** Of a custom resource: everything. Of a built-in one: only how its lists merge. */
  readonly schema: Schema
  /** `metadata.generation` counts changes outside metadata and status. */
  readonly generation: boolean
  /** Field selectors besides metadata.name and metadata.namespace, as paths. */
  readonly selectable: readonly string[]
  /** PUT of a missing object creates it. */
  readonly createOnUpdate: boolean
  /** PUT without a resourceVersion is accepted. */
  readonly unconditional: boolean
  /** DELETE answers with the object, not with a Status. */
  readonly returnsDeleted: boolean
  readonly columns: readonly Column[]
  /** Minor version of Kubernetes 1 from which the kind is served; undefined = all that are simulated. */
  readonly since?: number
  /** Defaults, and what the server sets itself at creation. */
  readonly prepare?: (object: KubeJson) => KubeJson
  readonly validate?: (object: KubeJson, old: KubeJson | undefined) => Cause[]
  /** A field whose text can not be decoded: the message of the 400. */
  readonly decodeError?: (object: KubeJson) => string | undefined
}

/** `pods`, `leases.coordination.k8s.io`: how messages and Status details call a resource. */
export function resourceName(def: Pick<Definition, 'group' | 'plural'>): string {
  return def.group === '' ? def.plural : `${def.plural}.${def.group}`
}

export function apiVersionOf(def: Pick<Definition, 'group' | 'version'>): string {
  return def.group === '' ? def.version : `${def.group}/${def.version}`
}

/** Keys sort as etcd's do, so that pages come in the real order. */
export function keyOf(namespace: string | undefined, name: string): string {
  return namespace === undefined ? name : `${namespace}/${name}`
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A JSON value as text, as it stands in messages and selectors. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
}

/** The value at a simple path such as `spec.nodeName`. */
export function valueAt(object: unknown, path: string): unknown {
  let value = object
  for (const part of path.split('.')) {
    if (!isObject(value)) return undefined
    value = value[part]
  }
  return value
}

/** Same JSON value, whatever the order of keys. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((item, i) => sameJson(item, b[i]))
  if (!isObject(a) || !isObject(b)) return false
  const keys = Object.keys(a)
  if (keys.length !== Object.keys(b).length) return false
  return keys.every((key) => key in b && sameJson(a[key], b[key]))
}
