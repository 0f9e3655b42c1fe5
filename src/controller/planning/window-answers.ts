import { lastWindowEnd } from '../../activity/window.ts'
import type {
  ActivitySource,
  ActivitySources,
  HistoryOf,
  WindowAnswer,
} from '../../activity/types.ts'
import type { ControllerDeps } from '../deps.ts'
import type { ResolvedPolicy } from '../view/policies.ts'

type Kept = { readonly endSeconds: number; readonly answer: WindowAnswer }

/** Policies with the same source and window share one answer, so that the number of queries does not grow with them. */
export class WindowAnswers {
  readonly #deps: ControllerDeps
  readonly #sources: ActivitySources
  /**
   * A source that is down is not waited for once per policy, only once per pass; by source and length of window, since a
   * window that is too much for the server is no outage for policies with a shorter one.
   */
  readonly #down = new Map<string, { readonly at: number; readonly answer: WindowAnswer }>()
  /** The last answer by source and length of window, and that for the newest window. */
  readonly #last = new Map<string, Kept>()
  readonly #newest = new Map<string, Kept>()

  constructor(deps: ControllerDeps, sources: ActivitySources) {
    this.#deps = deps
    this.#sources = sources
  }

  /** End (seconds) of the newest window that is complete by now. */
  latestEnd(policy: ResolvedPolicy): number {
    const window = policy.effective.metrics.windowMs / 1000
    return lastWindowEnd(this.#deps.clock.now() / 1000, window, this.lagSeconds(policy))
  }

  /** How long after its end a window of that policy is complete, seconds. */
  lagSeconds(policy: ResolvedPolicy): number {
    return this.#sourceOf(policy).lagSeconds
  }

  async ask(
    policy: ResolvedPolicy,
    endSeconds: number,
    signal: AbortSignal,
    history?: HistoryOf,
  ): Promise<WindowAnswer> {
    const { windowMs } = policy.effective.metrics
    const key = `${policy.effective.metrics.source}/${windowMs}`
    const isNewest = endSeconds === this.latestEnd(policy)
    const kept = isNewest ? this.#newest : this.#last
    const last = kept.get(key)
    if (history === undefined && last?.endSeconds === endSeconds) return last.answer
    const source = this.#sourceOf(policy)
    const { processClock, timing } = this.#deps
    const down = this.#down.get(key)
    if (down !== undefined && processClock.monotonic() - down.at < timing.recheckMs / 2)
      return down.answer
    const windowSeconds = windowMs / 1000
    if (history !== undefined) {
      const few = await source.window({ endSeconds, windowSeconds, signal, history })
      // that a source is down is known by what it says of the whole fleet
      return few.kind === 'Down' && isNewest ? this.ask(policy, endSeconds, signal) : few
    }
    const answer = await source.window({ endSeconds, windowSeconds, signal })
    if (answer.kind === 'Answer') kept.set(key, { endSeconds, answer })
    // that an old window cannot be read says nothing about the source
    else if (isNewest && !signal.aborted)
      this.#down.set(key, { at: processClock.monotonic(), answer })
    return answer
  }

  /** Volumes came that the source was not notified of when it answered last. */
  newcomers(policy: ResolvedPolicy): void {
    if (this.#sourceOf(policy).knownVolumesOnly !== true) return
    for (const kept of [this.#last, this.#newest])
      for (const key of kept.keys())
        if (key.startsWith(`${policy.effective.metrics.source}/`)) kept.delete(key)
  }

  #sourceOf({ effective }: ResolvedPolicy): ActivitySource {
    return this.#sources[effective.metrics.source]
  }
}
