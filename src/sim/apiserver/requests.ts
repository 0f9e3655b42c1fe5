import type { SimRequest, SimResponse } from '../handler.ts'
import type { Controllers } from './controllers.ts'
import type { Decoded } from './decode.ts'
import { cannotHandle, decodeBody, parseJson } from './decode.ts'
import { deleteObject, deleteOptions } from './delete.ts'
import { json } from './discovery.ts'
import type { Form } from './encode.ts'
import { encodeList, metadataOnly } from './encode.ts'
import { patchObject } from './patch-request.ts'
import { listPage, parseVersion, scopeOf, tooLarge } from './read.ts'
import type { Route } from './route.ts'
import { badRequest, methodNotAllowed, notFound, unsupportedMediaType } from './status.ts'
import type { Storage } from './storage.ts'
import { encodeTable } from './table.ts'
import type { Definition, KubeJson } from './types.ts'
import { keyOf } from './types.ts'
import type { WriteOptions } from './write.ts'
import { create, update } from './write.ts'

export type Context = {
  readonly storage: Storage
  readonly controllers: Controllers
  readonly request: SimRequest
  readonly route: Route
  readonly form: Form
  /** Reads answer as of this version, for fault injection. */
  readonly staleAt: number | undefined
}

/** Everything but a watch. */
export function answer(context: Context): SimResponse {
  switch (context.route.api.verb) {
    case 'get':
      return get(context)
    case 'list':
      return list(context)
    case 'create':
      return post(context)
    case 'update':
      return put(context)
    case 'patch':
      return patch(context)
    case 'delete':
      return remove(context)
    case 'deletecollection':
      return removeAll(context)
    case 'watch':
      throw methodNotAllowed()
  }
}

function get(context: Context): SimResponse {
  const { storage, staleAt } = context
  const { def, api, query } = context.route
  const asked = query.get('resourceVersion') ?? ''
  if (asked !== '' && parseVersion(asked) > storage.version)
    throw tooLarge(Number(asked), storage.version)
  const key = keyOf(api.namespace, api.name!)
  const collection = storage.collection(def)
  const object = staleAt === undefined ? collection.get(key) : collection.getAt(key, staleAt)
  if (object === undefined) throw notFound(def, api.name!)
  return answered(context, object)
}

function list(context: Context): SimResponse {
  const { storage, staleAt } = context
  const { def, api, query } = context.route
  const asked = new URLSearchParams(query)
  if (staleAt !== undefined && !asked.has('continue')) {
    asked.set('resourceVersion', String(staleAt))
    asked.set('resourceVersionMatch', 'Exact')
  }
  const page = listPage(storage, def, scopeOf(def, api.namespace, query), asked)
  const body =
    context.form === 'table'
      ? encodeTable(def, page, storage.clock.now(), query.get('includeObject') === 'Object')
      : encodeList(def, page)
  return { status: 200, headers: { 'content-type': 'application/json' }, body }
}

function post(context: Context): SimResponse {
  const { storage, controllers } = context
  const { def, api } = context.route
  const decoded = readBody(context)
  const warnings = unknownFields(context, decoded)
  // a namespaced resource can be listed across namespaces, not created there
  const namespace = def.namespaced ? (api.namespace ?? fail(methodNotAllowed())) : undefined
  const object = create(storage, controllers, def, namespace, decoded.object, writeOptions(context))
  return answered(context, object, 201, warnings)
}

function put(context: Context): SimResponse {
  const { storage, controllers } = context
  const { def, api } = context.route
  const decoded = readBody(context)
  const warnings = unknownFields(context, decoded)
  const { name } = decoded.object.metadata
  if (name !== api.name)
    throw badRequest(
      `the name of the object (${name ?? ''}) does not match the name on the URL (${api.name!})`,
    )
  const old = storage.get(def, api.namespace, api.name)
  const options = writeOptions(context)
  if (old !== undefined) {
    const object = update(storage, controllers, def, old, decoded.object, options)
    return answered(context, object, 200, warnings)
  }
  if (!def.createOnUpdate || api.subresource !== '') throw notFound(def, api.name)
  const { resourceVersion: _rv, ...metadata } = decoded.object.metadata
  const fresh = { ...decoded.object, metadata } as KubeJson
  return answered(
    context,
    create(storage, controllers, def, api.namespace, fresh, options),
    201,
    warnings,
  )
}

