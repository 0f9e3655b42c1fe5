import type { SimRequest } from '../handler.ts'
import type { ApiRequest } from './faults.ts'
import { methodNotAllowed, noSuchResource } from './status.ts'
import type { Storage } from './storage.ts'
import type { Definition } from './types.ts'

export type Route = {
  readonly def: Definition
  readonly api: ApiRequest
  readonly query: URLSearchParams
}

const PATH =
  /^\/(?:api\/(v1)|apis\/([^/]+)\/([^/]+))(?:\/namespaces\/([^/]+)(?=\/[^/]+))?\/([^/]+)(?:\/([^/]+))?(?:\/([^/]+))?$/

/** What a resource path asks for; undefined where no group is served. Throws 404 and 405. */
export function routeOf(
  storage: Storage,
  request: SimRequest,
  { pathname, searchParams } = new URL(request.url, 'http://apiserver'),
): Route | undefined {
  const parts = split(pathname)
  if (parts === undefined) return undefined
  const def = storage.definition(parts.group, parts.version, parts.resource)
  if (def === undefined) {
    const served = storage
      .definitions()
      .some((d) => d.group === parts.group && d.version === parts.version)
    if (served) throw noSuchResource()
    return undefined
  }
  checkShape(def, parts)
  const verb = verbOf(request.method, parts.name, searchParams, parts.subresource)
  const { group, resource, subresource, namespace, name } = parts
  return {
    def,
    query: searchParams,
    api: { verb, group, resource, subresource, namespace, name, body: request.body },
  }
}

type Parts = {
  readonly group: string
  readonly version: string
  readonly resource: string
  readonly namespace: string | undefined
  readonly name: string | undefined
  readonly subresource: string
}

function split(pathname: string): Parts | undefined {
  const match = PATH.exec(pathname)
  if (!match) return undefined
  const [, core, group, version, namespace, resource, name, subresource] = match
  const common = {
    group: core === undefined ? group! : '',
    version: core ?? version!,
  }
  // /api/v1/namespaces/x/status is the namespace itself, not a resource in it
  if (
    core !== undefined &&
    namespace !== undefined &&
    (resource === 'status' || resource === 'finalize')
  )
    return {
      ...common,
      resource: 'namespaces',
      namespace: undefined,
      name: namespace,
      subresource: resource,
    }
  return {
    ...common,
    resource: resource!,
    namespace: namespace === undefined ? undefined : decodeURIComponent(namespace),
    name: name === undefined ? undefined : decodeURIComponent(name),
    subresource: subresource ?? '',
  }
}

function checkShape(def: Definition, { namespace, name, subresource }: Parts) {
  const subresources = ['', ...(def.status ? ['status'] : [])]
  if (!subresources.includes(subresource)) throw noSuchResource()
  if (!def.namespaced && namespace !== undefined) throw noSuchResource()
  if (def.namespaced && namespace === undefined && name !== undefined) throw noSuchResource()
}

function verbOf(
  method: string,
  name: string | undefined,
  query: URLSearchParams,
  subresource: string,
): ApiRequest['verb'] {
  const watch = ['1', 'true'].includes(query.get('watch') ?? '')
  if (method === 'GET') return watch ? 'watch' : name === undefined ? 'list' : 'get'
  if (method === 'POST' && name === undefined) return 'create'
  if (method === 'PUT' && name !== undefined) return 'update'
  if (method === 'PATCH' && name !== undefined) return 'patch'
  if (method === 'DELETE' && subresource === '')
    return name === undefined ? 'deletecollection' : 'delete'
  throw methodNotAllowed()
}
