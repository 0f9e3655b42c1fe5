import type { Controllers } from './controllers.ts'
import { metadataCauses } from './metadata.ts'
import { afterUpdate } from './managed-fields.ts'
import { validate, withDefaults } from './schema.ts'
import {
  alreadyExists,
  badRequest,
  conflict,
  forbidden,
  invalid,
  modified,
  notFound,
  StatusError,
} from './status.ts'
import type { Storage } from './storage.ts'
import type { Cause, Definition, KubeJson, ManagedFields } from './types.ts'
import { apiVersionOf, sameJson } from './types.ts'

export type WriteOptions = {
  readonly fieldManager: string
  readonly dryRun: boolean
  readonly subresource: '' | 'status'
}

/** Creates an object. Throws 404 (no namespace), 403 (namespace ends), 409 (exists), 422. */
export function create(
  storage: Storage,
  controllers: Controllers,
  def: Definition,
  namespace: string | undefined,
  input: KubeJson,
  options: WriteOptions,
  managed?: readonly ManagedFields[],
): KubeJson {
  if (input.metadata.namespace !== undefined && input.metadata.namespace !== namespace)
    throw otherNamespace()
  const named = withIdentity(storage, namespace, input)
  if (namespace !== undefined) requireNamespace(storage, def, namespace, named.metadata.name)
  const { status: _status, ...withoutStatus } = named
  const base: KubeJson = def.status ? withoutStatus : named
  const prepared = def.prepare?.(base) ?? base
  const object = checked(def, prepared, undefined)
  if (input.metadata.resourceVersion !== undefined)
    throw new StatusError(500, '', 'resourceVersion should not be set on objects to be created')
  const existing = storage.get(def, namespace, object.metadata.name)
  if (existing !== undefined) throw exists(def, existing)
  const owned = withManagedFields(
    object,
    managed ?? afterUpdate(undefined, object, def.schema, writer(storage, def, options)),
  )
  if (options.dryRun) return owned
  const stored = storage.commit(def, 'ADDED', owned)
  controllers.changed(def, stored, 'ADDED')
  return stored
}

function otherNamespace(): StatusError {
  return badRequest(
    'the namespace of the provided object does not match the namespace sent on the request',
  )
}

function exists(def: Definition, existing: KubeJson): StatusError {
  const error = alreadyExists(def, existing.metadata.name)
  if (existing.metadata.deletionTimestamp === undefined) return error
  const { code, reason, message, details } = error.body
  return new StatusError(code!, reason!, `object is being deleted: ${message}`, details)
}

function withIdentity(storage: Storage, namespace: string | undefined, input: KubeJson): KubeJson {
  const {
    uid: _uid,
    resourceVersion: _rv,
    deletionTimestamp: _d,
    deletionGracePeriodSeconds: _g,
    generation: _gen,
    managedFields: _m,
    name,
    ...rest
  } = input.metadata
  const generated =
    input.metadata.generateName && `${input.metadata.generateName}${storage.suffix()}`
  return {
    ...input,
    metadata: {
      name: name || generated || '',
      ...rest,
      ...(namespace === undefined ? {} : { namespace }),
      uid: storage.uid(),
      creationTimestamp: storage.timestamp(),
    },
  }
}

function requireNamespace(storage: Storage, def: Definition, name: string, object: string) {
  const namespaces = storage.definition('', 'v1', 'namespaces')!
  const namespace = storage.get(namespaces, undefined, name)
  if (namespace === undefined) throw notFound(namespaces, name)
  if (namespace.metadata.deletionTimestamp === undefined) return
  throw forbidden(
    def,
    object,
    `unable to create new content in namespace ${name} because it is being terminated`,
    {
      reason: 'NamespaceTerminating',
      message: `namespace ${name} is being terminated`,
      field: 'metadata.namespace',
    },
  )
}

/** Replaces an object with `next`. Throws 409 (stale), 422. Returns the stored one; the old one when nothing changed. */
export function update(
  storage: Storage,
  controllers: Controllers,
  def: Definition,
  old: KubeJson,
  next: KubeJson,
  options: WriteOptions,
  managed?: readonly ManagedFields[],
): KubeJson {
  if (next.metadata.namespace !== undefined && next.metadata.namespace !== old.metadata.namespace)
    throw otherNamespace()
  checkVersion(def, old, next)
  const half =
    options.subresource === 'status' ? statusOnly(def, old, next) : mainOnly(def, old, next)
  const object = checked(def, withServerMeta(def, old, half), old)
  const fields = managed ?? afterUpdate(old, object, def.schema, writer(storage, def, options))
  const owned = withManagedFields(object, managed === undefined ? cleared(next, fields) : fields)
  if (sameBesidesTimes(old, owned)) return old
  if (options.dryRun) return owned
  return store(storage, controllers, def, owned)
}

function store(
  storage: Storage,
  controllers: Controllers,
  def: Definition,
  object: KubeJson,
): KubeJson {
  const { deletionTimestamp, finalizers, deletionGracePeriodSeconds } = object.metadata
  const gone = deletionTimestamp !== undefined && (finalizers ?? []).length === 0
  if (gone && !deletionGracePeriodSeconds && def.kind !== 'Namespace')
    return remove(storage, controllers, def, object)
  const stored = storage.commit(def, 'MODIFIED', object)
  controllers.changed(def, stored, 'MODIFIED')
  return stored
}

