import { FIELD_MANAGER } from '../api/names.ts'
import { apiVersionOf, collectionPath, groupVersionPath, objectPath } from './resources.ts'
import { createTransport } from './transport.ts'
import type { Call, Transport, TransportOptions } from './transport.ts'
import { ApiError } from './types.ts'
import type { KubeClient, KubeObject, PatchType, Resource, WatchEvent } from './types.ts'
import { watchLines } from './watch-lines.ts'

export type KubeClientOptions = TransportOptions

const CONTENT_TYPE: Readonly<Record<PatchType, string>> = {
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
  apply: 'application/apply-patch+yaml',
}

const LIST_DEADLINE_MS = 90_000
// the reflector's watchdog ends a silent watch; this only frees the connection should that fail
const WATCH_SLACK_MS = 30_000

/**
 * Raw calls to the API server. Objects are JSON as the server sent them, so fields we do not know survive.
 * `random` in [0, 1). Throws `ApiError` for a refusal, `ConnectionError` when there was no answer.
 */
export function createKubeClient(options: KubeClientOptions): KubeClient {
  const transport = createTransport(options)
  const json = async <T>(call: Call) => JSON.parse(await transport.call(call)) as T

  return {
    get: async (resource, name, namespace) =>
      json({ method: 'GET', path: objectPath(resource, { name, namespace }), repeat: 'always' }),

    list: async (resource, query = {}, signal) => listPage(transport, resource, query, signal),

    watch: (resource, query, signal, onOpen) => watch(transport, resource, query, signal, onOpen),

    create: async (resource, object, { dryRun, fence } = {}) =>
      json({
        method: 'POST',
        path: collectionPath(resource, namespaceOf(resource, object)),
        query: { fieldManager: FIELD_MANAGER, dryRun: dryRun ? 'All' : undefined },
        body: bodyOf(resource, object),
        repeat: 'unprocessed',
        fence,
      }),

    patch: async (resource, name, body, { type, namespace, subresource, force, fence }) =>
      json({
        method: 'PATCH',
        path: objectPath(resource, { name, namespace, subresource }),
        query: {
          fieldManager: FIELD_MANAGER,
          force: type === 'apply' && force ? 'true' : undefined,
        },
        body: JSON.stringify(body),
        contentType: CONTENT_TYPE[type],
        repeat: isIdempotent(type, body) ? 'always' : 'unprocessed',
        fence,
      }),

    replace: async (resource, object) =>
      json({
        method: 'PUT',
        path: objectPath(resource, {
          name: object.metadata.name,
          namespace: object.metadata.namespace,
        }),
        query: { fieldManager: FIELD_MANAGER },
        body: bodyOf(resource, object),
        repeat: 'unprocessed',
      }),

    delete: async (resource, name, { namespace, uid, resourceVersion, fence } = {}) => {
      const preconditions = {
        ...(uid !== undefined && { uid }),
        ...(resourceVersion !== undefined && { resourceVersion }),
      }
      await transport.call({
        method: 'DELETE',
        path: objectPath(resource, { name, namespace }),
        body: JSON.stringify({ apiVersion: 'v1', kind: 'DeleteOptions', preconditions }),
        // where a finalizer holds the object, our own deletion changes the version: a second one would be refused
        repeat: resourceVersion === undefined ? 'always' : 'unprocessed',
        fence,
      })
    },

    serves: (resource) => serves(transport, resource),

    close: async () => {
      await options.http.close()
      await options.watchHttp?.close()
    },
  }
}

/** Throws for an answer that is no list of resources: a proxy's page says nothing about the API server. */
async function serves(transport: Transport, resource: Resource): Promise<boolean> {
  const path = groupVersionPath(resource)
  try {
    const list = JSON.parse(await transport.call({ method: 'GET', path, repeat: 'always' })) as {
      readonly resources?: readonly { readonly name?: string }[]
    }
    if (!Array.isArray(list.resources))
      throw new Error(`the API server answered ${path} with something else than its resources`)
    return list.resources.some(({ name }) => name === resource.plural)
  } catch (e) {
    if (e instanceof ApiError && e.status === 404) return false
    throw e
  }
}

type Page = {
  readonly items?: unknown[] | null
  readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string }
}

async function listPage<T>(
  transport: Transport,
  resource: Resource,
  query: NonNullable<Parameters<KubeClient['list']>[1]>,
  signal: AbortSignal | undefined,
): Promise<{ items: T[]; resourceVersion: string; continue?: string }> {
  const { namespace, limit, ...rest } = query
  const page = JSON.parse(
    await transport.call({
      method: 'GET',
      path: collectionPath(resource, namespace),
      query: { ...rest, limit: limit === undefined ? undefined : String(limit) },
      repeat: 'always',
      deadlineMs: LIST_DEADLINE_MS,
      signal,
    }),
  ) as Page
  return {
    items: (page.items ?? []) as T[],
    resourceVersion: page.metadata?.resourceVersion ?? '',
    ...(page.metadata?.continue && { continue: page.metadata.continue }),
  }
}

async function* watch<T extends KubeObject>(
  transport: Transport,
  resource: Resource,
  query: Parameters<KubeClient['watch']>[1],
  signal: AbortSignal,
  onOpen?: () => void,
): AsyncGenerator<WatchEvent<T>> {
  const { namespace, timeoutSeconds, ...rest } = query
  // ours, so that leaving the loop always frees the connection and the listener on the caller's signal
  const own = new AbortController()
  const stop = () => own.abort()
  signal.addEventListener('abort', stop, { once: true })
  if (signal.aborted) stop()
  try {
    const response = await transport.open({
      method: 'GET',
      path: collectionPath(resource, namespace),
      query: {
        ...rest,
        watch: 'true',
        allowWatchBookmarks: 'true',
        timeoutSeconds: String(timeoutSeconds),
      },
      repeat: 'unprocessed',
      signal: own.signal,
      idleMs: timeoutSeconds * 1000 + WATCH_SLACK_MS,
    })
    onOpen?.()
    for await (const line of watchLines(response.chunks())) yield JSON.parse(line) as WatchEvent<T>
  } finally {
    signal.removeEventListener('abort', stop)
    stop()
  }
}

/**
 * A merge patch or apply says what should be, so a second one changes nothing. With a resourceVersion the second is
 * refused because of the first, and a conflict would no longer show whose write was first; a JSON patch may add twice.
 */
function isIdempotent(type: PatchType, body: unknown): boolean {
  if (type === 'json') return false
  const { metadata } = body as { metadata?: { resourceVersion?: unknown } }
  return metadata?.resourceVersion === undefined
}

function namespaceOf(resource: Resource, object: KubeObject): string | undefined {
  const { namespace, name } = object.metadata
  if (resource.namespaced && namespace === undefined)
    throw new Error(`${resource.kind} "${name}" needs a namespace`)
  return resource.namespaced ? namespace : undefined
}

function bodyOf(resource: Resource, object: KubeObject): string {
  return JSON.stringify({ apiVersion: apiVersionOf(resource), kind: resource.kind, ...object })
}
