/**
 * End of the newest window that is complete: tumbling, aligned to the epoch, so that live reading and
 * re-reading of history ask for the same windows. All in whole seconds.
 */
export function lastWindowEnd(
  nowSeconds: number,
  windowSeconds: number,
  lagSeconds: number,
): number {
  return Math.floor((nowSeconds - lagSeconds) / windowSeconds) * windowSeconds
}

/** Ends of all whole aligned windows within [from, to], oldest first. */
export function* windowEnds(
  fromSeconds: number,
  toSeconds: number,
  windowSeconds: number,
): Generator<number> {
  const first = (Math.ceil(fromSeconds / windowSeconds) + 1) * windowSeconds
  for (let end = first; end <= toSeconds; end += windowSeconds) yield end
}
