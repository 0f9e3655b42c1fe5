import { yieldToEventLoop } from '../clock.ts'
import type { Clock } from '../clock.ts'
import { ConnectionError } from '../http.ts'
import { resourceName } from './resources.ts'
import { ApiError } from './types.ts'
import type { KubeClient, KubeObject, Resource, WatchEvent } from './types.ts'
import { watchdog } from './watchdog.ts'

export type Selection = {
  readonly namespace?: string
  readonly labelSelector?: string
  readonly fieldSelector?: string
}

export type ListWatchOptions = {
  readonly client: KubeClient
  readonly resource: Resource
  readonly selection: Selection
  readonly pageSize: number
  readonly clock: Clock
  /** [0, 1). */
  readonly random: () => number
}

export type ObjectEvent = Exclude<WatchEvent<KubeObject>, { type: 'ERROR' }>

/** Servers with bookmarks send one a minute; silence longer than this is a dead connection. */
const IDLE_MS = 70_000
const IDLE_MARGIN_MS = 5_000
const SHORTEST_WATCH_S = 300
/** A watch that ends sooner is a failure whatever it sent: else such a server is redialled without a pause. */
const HEALTHY_WATCH_MS = 10_000

/** One list in pages and one watch of a kind, without memory of failures: the reflector repeats them. */
export function createListWatch(options: ListWatchOptions) {
  const { client, resource, selection, clock, random } = options
  const name = resourceName(resource)
  let bookmarks = false

  return {
    /** Gives all objects page by page; returns the list's version, or undefined when stopped. */
    list: async (
      signal: AbortSignal,
      onPage: (items: readonly KubeObject[]) => void,
    ): Promise<string | undefined> => {
      let token: string | undefined
      while (!signal.aborted) {
        const query = {
          ...selection,
          limit: options.pageSize,
          ...(token !== undefined && { continue: token }),
        }
        const page = await client.list(resource, query, signal)
        // parsing and storing a page are two turns of the event loop: leases and probes run in between
        await yieldToEventLoop()
        if (signal.aborted) return undefined
        onPage(page.items)
        if (page.continue === undefined) return page.resourceVersion
        token = page.continue
      }
      return undefined
    },

    /**
     * Gives events after `version` until the server ends the watch or the signal is aborted. Throws what `onEvent`
     * throws, and on everything that calls for a pause: a refusal, a broken, silent or too short watch.
     */
    watch: async (
      version: string,
      signal: AbortSignal,
      { onOpen, onEvent }: { onOpen: () => void; onEvent: (event: ObjectEvent) => void },
    ): Promise<void> => {
      const timeoutSeconds = Math.round(SHORTEST_WATCH_S * (1 + random()))
      const patience = () => (bookmarks ? IDLE_MS : timeoutSeconds * 1000 + IDLE_MARGIN_MS)
      const started = clock.monotonic()
      const dog = watchdog(clock, signal, patience())
      try {
        const query = { ...selection, resourceVersion: version, timeoutSeconds }
        for await (const event of client.watch(resource, query, dog.signal, onOpen)) {
          if (signal.aborted) return
          if (event.type === 'ERROR') throw errorOf(event.object, name)
          bookmarks ||= event.type === 'BOOKMARK'
          dog.feed(patience())
          onEvent(event)
        }
      } catch (e) {
        throw dog.bit ? new ConnectionError('timeout', `watch of ${name}: silent`) : e
      } finally {
        dog.stop()
      }
      const lasted = clock.monotonic() - started
      if (lasted < HEALTHY_WATCH_MS && !signal.aborted)
        throw new ConnectionError('reset', `watch of ${name}: ended after ${Math.round(lasted)} ms`)
    },
  }
}

function errorOf(
  said: Extract<WatchEvent<KubeObject>, { type: 'ERROR' }>['object'],
  name: string,
): ApiError {
  const { code = 500, reason = 'Unknown', message = 'no message' } = said
  return new ApiError(code, reason, `watch of ${name}: ${code} ${reason}: ${message}`)
}
