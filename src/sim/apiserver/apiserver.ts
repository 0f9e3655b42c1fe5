import type { Clock } from '../../clock.ts'
import type { SimHandler, SimRequest, SimResponse } from '../handler.ts'
import { BUILT_IN, WORKLOADS } from './built-in.ts'
import { Controllers } from './controllers.ts'
import type { CustomResourceDefinition } from './custom-resource.ts'
import { deleteObject } from './delete.ts'
import { discovery, json, pageNotFound } from './discovery.ts'
import { acceptedForm } from './encode.ts'
import type { ApiRequest, Fault, FaultRule } from './faults.ts'
import { Faults } from './faults.ts'
import { openApi } from './openapi.ts'
import { scopeOf } from './read.ts'
import type { Context } from './requests.ts'
import { answer, requireJson } from './requests.ts'
import type { Route } from './route.ts'
import { routeOf } from './route.ts'
import { invalid, methodNotAllowed, StatusError } from './status.ts'
import { Storage } from './storage.ts'
import type { Definition, KubeJson } from './types.ts'
import { isObject, keyOf } from './types.ts'
import type { SimulatedDriver } from './volume-controllers.ts'
import { VolumeControllers } from './volume-controllers.ts'
import { Watch } from './watch.ts'
import type { PodsAre } from './workload-controllers.ts'
import { WorkloadControllers } from './workload-controllers.ts'
import { update } from './write.ts'

export type ApiServerOptions = {
  readonly clock: Clock
  /** Parsed CustomResourceDefinitions to serve from the start; more can be POSTed. */
  readonly crds?: readonly unknown[]
  /** Changes of one resource that can still be watched or listed from. Default 10,000. */
  readonly historyLimit?: number
  /** Bearer tokens that are let in, read at each request. Without it nobody is asked. */
  readonly tokens?: ReadonlySet<string>
  /** Permission, also reported by SelfSubjectAccessReview. Default: everything. */
  readonly allow?: (request: Permission) => boolean
  /** Minor version of Kubernetes 1 whose kinds are served. Default 36. */
  readonly minor?: number
  /**
   * Serve workloads, PodDisruptionBudgets and HorizontalPodAutoscalers too. `Pending` and `Ready`: the controllers of
   * Deployments and StatefulSets run, and their Pods stay so; `true`: nothing makes pods of them. Default false.
   */
  readonly workloads?: boolean | PodsAre
  /** With it the PersistentVolume controller and the sidecars of the Cinder CSI driver run. Default: nobody does. */
  readonly driver?: SimulatedDriver
  /** Distinguishes uids of several simulated clusters. Default 1. */
  readonly seed?: number
}

export type Permission = Pick<
  ApiRequest,
  'verb' | 'group' | 'resource' | 'subresource' | 'namespace' | 'name'
>

export type ApiServer = {
  readonly handle: SimHandler
  /** The objects under a path such as `/api/v1/persistentvolumes` or `/apis/couchestor.io/v1alpha1/namespaces/a/volumemigrations`. */
  objects(resourcePath: string): KubeJson[]
  /** Of the last write to the resource of a path; a resource that is served again begins again. */
  versionOf(resourcePath: string): number
  /** Stores objects as they are, with uid, resourceVersion and creationTimestamp added; watchers see them. Replaces one of the same name. */
  seed(...objects: readonly unknown[]): void
  /** Forgets all history: older watches and list continuations get 410. */
  compact(): void
  /** Arms a fault; returns its removal. */
  fail(rule: FaultRule): () => void
  /** Ends open watches at once. Returns how many. */
  cutWatches(how?: 'end' | 'reset' | 'expired', resource?: string): number
  /** Every resource request in order, before faults: for counting mutations and idle traffic. */
  readonly requests: ApiRequest[]
  readonly openWatches: number
  /** Of the last write. */
  readonly resourceVersion: number
}

const NEWEST_MINOR = 36
const START_NAMESPACES = ['default', 'kube-system', 'kube-public', 'kube-node-lease']

/** A strict stand-in of kube-apiserver: what a client can see is held to the real one by test/contract. */
export function createApiServer(options: ApiServerOptions): ApiServer {
  return new Server(options)
}

function kindsOf(minor: number, isServed: boolean): readonly Definition[] {
  const kinds = isServed ? [...BUILT_IN, ...WORKLOADS] : BUILT_IN
  return kinds.filter((def) => (def.since ?? 0) <= minor)
}

class Server implements ApiServer {
  readonly requests: ApiRequest[] = []
  readonly #options: ApiServerOptions
  readonly #minor: number
  readonly #storage: Storage
  readonly #controllers: Controllers
  readonly #faults: Faults
  readonly #watches = new Set<Watch>()