export function remove(
  storage: Storage,
  controllers: Controllers,
  def: Definition,
  object: KubeJson,
): KubeJson {
  const removed = storage.commit(def, 'DELETED', object)
  controllers.changed(def, removed, 'DELETED')
  return removed
}

function checkVersion(def: Definition, old: KubeJson, next: KubeJson) {
  const { name, resourceVersion, uid } = next.metadata
  if (resourceVersion === undefined && !def.unconditional)
    throw invalid(
      def,
      name,
      [
        {
          reason: 'FieldValueInvalid',
          message: 'Invalid value: 0: must be specified for an update',
          field: 'metadata.resourceVersion',
        },
      ],
      def.plural,
    )
  if (resourceVersion !== undefined && !/^\d+$/.test(resourceVersion))
    throw new StatusError(
      500,
      '',
      `strconv.ParseUint: parsing "${resourceVersion}": invalid syntax`,
    )
  if (uid !== undefined && uid !== old.metadata.uid)
    throw conflict(
      def,
      name,
      `StorageError: invalid object, Code: 4, Precondition failed: UID in precondition: ${uid}, UID in object meta: ${old.metadata.uid}`,
    )
  if (resourceVersion !== undefined && resourceVersion !== old.metadata.resourceVersion)
    throw modified(def, name)
}

function mainOnly(def: Definition, old: KubeJson, next: KubeJson): KubeJson {
  if (!def.status) return next
  const { status: _status, ...rest } = next
  return old['status'] === undefined ? rest : { ...rest, status: old['status'] }
}

function statusOnly(def: Definition, old: KubeJson, next: KubeJson): KubeJson {
  const { status: _status, ...rest } = old
  const metadata = def.custom ? old.metadata : next.metadata
  return {
    ...rest,
    metadata,
    ...(next['status'] === undefined ? {} : { status: next['status'] }),
  }
}

/** What only the server writes stays as it was. */
function withServerMeta(def: Definition, old: KubeJson, next: KubeJson): KubeJson {
  const { uid, resourceVersion, creationTimestamp, deletionTimestamp, managedFields } = old.metadata
  const { deletionGracePeriodSeconds, generation, namespace } = old.metadata
  const kept = {
    uid,
    resourceVersion,
    creationTimestamp,
    deletionTimestamp,
    deletionGracePeriodSeconds,
    managedFields,
    generation,
    namespace,
  }
  const metadata: Record<string, unknown> = { ...next.metadata }
  for (const [key, value] of Object.entries(kept))
    if (value === undefined) delete metadata[key]
    else metadata[key] = value
  const object = { ...next, metadata: metadata as KubeJson['metadata'] }
  if (!def.generation || sameSpec(old, object)) return object
  return { ...object, metadata: { ...object.metadata, generation: (generation ?? 0) + 1 } }
}

function sameSpec(a: KubeJson, b: KubeJson): boolean {
  const { metadata: _am, status: _as, ...restA } = a
  const { metadata: _bm, status: _bs, ...restB } = b
  return sameJson(restA, restB)
}

/** Defaults and every check. Throws 422 with all mistakes. */
function checked(def: Definition, input: KubeJson, old: KubeJson | undefined): KubeJson {
  const { metadata, ...rest } = input
  const filled = def.custom ? (withDefaults(rest, def.schema) as object) : rest
  const withGeneration =
    old === undefined && def.generation ? { ...metadata, generation: 1 } : metadata
  const object = { ...filled, metadata: withGeneration } as KubeJson
  const causes: Cause[] = [
    ...metadataCauses(object, old, def),
    ...(def.custom ? validate(filled, def.schema, '') : []),
    ...(def.validate?.(object, old) ?? []),
  ]
  if (causes.length > 0) throw invalid(def, metadata.name, causes)
  return object
}

/** A PUT with an empty list of managed fields resets them. */
function cleared(next: KubeJson, fields: readonly ManagedFields[]): readonly ManagedFields[] {
  const given = next.metadata.managedFields
  return given !== undefined && given.every((f) => !f.manager) ? [] : fields
}

function withManagedFields(object: KubeJson, managedFields: readonly ManagedFields[]): KubeJson {
  const { managedFields: _old, ...metadata } = object.metadata
  return {
    ...object,
    metadata: {
      ...metadata,
      ...(managedFields.length === 0 ? {} : { managedFields }),
    },
  }
}

function sameBesidesTimes(a: KubeJson, b: KubeJson): boolean {
  const { managedFields: ma, ...metaA } = a.metadata
  const { managedFields: mb, ...metaB } = b.metadata
  if (!sameJson({ ...a, metadata: metaA }, { ...b, metadata: metaB })) return false
  return sameJson(ma?.map(timeless), mb?.map(timeless))
}

function timeless({ time: _time, ...rest }: ManagedFields) {
  return rest
}

function writer(storage: Storage, def: Definition, options: WriteOptions) {
  return {
    manager: options.fieldManager,
    apiVersion: apiVersionOf(def),
    subresource: options.subresource,
    time: storage.timestamp(),
  }
}
