import type { Controllers } from './controllers.ts'
import type { Decoded } from './decode.ts'
import { cannotHandle, decodeError, normalized, parseJson } from './decode.ts'
import { applyConfig } from './managed-fields.ts'
import { jsonPatch, mergePatch } from './patch.ts'
import {
  badRequest,
  invalid,
  modified,
  notFound,
  StatusError,
  unsupportedMediaType,
} from './status.ts'
import type { Storage } from './storage.ts'
import { strategicPatch } from './strategic-patch.ts'
import type { Definition, KubeJson } from './types.ts'
import { apiVersionOf, isObject, textOf } from './types.ts'
import type { WriteOptions } from './write.ts'
import { create, update } from './write.ts'

const JSON_PATCH = 'application/json-patch+json'
const MERGE = 'application/merge-patch+json'
const STRATEGIC = 'application/strategic-merge-patch+json'
const APPLY = 'application/apply-patch+yaml'

export type PatchRequest = {
  readonly contentType: string
  readonly body: string
  readonly namespace: string | undefined
  readonly name: string
  readonly force: boolean
  /** `fieldManager` was given in the query; server-side apply needs it. */
  readonly managerGiven: boolean
  /** Refuses or reports unknown fields. */
  readonly onUnknown: (decoded: Decoded) => void
}

/** A PATCH of any kind. `created` when server-side apply made the object. */
export function patchObject(
  storage: Storage,
  controllers: Controllers,
  def: Definition,
  request: PatchRequest,
  options: WriteOptions,
): { object: KubeJson; created: boolean } {
  const type = request.contentType.split(';')[0]!.trim()
  checkType(type, def)
  checkOptions(type, request)
  const old = storage.get(def, request.namespace, request.name)
  if (type === APPLY) return applyPatch(storage, controllers, def, old, request, options)
  const patch = parseJson(request.body, (why) => badRequest(`error decoding patch: ${why}`))
  if (old === undefined) throw notFound(def, request.name)
  const next = patched(type, old, patch, def)
  checkName(next, request.name)
  const refused = decodeError(next, def)
  if (refused !== undefined) throw unreadable(refused)
  const decoded = normalized(next, def)
  request.onUnknown(decoded)
  checkUid(def, old, decoded.object)
  return { object: update(storage, controllers, def, old, decoded.object, options), created: false }
}

function checkType(type: string, def: Definition) {
  const custom = [JSON_PATCH, MERGE, APPLY]
  const accepted = def.custom ? custom : [JSON_PATCH, MERGE, STRATEGIC, APPLY]
  if (accepted.includes(type)) return
  if (type.endsWith('patch+json')) throw unsupportedMediaType(accepted)
  throw new StatusError(415, 'UnsupportedMediaType', '415: Unsupported Media Type', {})
}

const PATCH_OPTIONS = { group: 'meta.k8s.io', plural: 'patchoptions', kind: 'PatchOptions' }

function checkOptions(type: string, request: PatchRequest) {
  if (type === APPLY && !request.managerGiven)
    throw invalid(PATCH_OPTIONS, '', [
      {
        reason: 'FieldValueRequired',
        message: 'Required value: is required for apply patch',
        field: 'fieldManager',
      },
    ])
  if (type !== APPLY && request.force)
    throw invalid(PATCH_OPTIONS, '', [
      {
        reason: 'FieldValueForbidden',
        message: 'Forbidden: may not be specified for non-apply patch',
        field: 'force',
      },
    ])
}

function patched(
  type: string,
  old: KubeJson,
  patch: unknown,
  def: Definition,
): Readonly<Record<string, unknown>> {
  if (type === JSON_PATCH) return asObject(jsonPatch(old, patch))
  if (!isObject(patch))
    throw badRequest(
      'error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}',
    )
  return asObject(type === MERGE ? mergePatch(old, patch) : strategicPatch(old, patch, def.schema))
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  if (isObject(value) && isObject(value['metadata'])) return value
  throw unreadable('the patch leaves no object')
}

