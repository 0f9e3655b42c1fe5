import type { Clock, Timer } from '../src/clock.ts'
import { ConnectionError } from '../src/http.ts'
import type { HttpClient, HttpRequest, HttpResponse } from '../src/http.ts'
import type { SimHandler } from '../src/sim/handler.ts'
import { inProcess } from '../src/sim/server.ts'

/** How a process stands still: stopped by a signal, or asleep with its whole machine (no monotonic time). */
export type Pause = 'stopped' | 'asleep'

/** Decides about one request: `send` delivers it. A promise that never settles is a request that never ends. */
export type Gate = (
  request: HttpRequest,
  send: () => Promise<HttpResponse>,
) => Promise<HttpResponse>

/** One process: its clock and its way to the network, which can end or stand still at any moment. */
export type Life = {
  readonly clock: Clock
  readonly http: () => HttpClient
  readonly dead: boolean
  readonly paused: boolean
  /** SIGKILL: no timer fires any more, no answer arrives, connections break. */
  kill(): void
  pause(how: Pause): void
  resume(): void
}

type Waiting = { readonly fn: () => void; at: number; timer: Timer | undefined }

export function createLife(options: {
  readonly clock: Clock
  readonly routes: Readonly<Record<string, SimHandler>>
  readonly gate?: Gate
}): Life {
  return new Process(options.clock, options.routes, options.gate ?? ((_, send) => send()))
}

class Process implements Life {
  dead = false
  paused = false
  readonly clock: Clock
  readonly #world: Clock
  readonly #gate: Gate
  readonly #timers = new Set<Waiting>()
  readonly #clients: HttpClient[] = []
  readonly #routes: Readonly<Record<string, SimHandler>>
  #held: (() => void)[] = []
  #asleep = 0
  #fellAsleep: number | undefined

  constructor(world: Clock, routes: Readonly<Record<string, SimHandler>>, gate: Gate) {
    this.#world = world
    this.#routes = routes
    this.#gate = gate
    this.clock = {
      now: () => world.now(),
      boot: () => world.boot(),
      monotonic: () => this.#monotonic(),
      setTimer: (ms, fn) => this.#setTimer(ms, fn),
    }
  }

  readonly http = (): HttpClient => {
    const inner = inProcess(this.#routes, { clock: this.clock })
    this.#clients.push(inner)
    return {
      request: (request) => {
        if (this.dead) return new Promise(() => {})
        const answer = this.#gate(request, () => inner.request(request))
        return this.#whenAwake(answer).then((response) => this.#heldBack(response))
      },
      close: () => inner.close(),
    }
  }

  kill() {
    this.dead = true
    for (const w of this.#timers) w.timer?.cancel()
    this.#timers.clear()
    this.#held = []
    for (const client of this.#clients) void client.close()
  }

  pause(how: Pause) {
    if (this.dead || this.paused) return
    if (how === 'asleep') {
      this.#fellAsleep = this.#world.monotonic()
      for (const w of this.#timers) w.timer?.cancel()
    }
    this.paused = true
  }

  resume() {
    if (this.dead || !this.paused) return
    this.paused = false
    if (this.#fellAsleep !== undefined) {
      this.#asleep += this.#world.monotonic() - this.#fellAsleep
      this.#fellAsleep = undefined
      for (const w of this.#timers) this.#arm(w)
    }
    const held = this.#held
    this.#held = []
    for (const fn of held) fn()
  }

  #monotonic(): number {
    return (this.#fellAsleep ?? this.#world.monotonic()) - this.#asleep
  }

  #setTimer(ms: number, fn: () => void): Timer {
    const waiting: Waiting = { fn, at: this.#monotonic() + ms, timer: undefined }
    if (!this.dead) {
      this.#timers.add(waiting)
      if (this.#fellAsleep === undefined) this.#arm(waiting)
    }
    return {
      cancel: () => {
        waiting.timer?.cancel()
        this.#timers.delete(waiting)
      },
    }
  }

  #arm(waiting: Waiting) {
    const left = Math.max(0, waiting.at - this.#monotonic())
    waiting.timer = this.#world.setTimer(left, () =>
      this.#awake(() => {
        if (this.#timers.delete(waiting)) waiting.fn()
      }),
    )
  }

  #awake(fn: () => void) {
    if (this.dead) return
    if (this.paused) this.#held.push(fn)
    else fn()
  }

  #whenAwake<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      work.then(
        (value) => this.#awake(() => resolve(value)),
        (e: Error) => this.#awake(() => reject(e)),
      )
    })
  }

  #heldBack(response: HttpResponse): HttpResponse {
    const whenAwake = <T>(work: Promise<T>) => this.#whenAwake(work)
    return {
      ...response,
      text: () => whenAwake(response.text()),
      chunks: async function* () {
        const chunks = response.chunks()[Symbol.asyncIterator]()
        try {
          for (;;) {
            const next = await whenAwake(chunks.next())
            if (next.done) return
            yield next.value
          }
        } finally {
          void chunks.return?.()
        }
      },
    }
  }
}

/** What the client of a connection sees: the answer, its own deadline, or its own change of mind. */
export function patient(
  journey: Promise<HttpResponse>,
  { signal, timeoutMs = 30_000 }: HttpRequest,
  clock: Clock,
): Promise<HttpResponse> {
  journey.catch(() => {})
  return new Promise((resolve, reject) => {
    const fail = (why: 'timeout' | 'aborted') => () => reject(new ConnectionError(why, why))
    const timer = clock.setTimer(timeoutMs, fail('timeout'))
    signal?.addEventListener('abort', fail('aborted'), { once: true })
    journey.then(resolve, reject).finally(() => timer.cancel())
  })
}
