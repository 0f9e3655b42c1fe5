import type { Clock, Timer } from '../../clock.ts'
import type { HttpClient, HttpResponse } from '../../http.ts'

/** A clock whose timers all die with `life`, as those of a killed process do: no callback, no rejection, nothing. */
export function mortalClock(clock: Clock, life: AbortSignal): Clock {
  const timers = new Set<Timer>()
  const killAll = () => {
    for (const timer of timers) timer.cancel()
    timers.clear()
  }
  life.addEventListener('abort', killAll, { once: true })
  return {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    boot: () => clock.boot(),
    setTimer: (ms, fn) => {
      if (life.aborted) return { cancel: () => {} }
      const timer = clock.setTimer(ms, () => {
        timers.delete(timer)
        fn()
      })
      timers.add(timer)
      return {
        cancel: () => {
          timers.delete(timer)
          timer.cancel()
        },
      }
    },
  }
}

/** A client that never answers again once `life` is over. Closing the inner one breaks its sockets. */
export function mortalHttp(http: HttpClient, life: AbortSignal): HttpClient {
  return {
    request: async (req) =>
      life.aborted ? never() : mortalResponse(await whileAlive(http.request(req), life), life),
    close: () => http.close(),
  }
}

function mortalResponse(response: HttpResponse, life: AbortSignal): HttpResponse {
  return {
    status: response.status,
    headers: response.headers,
    text: () => whileAlive(response.text(), life),
    chunks: async function* () {
      const stream = response.chunks()[Symbol.asyncIterator]()
      try {
        for (;;) {
          const next = await whileAlive(stream.next(), life)
          if (next.done) return
          yield next.value
        }
      } finally {
        void stream.return?.()
      }
    },
  }
}

function whileAlive<T>(work: Promise<T>, life: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    work.then(
      (value) => life.aborted || resolve(value),
      (e: unknown) =>
        life.aborted || reject(e instanceof Error ? e : new Error('failed', { cause: e })),
    )
  })
}

function never(): Promise<never> {
  return new Promise(() => {})
}