/** What the real server says of a patch whose result it can not decode: 422, although the patch itself was JSON. */
function unreadable(why: string): StatusError {
  const cause = { reason: 'FieldValueInvalid', message: `Invalid value: ${why}`, field: 'patch' }
  return new StatusError(422, 'Invalid', ` "" is invalid: patch: Invalid value: ${why}`, {
    causes: [cause],
  })
}

function checkName(next: Readonly<Record<string, unknown>>, name: string) {
  const { metadata } = next as KubeJson
  if (metadata.name === name) return
  throw badRequest(
    `the name of the object (${metadata.name}) does not match the name on the URL (${name})`,
  )
}

function checkUid(def: Definition, old: KubeJson, next: KubeJson) {
  const { uid } = next.metadata
  if (uid === undefined || uid === old.metadata.uid) return
  throw invalid(def, old.metadata.name, [
    {
      reason: 'FieldValueInvalid',
      message: `Invalid value: ${JSON.stringify(uid)}: field is immutable`,
      field: 'metadata.uid',
    },
  ])
}

function applyPatch(
  storage: Storage,
  controllers: Controllers,
  def: Definition,
  old: KubeJson | undefined,
  request: PatchRequest,
  options: WriteOptions,
): { object: KubeJson; created: boolean } {
  const config = applyBody(def, request)
  if (old === undefined && options.subresource !== '') throw notFound(def, request.name)
  const wanted = config.metadata.resourceVersion
  if (wanted !== undefined && wanted !== old?.metadata.resourceVersion)
    throw modified(def, request.name)
  const writer = {
    manager: options.fieldManager,
    apiVersion: apiVersionOf(def),
    subresource: options.subresource,
    time: storage.timestamp(),
  }
  const own = ownHalf(def, config, options)
  if (old === undefined) {
    const { managedFields } = applyConfig(bare(config), own, def.schema, writer, true)
    const object = create(storage, controllers, def, request.namespace, own, options, managedFields)
    return { object, created: true }
  }
  const { object, managedFields } = applyConfig(old, own, def.schema, writer, request.force)
  return {
    object: update(storage, controllers, def, old, object, options, managedFields),
    created: false,
  }
}

function bare({ apiVersion, kind, metadata }: KubeJson): KubeJson {
  return { apiVersion, kind, metadata: { name: metadata.name } }
}

function applyBody(def: Definition, request: PatchRequest): KubeJson {
  const value = parseJson(request.body, (why) => badRequest(`error decoding YAML: ${why}`))
  if (!isObject(value) || value['kind'] !== def.kind || value['apiVersion'] !== apiVersionOf(def))
    throw badRequest(
      `invalid object type: ${isObject(value) ? `${textOf(value['apiVersion']) || '/'}, Kind=${textOf(value['kind'])}` : 'none'}`,
    )
  if (isObject(value['metadata']) && value['metadata']['managedFields'] != null)
    throw badRequest('metadata.managedFields must be nil')
  const refused = decodeError(value, def)
  if (refused !== undefined) throw cannotHandle(def, refused)
  const decoded = normalized(value, def)
  checkName(
    {
      metadata: { ...decoded.object.metadata, name: decoded.object.metadata.name || request.name },
    },
    request.name,
  )
  request.onUnknown(decoded)
  const metadata = { ...decoded.object.metadata, name: request.name }
  return { ...decoded.object, metadata }
}

/** Of an apply to one half of an object, the other half is not the manager's. */
function ownHalf(def: Definition, config: KubeJson, { subresource }: WriteOptions): KubeJson {
  if (!def.status) return config
  const { apiVersion, kind, metadata, status, ...rest } = config
  if (subresource === '') return { apiVersion, kind, metadata, ...rest }
  const identity = {
    name: metadata.name,
    ...(metadata.resourceVersion === undefined
      ? {}
      : { resourceVersion: metadata.resourceVersion }),
  }
  return { apiVersion, kind, metadata: identity, ...(status === undefined ? {} : { status }) }
}