  constructor(options: ApiServerOptions) {
    this.#options = options
    this.#minor = options.minor ?? NEWEST_MINOR
    this.#storage = new Storage(
      options.clock,
      options.historyLimit ?? 10_000,
      options.seed ?? 1,
      kindsOf(this.#minor, (options.workloads ?? false) !== false),
    )
    this.#controllers = new Controllers(this.#storage)
    this.#faults = new Faults(options.clock)
    this.#connectControllers()
    if (options.driver !== undefined)
      this.#controllers.volumes = new VolumeControllers(
        this.#storage,
        this.#controllers,
        options.driver,
      )
    const { workloads } = options
    if (workloads === 'Pending' || workloads === 'Ready')
      this.#controllers.workloads = new WorkloadControllers(
        this.#storage,
        this.#controllers,
        workloads,
      )
    this.seed(...START_NAMESPACES.map(namespace), ...(options.crds ?? []))
  }

  get openWatches(): number {
    return this.#storage.watchers
  }

  get resourceVersion(): number {
    return this.#storage.version
  }

  readonly handle: SimHandler = async (request) => {
    try {
      return await this.#handle(request)
    } catch (e) {
      if (e instanceof StatusError) return e.response()
      throw e
    }
  }

  objects(resourcePath: string): KubeJson[] {
    const { def, api } = this.#routeOrThrow(resourcePath)
    const prefix = api.namespace === undefined ? '' : keyOf(api.namespace, '')
    const all = this.#storage.collection(def).list()
    return all.filter((s) => s.key.startsWith(prefix)).map((s) => s.object)
  }

  versionOf(resourcePath: string): number {
    return this.#storage.collection(this.#routeOrThrow(resourcePath).def).version
  }

  seed(...objects: readonly unknown[]) {
    for (const object of objects) {
      if (!isObject(object)) throw new Error(`seed: not an object: ${JSON.stringify(object)}`)
      this.#seedOne(object as KubeJson)
    }
  }

  compact() {
    this.#storage.compact()
  }

  fail(rule: FaultRule): () => void {
    return this.#faults.add(rule)
  }

  cutWatches(how: 'end' | 'reset' | 'expired' = 'reset', resource?: string): number {
    const cut = [...this.#watches].filter(
      (w) => resource === undefined || w.def.plural === resource,
    )
    for (const watch of cut) watch.cut(0, how)
    return cut.length
  }

  #seedOne(object: KubeJson) {
    const def = this.#storage.definitionOf(object)
    const old = this.#storage.get(def, object.metadata.namespace, object.metadata.name)
    const metadata = {
      uid: old?.metadata.uid ?? this.#storage.uid(),
      creationTimestamp: this.#storage.timestamp(),
      ...(def.generation ? { generation: 1 } : {}),
      ...object.metadata,
    }
    this.#storage.commit(def, old === undefined ? 'ADDED' : 'MODIFIED', { ...object, metadata })
    if (def.group === 'apiextensions.k8s.io')
      this.#storage.defineCustom(object as unknown as CustomResourceDefinition)
  }

  #connectControllers() {
    this.#controllers.deleteObject = (def, object) =>
      void deleteObject(this.#storage, this.#controllers, def, object, { dryRun: false })
    this.#controllers.dropFinalizer = (def, object, finalizer) => {
      const finalizers = (object.metadata.finalizers ?? []).filter((f) => f !== finalizer)
      const next = { ...object, metadata: { ...object.metadata, finalizers } }
      const options = {
        fieldManager: 'kube-controller-manager',
        dryRun: false,
        subresource: '',
      } as const
      update(this.#storage, this.#controllers, def, object, next, options)
    }
  }

  async #handle(request: SimRequest): Promise<SimResponse> {
    const url = new URL(request.url, 'http://apiserver')
    const { pathname } = url
    this.#authenticate(request, pathname)
    const definitions = this.#storage.definitions()
    const about = discovery(pathname, definitions, this.#minor) ?? openApi(pathname, definitions)
    if (about !== undefined) return about
    if (pathname === '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews')
      return this.#review(request)
    if (pathname === '/apis/authentication.k8s.io/v1/selfsubjectreviews') return whoAsks(request)
    const route = routeOf(this.#storage, request, url)
    if (route === undefined) return pageNotFound()
    this.requests.push(route.api)
    const faults = this.#faults.strike(route.api)
    await this.#faults.before(faults, request.signal)
    this.#authorize(route.api)
    return this.#faults.after(faults, this.#respond(request, route, faults))
  }

  #respond(request: SimRequest, route: Route, faults: readonly Fault[]): SimResponse {
    const form = acceptedForm(request.headers['accept'])
    if (form === undefined) throw notAcceptable()
    const stale = faults.find((f) => f.kind === 'stale')
    const context: Context = {
      storage: this.#storage,
      controllers: this.#controllers,
      request,
      route,
      form,
      staleAt: stale?.resourceVersion,
    }
    return route.api.verb === 'watch' ? this.#watch(context, faults) : answer(context)
  }

  #watch({ request, route, form }: Context, faults: readonly Fault[]): SimResponse {
    const { def, api, query } = route
    const sendInitialEvents = query.get('sendInitialEvents') === 'true'
    if (sendInitialEvents && query.get('resourceVersionMatch') !== 'NotOlderThan')
      throw initialEvents()
    const timeout = query.get('timeoutSeconds')
    const scope = scopeOf(def, api.namespace, withName(query, api.name))
    const watch = new Watch(
      this.#storage,
      def,
      scope,
      {
        from: sendInitialEvents ? undefined : watchFrom(query.get('resourceVersion') ?? ''),
        timeoutSeconds: timeout === null ? undefined : Number(timeout),
        bookmarks: query.get('allowWatchBookmarks') === 'true',
        sendInitialEvents,
        form,
      },
      request.signal,
      (closed) => this.#watches.delete(closed),
    )
    this.#watches.add(watch)
    for (const fault of faults) if (fault.kind === 'cut') watch.cut(fault.afterEvents, fault.how)
    watch.start()
    return { status: 200, headers: { 'content-type': 'application/json' }, body: watch.body }
  }

  #authenticate(request: SimRequest, path: string) {
    const { tokens } = this.#options
    if (tokens === undefined || /^\/(healthz|livez|readyz)/.test(path)) return
    const token = /^Bearer (.+)$/i.exec(request.headers['authorization'] ?? '')?.[1]
    if (token === undefined || !tokens.has(token))
      throw new StatusError(401, 'Unauthorized', 'Unauthorized')
  }

  #authorize(api: ApiRequest) {
    if (this.#options.allow?.(api) ?? true) return
    const { verb, group, resource, namespace, name } = api
    const scope =
      namespace === undefined ? 'at the cluster scope' : `in the namespace "${namespace}"`
    const title = group === '' ? resource : `${resource}.${group}`
    throw new StatusError(
      403,
      'Forbidden',
      `${title}${name === undefined ? '' : ` "${name}"`} is forbidden: User "simulated" cannot ${verb} resource "${resource}" in API group "${group}" ${scope}`,
      {
        ...(name === undefined ? {} : { name }),
        ...(group === '' ? {} : { group }),
        kind: resource,
      },
    )
  }

  #review(request: SimRequest): SimResponse {
    if (request.method !== 'POST') throw methodNotAllowed()
    requireJson(request)
    const review = JSON.parse(request.body) as {
      spec?: { resourceAttributes?: Partial<Permission> }
    }
    const asked = review.spec?.resourceAttributes ?? {}
    const allowed = this.#options.allow?.({ ...NOTHING, ...asked }) ?? true
    const kind = { kind: 'SelfSubjectAccessReview', apiVersion: 'authorization.k8s.io/v1' }
    return json({ ...kind, metadata: {}, spec: review.spec ?? {}, status: { allowed } }, 201)
  }

  #routeOrThrow(path: string): Route {
    const request = {
      method: 'GET',
      url: path,
      headers: {},
      body: '',
      signal: new AbortController().signal,
    }
    const route = routeOf(this.#storage, request)
    if (route === undefined) throw new Error(`no resource is served under ${path}`)
    return route
  }
}

