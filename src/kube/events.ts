import { createHash } from 'node:crypto'
import { FIELD_MANAGER } from '../api/names.ts'
import { sleep } from '../clock.ts'
import type { Clock } from '../clock.ts'
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import { METRIC_PREFIX } from '../metrics.ts'
import type { Registry } from '../metrics.ts'
import { createEventLimiter, evictOldest } from './event-limiter.ts'
import { counter } from './metrics.ts'
import { redact } from './redact.ts'
import { EVENT } from './resources.ts'
import { ApiError } from './types.ts'
import type { EventRecorder, KubeClient, KubeObject, ObjectReference } from './types.ts'

export type EventRecorderOptions = {
  readonly client: KubeClient
  /** `reportingInstance`: the pod's name. */
  readonly instance?: string
  readonly clock: Clock
  readonly log: Log
  readonly metrics?: Registry
}

/** A server keeps events for an hour by default; after this much silence the same news are a new event. */
const SERIES_MS = 10 * 60_000
const MOST_SERIES = 4096
const MOST_PENDING = 1000
const LONGEST_MESSAGE = 1024
const FLUSH_MS = 5_000

type Series = {
  readonly event: KubeObject
  count: number
  lastAt: number
  /** The server has it, so that the next time is a patch. */
  stored: boolean
}

/**
 * Events of core/v1, with `create` and `patch` alone. The same news about the same object are one event with a count.
 * Nothing here throws or waits for the server: an event that cannot be written is logged and dropped.
 */
export function createEventRecorder(options: EventRecorderOptions): EventRecorder {
  const { client, clock, log } = options
  const allowed = createEventLimiter(clock)
  const series = new Map<string, Series>()
  const pending = new Map<string, Series>()
  const dropped =
    options.metrics &&
    counter(
      options.metrics,
      `${METRIC_PREFIX}events_dropped_total`,
      'Events not written, by why: rate (too many), queue (full) or refused by the API server.',
      ['why'],
    )
  let writing: Promise<void> | undefined

  const drop = (why: 'rate' | 'queue' | 'refused', fields: object) => {
    dropped?.inc({ why })
    log.debug({ why, ...fields }, 'event dropped')
  }

  const seriesOf = (key: string, make: () => KubeObject): Series => {
    const now = clock.now()
    const known = series.get(key)
    const fresh = known && now - known.lastAt < SERIES_MS ? known : undefined
    const next = fresh ?? { event: make(), count: 0, lastAt: now, stored: false }
    next.count += 1
    next.lastAt = now
    series.delete(key)
    series.set(key, next)
    evictOldest(series, MOST_SERIES)
    return next
  }

  const create = async (one: Series) => {
    await client.create(EVENT, { ...one.event, ...tally(one) })
    one.stored = true
  }

  const write = async (one: Series) => {
    const { name, namespace } = one.event.metadata
    if (!one.stored) return create(one)
    try {
      await client.patch(EVENT, name, tally(one), { type: 'merge', namespace: namespace! })
    } catch (e) {
      if (!(e instanceof ApiError && e.status === 404)) throw e
      // the server has forgotten it
      await create(one)
    }
  }

  const writeAll = async () => {
    for (const [key, one] of pending) {
      pending.delete(key)
      try {
        await write(one)
      } catch (e) {
        drop('refused', { event: one.event.metadata.name, error: messageOf(e) })
      }
    }
    writing = undefined
  }

  const record: EventRecorder['event'] = (about, type, reason, message) => {
    const text = shortened(redact(message))
    const key = hash([about.uid, about.kind, about.namespace, about.name, type, reason, text])
    if (!allowed(`${about.kind}/${about.namespace}/${about.name}/${about.uid}`))
      return drop('rate', { reason, about: about.name })
    if (!pending.has(key) && pending.size >= MOST_PENDING)
      return drop('queue', { reason, about: about.name })
    const make = () => eventOf(about, type, reason, text, key, clock.now(), options.instance)
    pending.set(key, seriesOf(key, make))
    writing ??= Promise.resolve().then(writeAll)
  }

  return {
    event: (...news) => {
      try {
        record(...news)
      } catch (e) {
        log.error({ error: messageOf(e) }, 'event could not be made')
      }
    },
    flush: async () => {
      const enough = new AbortController()
      await Promise.race([writing, sleep(clock, FLUSH_MS, enough.signal)])
      enough.abort()
    },
  }
}

function eventOf(
  about: ObjectReference,
  type: string,
  reason: string,
  message: string,
  key: string,
  now: number,
  instance: string | undefined,
): KubeObject {
  return {
    metadata: {
      // unlike any of an earlier process, whose count we cannot read
      name: `${about.name.slice(0, 200)}.${now.toString(16)}.${key.slice(0, 10)}`,
      namespace: about.namespace ?? 'default',
    },
    involvedObject: about,
    type,
    reason,
    message,
    firstTimestamp: timestamp(now),
    source: { component: FIELD_MANAGER },
    reportingComponent: FIELD_MANAGER,
    reportingInstance: instance ?? '',
  } as KubeObject
}

function tally({ count, lastAt }: Series) {
  return { count, lastTimestamp: timestamp(lastAt) }
}

function timestamp(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z')
}

function hash(parts: readonly (string | undefined)[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex')
}

/** At most 1024 bytes, cut between characters. */
function shortened(message: string): string {
  const bytes = Buffer.from(message)
  if (bytes.length <= LONGEST_MESSAGE) return message
  const cut = bytes.subarray(0, LONGEST_MESSAGE - 3).toString('utf8')
  return `${cut.replace(/\ufffd+$/, '')}…`
}
