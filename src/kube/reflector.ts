import { sleep, yieldToEventLoop } from '../clock.ts'
import type { Clock } from '../clock.ts'
import { messageOf } from '../errors.ts'
import { ConnectionError } from '../http.ts'
import type { Log } from '../log.ts'
import type { Registry } from '../metrics.ts'
import { createBackoff } from './backoff.ts'
import { createListWatch } from './list-watch.ts'
import type { ObjectEvent, Selection } from './list-watch.ts'
import { isForbidden, OptionalRight } from './missing-right.ts'
import { reflectorMetrics } from './reflector-metrics.ts'
import { resourceName } from './resources.ts'
import { createStore, versionNumber } from './store.ts'
import type { Indexer } from './store.ts'
import { ApiError } from './types.ts'
import type { KubeClient, KubeObject, Reflector, Resource } from './types.ts'

export type ReflectorOptions<T> = Selection & {
  readonly client: KubeClient
  readonly resource: Resource
  /** What is kept of an object; undefined keeps nothing of it. */
  readonly project: (object: KubeObject) => T | undefined
  /** Default `namespace/name`, or `name`. */
  readonly key?: (object: KubeObject) => string
  readonly indexes?: Readonly<Record<string, Indexer<T>>>
  /** The rest works without it: `ready` does not wait for a kind that we may not read or that is not installed. */
  readonly optional?: boolean
  /** Objects per page of a list. Default 500. */
  readonly pageSize?: number
  readonly clock: Clock
  /** [0, 1). */
  readonly random: () => number
  readonly log: Log
  readonly metrics?: Registry
}

const PAGE_SIZE = 500
const SWEEP_STEP = 5_000
const FAILURE_WAITS = { firstMs: 800, maxMs: 30_000, resetAfterMs: 120_000 }
const REFUSAL_WAITS = { firstMs: 60_000, maxMs: 300_000, resetAfterMs: 600_000 }
/** A watch decides what we see: a maintenance page that asks for a day must not silence it. */
const LONGEST_ASKED_MS = 120_000
/** What was refused for longer is too old to count again before the server has sent news of it. */
const OLD_MS = 300_000
/** Two expiries within this are a failure, not the course of things. */
const EXPIRY_MS = 60_000
/** A server that answers every watch with nonsense may have lost our place: list everything again. */
const FAILURES_BEFORE_RELIST = 5

/**
 * Keeps a store of projections equal to what the API server has: a paged list, then watches. Every failure is
 * answered with a jittered wait and another try; only `run`'s signal ends it.
 */