function patch(context: Context): SimResponse {
  const { storage, controllers, request } = context
  const { def, api, query } = context.route
  let warnings: Record<string, string> = {}
  const { object, created } = patchObject(
    storage,
    controllers,
    def,
    {
      contentType: request.headers['content-type'] ?? '',
      body: request.body,
      namespace: api.namespace,
      name: api.name!,
      force: query.get('force') === 'true',
      managerGiven: query.has('fieldManager'),
      onUnknown: (decoded) => (warnings = unknownFields(context, decoded)),
    },
    writeOptions(context),
  )
  return answered(context, object, created ? 201 : 200, warnings)
}

function remove(context: Context): SimResponse {
  const { storage, controllers, request } = context
  const { def, api, query } = context.route
  const old = storage.get(def, api.namespace, api.name!)
  if (old === undefined) throw notFound(def, api.name!)
  const options = deleteOptions(bodyOf(request), query)
  const { object, gone } = deleteObject(storage, controllers, def, old, options)
  if (!gone || def.returnsDeleted) return answered(context, object)
  return json(deletedStatus(def, object))
}

function deletedStatus(def: Definition, { metadata }: KubeJson) {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: {
      name: metadata.name,
      ...(def.group === '' ? {} : { group: def.group }),
      kind: def.plural,
      uid: metadata.uid,
    },
  }
}

function removeAll(context: Context): SimResponse {
  const { storage, controllers, request } = context
  const { def, api, query } = context.route
  if (def.namespaced && api.namespace === undefined) throw methodNotAllowed()
  if (def.kind === 'Namespace') throw methodNotAllowed()
  const page = listPage(storage, def, scopeOf(def, api.namespace, query), query)
  const options = deleteOptions(bodyOf(request), query)
  for (const object of page.items) deleteObject(storage, controllers, def, object, options)
  return {
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: encodeList(def, page),
  }
}

function bodyOf(request: SimRequest): unknown {
  if (request.body === '') return undefined
  requireJson(request)
  return parseJson(request.body, (why) =>
    badRequest(`couldn't get version/kind; json parse error: ${why}`),
  )
}

function readBody({ request, route }: Context): Decoded {
  requireJson(request)
  return decodeBody(request.body, route.def)
}

/** Throws 415 for any other body; kubectl's typed commands send protobuf, which is not spoken here. */
export function requireJson({ headers }: SimRequest) {
  const type = (headers['content-type'] ?? 'application/json').split(';')[0]!.trim()
  if (type === 'application/json') return
  throw unsupportedMediaType([
    'application/json',
    'application/yaml',
    'application/vnd.kubernetes.protobuf',
  ])
}

/** `fieldValidation=Strict` refuses them, otherwise they are dropped with a warning. */
function unknownFields({ route }: Context, { unknown }: Decoded): Record<string, string> {
  if (unknown.length === 0) return {}
  const texts = unknown.map((path) => `unknown field "${path}"`)
  const mode = route.query.get('fieldValidation')
  if (mode === 'Strict') throw cannotHandle(route.def, `strict decoding error: ${texts.join(', ')}`)
  if (mode === 'Ignore') return {}
  return { warning: texts.map((text) => `299 - ${JSON.stringify(text)}`).join(', ') }
}

function writeOptions({ request, route }: Context): WriteOptions {
  const agent = (request.headers['user-agent'] ?? 'unknown').split('/')[0]!
  return {
    fieldManager: route.query.get('fieldManager') ?? agent,
    dryRun: route.query.has('dryRun'),
    subresource: route.api.subresource === 'status' ? 'status' : '',
  }
}

function answered(
  { route, form, storage }: Context,
  object: KubeJson,
  status = 200,
  headers: Record<string, string> = {},
): SimResponse {
  if (form === 'metadata') return json(metadataOnly(object), status, headers)
  if (form === 'object') return json(object, status, headers)
  const resourceVersion = object.metadata.resourceVersion ?? ''
  const whole = route.query.get('includeObject') === 'Object'
  const page = { items: [object], resourceVersion }
  const body = encodeTable(route.def, page, storage.clock.now(), whole)
  return { status, headers: { 'content-type': 'application/json', ...headers }, body }
}

function fail(error: Error): never {
  throw error
}
