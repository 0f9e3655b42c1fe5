import type { ObjectMeta } from '../api/object.ts'

/** A kind as the API server serves it, with its path. */
export type Resource = {
  readonly group: string
  readonly version: string
  readonly plural: string
  readonly kind: string
  readonly namespaced: boolean
}

/** What every object has. Raw JSON as the server sent it: fields we do not know are never lost. */
export type KubeObject = {
  readonly apiVersion?: string
  readonly kind?: string
  readonly metadata: ObjectMeta
}

export type PatchType = 'merge' | 'json' | 'apply'

/**
 * Raw calls to the API server on one shared connection pool: credentials re-read, one retry on 401,
 * idempotent calls retried on 429/5xx/connection errors with Retry-After honoured. Throws `ApiError` or `ConnectionError`.
 */
export interface KubeClient {
  get<T extends KubeObject>(resource: Resource, name: string, namespace?: string): Promise<T>
  /** One page. */
  list<T extends KubeObject>(
    resource: Resource,
    query?: {
      namespace?: string
      limit?: number
      continue?: string
      labelSelector?: string
      fieldSelector?: string
      resourceVersion?: string
    },
    signal?: AbortSignal,
  ): Promise<{ items: T[]; resourceVersion: string; continue?: string }>
  /**
   * Events of one watch request as parsed JSON, until the server ends it. Throws `ApiError` on a refused request;
   * `onOpen` is called when it was granted, which may be minutes before the first event.
   */
  watch<T extends KubeObject>(
    resource: Resource,
    query: {
      namespace?: string
      resourceVersion: string
      timeoutSeconds: number
      labelSelector?: string
      fieldSelector?: string
    },
    signal: AbortSignal,
    onOpen?: () => void,
  ): AsyncIterable<WatchEvent<T>>
  /** Not repeated on an unclear failure unless the name is fixed (409 AlreadyExists then shows it). */
  create<T extends KubeObject>(
    resource: Resource,
    object: T,
    options?: {
      /** Checks everything and stores nothing. */
      dryRun?: boolean
      fence?: () => void
    },
  ): Promise<T>
  /**
   * `resourceVersion` in the body makes a merge patch a compare-and-swap (409 Conflict when it is stale).
   * `apply` is server-side apply with our field manager.
   */
  patch<T extends KubeObject>(
    resource: Resource,
    name: string,
    body: unknown,
    options: {
      type: PatchType
      namespace?: string
      subresource?: 'status'
      force?: boolean
      /** Asked right before it is sent, and again before each repetition; throws when it may not be. */
      fence?: () => void
    },
  ): Promise<T>
  /** PUT of raw JSON that was read as raw JSON; for Leases only. */
  replace<T extends KubeObject>(resource: Resource, object: T): Promise<T>
  delete(
    resource: Resource,
    name: string,
    options?: { namespace?: string; uid?: string; resourceVersion?: string; fence?: () => void },
  ): Promise<void>
  /** Whether the API server has the kind at all, by discovery, which needs no role. */
  serves(resource: Resource): Promise<boolean>
  close(): Promise<void>
}

export type WatchEvent<T> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK'; readonly object: T }
  | {
      readonly type: 'ERROR'
      readonly object: {
        readonly code?: number
        readonly reason?: string
        readonly message?: string
      }
    }

/** A refusal by the API server, from its `Status` body. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly status: number
  /** `NotFound`, `AlreadyExists`, `Conflict`, `Expired`, `Forbidden`, `Invalid`, … */
  readonly reason: string
  readonly retryAfterSeconds: number | undefined
  /** The API server said so itself. What a proxy before it answers says nothing about our rights. */
  readonly byServer: boolean
  constructor(
    status: number,
    reason: string,
    message: string,
    retryAfterSeconds?: number,
    byServer = true,
  ) {
    super(message)
    this.status = status
    this.reason = reason
    this.retryAfterSeconds = retryAfterSeconds
    this.byServer = byServer
  }
}

/** Read side of a reflector: projections by key (`namespace/name`, or `name`). */
export interface Store<T> {
  get(key: string): T | undefined
  values(): IterableIterator<T>
  /** All keys there are now: a caller that lets others run in between reads each value when its turn comes. */
  keys(): IterableIterator<string>
  readonly size: number
  /** Version of the last list; NaN before it. What is older than it and not in here is gone. */
  readonly listedVersion: number
  /** Keys whose projection has `value` in the index `index`. */
  byIndex(index: string, value: string): readonly T[]
  /** Called after each change, in order; a throwing listener is logged and never stops the watch. Returns the unsubscribe. */
  subscribe(
    listener: (change: { key: string; before: T | undefined; after: T | undefined }) => void,
  ): () => void
}

export type ReflectorHealth = {
  readonly resource: string
  /** The first full list has been stored. */
  readonly synced: boolean
  /** The server answered 403: the RBAC rule we miss, in words a person can paste into a role. */
  readonly missingRule: string | undefined
  /** `clock.monotonic()` of the last byte or answer. */
  readonly lastActivity: number
  readonly relists: number
  readonly watchRestarts: number
}

export interface Reflector<T> {
  readonly store: Store<T>
  /** Runs until `signal` is aborted; never rejects, never stops on an error. */
  run(signal: AbortSignal): Promise<void>
  /** Resolves at the first sync; with `optional` also at the first 403. */
  ready(): Promise<void>
  health(): ReflectorHealth
}

export type QueueResult =
  | { readonly kind: 'done' }
  | { readonly kind: 'requeue'; readonly afterMs: number }
  /** Not tried again until the key is added again. */
  | { readonly kind: 'terminal'; readonly error: unknown }

/** Per key serial, coalescing; a throwing handler is retried with backoff (5 ms x2 to 1000 s). */
export interface WorkQueue {
  add(key: string, options?: { priority?: 'user' | 'background' }): void
  /** Keeps the earliest time when the key already waits. */
  addAfter(key: string, ms: number): void
  /** Works until `signal` is aborted, then lets running handlers end. */
  run(signal: AbortSignal): Promise<void>
  readonly length: number
}

/** Leadership, with a fence to be asked right before each outside write. */
export interface Elector {
  /** Runs until leadership is lost or `signal` is aborted; releases the lease at the end when it is still ours. */
  run(signal: AbortSignal): Promise<'lost' | 'stopped'>
  readonly isLeader: boolean
  /** Resolves once the lease is ours for the first time; stays pending when it never is. */
  elected(): Promise<void>
  /** `leaseTransitions` of our term; 0 before. */
  readonly epoch: number
  /** uid of the Lease object, for a cluster id where namespaces may not be read. */
  readonly leaseUid: string | undefined
  /** Throws `LostLeaseError` unless the lease is ours by monotonic, wall and boot clock, with `marginMs` to spare. Synchronous. */
  fence(marginMs?: number): void
  /** False when the lease should have been renewed and was not: for /healthz. */
  healthy(): boolean
}

export class LostLeaseError extends Error {
  override readonly name = 'LostLeaseError'
}

export type ObjectReference = {
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
  readonly namespace?: string
  readonly uid?: string
  readonly resourceVersion?: string
}

/** Best effort, aggregated (same reason and object: one event with a count), never throws, never blocks the caller. */
export interface EventRecorder {
  event(about: ObjectReference, type: 'Normal' | 'Warning', reason: string, message: string): void
  flush(): Promise<void>
}