function whoAsks(request: SimRequest): SimResponse {
  if (request.method !== 'POST') throw methodNotAllowed()
  requireJson(request)
  const kind = { kind: 'SelfSubjectReview', apiVersion: 'authentication.k8s.io/v1' }
  const userInfo = { username: 'simulated', groups: ['system:authenticated'] }
  return json({ ...kind, metadata: {}, status: { userInfo } }, 201)
}

const NOTHING: Permission = {
  verb: 'get',
  group: '',
  resource: '',
  subresource: '',
  namespace: undefined,
  name: undefined,
}

function namespace(name: string) {
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name, labels: { 'kubernetes.io/metadata.name': name } },
    spec: { finalizers: ['kubernetes'] },
    status: { phase: 'Active' },
  }
}

/** A watch of one object is a watch of the collection with a field selector. */
function withName(query: URLSearchParams, name: string | undefined): URLSearchParams {
  if (name === undefined) return query
  const narrowed = new URLSearchParams(query)
  narrowed.set('fieldSelector', `metadata.name=${name}`)
  return narrowed
}

function watchFrom(resourceVersion: string): number | undefined {
  if (resourceVersion === '' || resourceVersion === '0') return undefined
  if (/^\d+$/.test(resourceVersion)) return Number(resourceVersion)
  const quoted = JSON.stringify(resourceVersion)
  throw new StatusError(
    500,
    '',
    `resourceVersion: Invalid value: ${quoted}: strconv.ParseUint: parsing ${quoted}: invalid syntax`,
  )
}

function initialEvents(): StatusError {
  return invalid({ group: 'meta.k8s.io', plural: 'listoptions', kind: 'ListOptions' }, '', [
    {
      reason: 'FieldValueForbidden',
      message: 'Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan',
      field: 'resourceVersionMatch',
    },
  ])
}

function notAcceptable(): StatusError {
  return new StatusError(
    406,
    'NotAcceptable',
    '406: Not Acceptable\n\nAvailable representations: application/json, application/yaml, application/vnd.kubernetes.protobuf',
    {},
  )
}
