import { Readable } from 'node:stream'
import { createPrometheusSource } from '../../src/activity/prometheus/source.ts'
import type { ActivitySource } from '../../src/activity/types.ts'
import { createHttpClient } from '../../src/http.ts'
import type { HttpClient, HttpRequest, HttpResponse } from '../../src/http.ts'
import { silentLog } from '../../src/log.ts'
import { systemClock } from '../../src/main/system-clock.ts'
import { WORLD_ORIGINS } from '../../src/sim/world.ts'
import type { Gate } from '../life.ts'
import type { VirtualClock } from '../virtual-clock.ts'

/**
 * The way from a simulated cluster, whose time is the past, to a real Prometheus: what is asked of the simulated one is asked of
 * the real one, and time stands still until it has answered.
 */
export class RealUsage {
  readonly #http: HttpClient = createHttpClient()
  readonly #url: string
  readonly #waiting = new Set<Promise<unknown>>()
  /** Questions asked so far. */
  questions = 0

  constructor(url: string) {
    this.#url = url
  }

  /** For a controller on the simulators. */
  readonly gate: Gate = (request, send) =>
    request.url.startsWith(WORLD_ORIGINS.prometheus) ? this.#ask(request) : send()

  /** For a command that asks it directly. */
  source(): ActivitySource {
    return createPrometheusSource({
      http: { request: (r) => this.#ask(r), close: () => this.#http.close() },
      config: {
        endpoint: WORLD_ORIGINS.prometheus,
        queryTimeoutMs: 30_000,
        preset: 'agent',
        scrapeIntervalSeconds: 60,
      },
      clock: systemClock,
      random: () => 0.5,
      log: silentLog,
    })
  }

  async close(): Promise<void> {
    await this.#http.close()
  }

  /** Lets `ms` pass on the clock, in steps short enough that no answer comes late. */
  async pass(clock: VirtualClock, ms: number, stepMs = 10_000): Promise<void> {
    for (let left = ms; left > 0; left -= stepMs) {
      await clock.advance(Math.min(left, stepMs))
      while (this.#waiting.size > 0) {
        await Promise.allSettled(this.#waiting)
        await clock.settle()
      }
    }
  }

  #ask(request: HttpRequest): Promise<HttpResponse> {
    this.questions++
    // the deadline is of the past's clock: here the real one counts
    const { signal: _, ...rest } = request
    const url = request.url.replace(WORLD_ORIGINS.prometheus, this.#url)
    const answer = this.#whole({ ...rest, url })
    this.#waiting.add(answer)
    void answer.catch(() => {}).finally(() => this.#waiting.delete(answer))
    return answer
  }

  /** With its body, so that nothing of it is still on the way when time goes on. */
  async #whole(request: HttpRequest): Promise<HttpResponse> {
    const response = await this.#http.request(request)
    const text = await response.text()
    const chunks = () => Readable.from([text])
    return { ...response, text: () => Promise.resolve(text), chunks }
  }
}
