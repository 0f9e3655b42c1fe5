import type { Clock } from '../clock.ts'
import { sleep } from '../clock.ts'
import type { ActivitySource, WindowAnswer } from './types.ts'
import { lastWindowEnd, windowEnds } from './window.ts'

export type HistoryOptions = {
  readonly fromSeconds: number
  /** Windows that are not yet complete at the source are left for the live loop. */
  readonly toSeconds: number
  readonly windowSeconds: number
  /** Called for each window in order, oldest first; awaited before the next is asked. */
  onWindow(
    endSeconds: number,
    answer: Extract<WindowAnswer, { kind: 'Answer' }>,
  ): void | Promise<void>
  /** Pause between two windows, so that re-reading weeks does not load the server. */
  readonly pauseMs: number
  readonly clock: Clock
  readonly signal?: AbortSignal
}

/**
 * How far the re-reading came. `throughSeconds` is the end of the last window handed over, or `fromSeconds`
 * when there was none: give it as `fromSeconds` to go on.
 */
export type HistoryResult =
  | { readonly kind: 'Done'; readonly throughSeconds: number }
  | { readonly kind: 'Aborted'; readonly throughSeconds: number }
  | { readonly kind: 'Down'; readonly throughSeconds: number; readonly why: string }

/**
 * Re-reads past windows of `source` one by one and stops at the first that is not known: a gap must be asked
 * again, not skipped. Rejects only with what `onWindow` throws.
 */
export async function readHistory(
  source: ActivitySource,
  options: HistoryOptions,
): Promise<HistoryResult> {
  const { fromSeconds, windowSeconds, pauseMs, clock, signal, onWindow } = options
  const complete = lastWindowEnd(clock.now() / 1000, windowSeconds, source.lagSeconds)
  let throughSeconds = fromSeconds
  for (const end of windowEnds(fromSeconds, Math.min(options.toSeconds, complete), windowSeconds)) {
    if (throughSeconds !== fromSeconds) await sleep(clock, pauseMs, signal)
    if (signal?.aborted) return { kind: 'Aborted', throughSeconds }
    const answer = await source.window({
      endSeconds: end,
      windowSeconds,
      ...(signal === undefined ? {} : { signal }),
    })
    if (signal?.aborted) return { kind: 'Aborted', throughSeconds }
    if (answer.kind === 'Down') return { kind: 'Down', throughSeconds, why: answer.why }
    await onWindow(end, answer)
    throughSeconds = end
  }
  return { kind: 'Done', throughSeconds }
}
