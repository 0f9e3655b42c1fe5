import type { Edges, Sample } from './series.ts'

/** 2: up to 2.x, ranges closed at both ends. 3: ranges open on the left, and a changed order of two rules in rate. */
export type Semantics = '2' | '3'

/**
 * `rate` over the samples of a range: resets corrected, extrapolated to the edges of the window when the gap
 * is at most 1.1 mean spacings, else by half a spacing, and never below where the counter was zero; divided
 * by the whole window. Undefined with fewer than two samples. Source: Prometheus `extrapolatedRate`.
 */
export function rate(
  samples: readonly Sample[],
  fromMs: number,
  toMs: number,
  semantics: Semantics,
): number | undefined {
  const first = samples[0]
  const last = samples[samples.length - 1]
  if (first === undefined || last === undefined) return undefined
  let resets = 0
  for (let i = 1; i < samples.length; i += 1)
    if (samples[i]!.value < samples[i - 1]!.value) resets += samples[i - 1]!.value
  const increase = last.value - first.value + resets
  return extrapolated({ first, last, count: samples.length }, increase, fromMs, toMs, semantics)
}

/** The same for a range known to hold no reset. */
export function monotonicRate(
  edges: Edges,
  fromMs: number,
  toMs: number,
  semantics: Semantics,
): number | undefined {
  return extrapolated(edges, edges.last.value - edges.first.value, fromMs, toMs, semantics)
}

function extrapolated(
  { first, last, count }: Edges,
  increase: number,
  fromMs: number,
  toMs: number,
  semantics: Semantics,
): number | undefined {
  if (count < 2) return undefined
  const sampled = (last.timeMs - first.timeMs) / 1000
  const spacing = sampled / (count - 1)
  const threshold = spacing * 1.1
  const gapBefore = (first.timeMs - fromMs) / 1000
  const gapAfter = (toMs - last.timeMs) / 1000
  const toZero =
    increase > 0 && first.value >= 0 ? sampled * (first.value / increase) : Number.POSITIVE_INFINITY
  const limit = (gap: number) => (gap < threshold ? gap : spacing / 2)
  const before =
    semantics === '2' ? limit(Math.min(gapBefore, toZero)) : Math.min(limit(gapBefore), toZero)
  const factor = (sampled + before + limit(gapAfter)) / sampled
  return (increase * factor) / ((toMs - fromMs) / 1000)
}
