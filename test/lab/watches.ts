import { labTarget } from '../contract/target-apiserver.ts'
import { theLab } from './env.ts'

export type WatchEvent<T> = { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: T }

/** Watches of the lab's API server: what happens between two reads is seen, within milliseconds. */
export interface Watches {
  /** Resolves when the watch is open; it begins with what is there. `query`: a selector, for example. */
  open<T>(
    path: string,
    query: Readonly<Record<string, string>>,
    on: (event: WatchEvent<T>) => void,
  ): Promise<void>
  /** Throws when one of them ended before. */
  close(): Promise<void>
}

const FOREVER_MS = 3_600_000

export function createWatches(): Watches {
  const target = labTarget(theLab())
  const stop = new AbortController()
  const broken: unknown[] = []
  return {
    open: async <T>(
      path: string,
      query: Readonly<Record<string, string>>,
      on: (event: WatchEvent<T>) => void,
    ) => {
      const asked = new URLSearchParams({ ...query, watch: '1', timeoutSeconds: '3600' })
      const url = `${target.url}${path}?${asked.toString()}`
      const request = { method: 'GET', url, signal: stop.signal, timeoutMs: FOREVER_MS }
      const response = await target.http.request(request)
      const read = async () => {
        let rest = ''
        for await (const chunk of response.chunks()) {
          const lines = (rest + chunk).split('\n')
          rest = lines.pop() ?? ''
          for (const line of lines) on(JSON.parse(line) as WatchEvent<T>)
        }
      }
      // it ends by `close` only
      read().then(
        () => stop.signal.aborted || broken.push(new Error(`the watch of ${path} ended`)),
        (e: unknown) => stop.signal.aborted || broken.push(e),
      )
    },
    close: async () => {
      stop.abort()
      await target.close()
      if (broken.length > 0) throw new Error('a watch broke', { cause: broken[0] })
    },
  }
}
