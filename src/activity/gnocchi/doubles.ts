import { isReset } from './usage.ts'
import type { Sample } from './usage.ts'

/**
 * Whether two resources of one disk can both be its counters, as those of two collectors are: what one saw lies between
 * what the other saw before and after. Gnocchi lets every user of the cloud make a resource of any name, for any project,
 * so that a second one may be anyone's. Where they share no time, one has followed the other.
 */
export function agree(one: readonly Sample[], other: readonly Sample[]): boolean {
  return fits(one, other) && fits(other, one)
}

function fits(samples: readonly Sample[], others: readonly Sample[]): boolean {
  const [first, last] = [others[0], others.at(-1)]
  if (first === undefined || last === undefined) return true
  let next = 0
  for (const sample of samples) {
    const { startSeconds } = sample
    if (startSeconds < first.startSeconds || startSeconds > last.startSeconds) continue
    while (others[next]!.startSeconds < startSeconds) next += 1
    const before = others[next - 1]
    const after = others[others[next]!.startSeconds === startSeconds ? next + 1 : next]
    if (before !== undefined && isReset(before, sample)) return false
    if (after !== undefined && isReset(sample, after)) return false
  }
  return true
}

/** Of two as late, the one that counted less in it: nothing after it bounds what the other says of its last step. */
export function isNewer(samples: readonly Sample[], than: readonly Sample[]): boolean {
  const [mine, theirs] = [samples.at(-1), than.at(-1)]
  if (mine === undefined || theirs === undefined) return mine !== undefined
  if (mine.startSeconds !== theirs.startSeconds) return mine.startSeconds > theirs.startSeconds
  return requests(mine) < requests(theirs)
}

function requests({ readRequests, writeRequests }: Sample): number {
  return readRequests + writeRequests
}