export function createReflector<T>(options: ReflectorOptions<T>): Reflector<T> {
  const { resource, clock } = options
  const name = resourceName(resource)
  const log = options.log.child({ resource: name })
  const listWatch = createListWatch({
    ...options,
    selection: selectionOf(options),
    pageSize: options.pageSize ?? PAGE_SIZE,
  })
  const failureWaits = createBackoff({ ...options, ...FAILURE_WAITS })
  const refusalWaits = createBackoff({ ...options, ...REFUSAL_WAITS })
  const right = new OptionalRight(clock)
  const ready = Promise.withResolvers<void>()
  const store = createStore<T>({
    ...(options.indexes && { indexes: options.indexes }),
    onListenerError: (e) => failed('listener', e, 'a listener of the store failed'),
  })

  let version: string | undefined
  let synced = false
  let missingRule: string | undefined
  let lastActivity = clock.monotonic()
  /** As `lastActivity`, but refusals are no news of the objects. */
  let newsAt = lastActivity
  let relists = 0
  let watchRestarts = 0
  let failures = 0
  let expiredAt = -Infinity

  const count = reflectorMetrics(options.metrics, name, {
    idleSeconds: () => (clock.monotonic() - lastActivity) / 1000,
    objects: () => store.size,
  })

  function failed(kind: 'project' | 'listener', e: unknown, message: string) {
    count.error(kind)
    log.error({ error: messageOf(e) }, message)
  }

  const granted = () => {
    right.granted()
    if (clock.monotonic() - newsAt < OLD_MS) missingRule = undefined
  }

  const heard = () => {
    lastActivity = newsAt = clock.monotonic()
    missingRule = undefined
    right.granted()
  }

  /** Never throws: what was known of an object that cannot be read stays, for gone would be a stronger claim than old. */
  const take = (object: KubeObject, how: (key: string) => void) => {
    try {
      how((options.key ?? keyOf)(object))
    } catch (e) {
      failed('project', e, 'an object could not be read')
    }
  }

  const upsert = (key: string, object: KubeObject) => {
    const value = options.project(object)
    if (value === undefined) store.delete(key)
    else store.set(key, value, object.metadata.resourceVersion, object.metadata.uid)
  }

  const takePage = (items: readonly KubeObject[]) => {
    heard()
    for (const object of items)
      take(object, (key) => {
        if (!store.mark(key, object.metadata.resourceVersion)) upsert(key, object)
      })
  }

  const list = async (signal: AbortSignal) => {
    store.beginSweep()
    const listed = await listWatch.list(signal, takePage)
    if (listed === undefined) return
    for (const _ of store.sweep(SWEEP_STEP, listed)) await yieldToEventLoop()
    version = listed
    failures = 0
    relists += 1
    synced = true
    count.list()
    ready.resolve()
    log.debug({ objects: store.size }, 'listed')
  }

  const takeEvent = (event: ObjectEvent) => {
    heard()
    failures = 0
    const next = event.object.metadata.resourceVersion
    if (event.type === 'BOOKMARK') return takeBookmark(next)
    const old = versionNumber(next) <= versionNumber(version)
    take(event.object, (key) => {
      if (event.type !== 'DELETED') return old ? undefined : upsert(key, event.object)
      if (!store.isOlder(key, next, event.object.metadata.uid)) store.delete(key)
    })
    if (!old) version = next ?? version
  }

  const takeBookmark = (next: string | undefined) => {
    // history that went back is a restored etcd: what we hold may never have happened
    if (versionNumber(next) < versionNumber(version))
      throw new ApiError(410, 'Expired', `${name}: bookmark ${next} is older than ${version}`)
    version = next ?? version
  }

  /** The right is missing: at once where nothing works without it, else when it is refused for a while. */
  const waitAfterRefusal = (isMissing: boolean): number => {
    lastActivity = clock.monotonic()
    if (options.optional && !isMissing) return failureWaits.next()
    missingRule = ruleFor(resource)
    if (options.optional) ready.resolve()
    // what was granted before is rather refused by a server that has not read the roles yet
    return synced ? failureWaits.next() : refusalWaits.next()
  }

  /** Ms to wait after a failure, and what the failure says about the place in history and our rights. */
  const waitAfter = (e: unknown): number => {
    const status = e instanceof ApiError ? e.status : undefined
    const isMissing = right.isMissing(e)
    // an answer that refuses the right is news of that alone; any other failure leaves what we hold growing old
    if (status === 410 || status === 404) version = undefined
    if (isForbidden(e)) return waitAfterRefusal(isMissing)
    if (status === 404 && options.optional) {
      ready.resolve()
      return refusalWaits.next()
    }
    if (status === 410 && clock.monotonic() - expiredAt > EXPIRY_MS) {
      expiredAt = clock.monotonic()
      return 0
    }
    if (!(e instanceof ConnectionError)) failures += 1
    if (failures >= FAILURES_BEFORE_RELIST) version = undefined
    const asked = e instanceof ApiError ? (e.retryAfterSeconds ?? 0) * 1000 : 0
    return Math.max(failureWaits.next(), Math.min(asked, LONGEST_ASKED_MS))
  }

  const step = async (signal: AbortSignal) => {
    let kind: 'list' | 'watch' = 'list'
    try {
      if (version === undefined) await list(signal)
      if (version === undefined || signal.aborted) return
      kind = 'watch'
      watchRestarts += 1
      count.watch()
      await listWatch.watch(version, signal, { onOpen: granted, onEvent: takeEvent })
      heard()
    } catch (e) {
      if (signal.aborted) return
      const waitMs = Math.round(waitAfter(e))
      count.error(kind)
      log.warn({ kind, error: messageOf(e), waitMs, missingRule }, 'will be tried again')
      if (waitMs > 0) await sleep(clock, waitMs, signal)
    }
  }

  return {
    store,
    run: async (signal) => {
      while (!signal.aborted) await step(signal)
    },
    ready: () => ready.promise,
    health: () => ({ resource: name, synced, missingRule, lastActivity, relists, watchRestarts }),
  }
}

/** `namespace/name`, or `name`. */
function keyOf({ metadata }: KubeObject): string {
  return metadata.namespace === undefined ? metadata.name : `${metadata.namespace}/${metadata.name}`
}

function selectionOf({ namespace, labelSelector, fieldSelector }: Selection): Selection {
  return {
    ...(namespace !== undefined && { namespace }),
    ...(labelSelector !== undefined && { labelSelector }),
    ...(fieldSelector !== undefined && { fieldSelector }),
  }
}

function ruleFor({ group, plural }: Resource): string {
  return `apiGroups: ["${group}"], resources: ["${plural}"], verbs: ["list", "watch"]`
}
