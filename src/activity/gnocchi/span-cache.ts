import type { Clock } from '../../clock.ts'
import type { WindowQuery } from '../types.ts'
import type { DiskId } from './disk.ts'
import { diskKey } from './disk.ts'
import type { DiskReader, DisksRead, Span } from './disk-reader.ts'

/** Reading history window by window would ask for the same hours of every disk again and again. */
const DAY_SECONDS = 86_400
/** Beyond its lag no measure comes any more. */
const SETTLED_SECONDS = 3600
/** Disks that a whole day is read of at once, about 50 kB each; of more disks it is a part of a day. */
const DISKS_PER_DAY = 1000

/**
 * Reads windows that are long past up to a day at a time, and answers the following ones from it. Newer ones are read as
 * they are asked. Only the last reading is kept.
 */
export function createSpanCache(
  reader: Pick<DiskReader, 'read'>,
  clock: Clock,
  lagSeconds: number,
) {
  let kept: { readonly span: Span; readonly disks: string; readonly read: DisksRead } | undefined

  /** `reachSeconds` before the window are read too, for the sample that its first step begins with. */
  async function read(
    disks: readonly DiskId[],
    { endSeconds, windowSeconds, signal }: WindowQuery,
    reachSeconds: number,
  ): Promise<DisksRead> {
    const startSeconds = endSeconds - windowSeconds - reachSeconds
    const settled = Math.floor(clock.now() / 1000) - lagSeconds - SETTLED_SECONDS
    if (endSeconds > settled) {
      kept = undefined
      return reader.read(disks, { startSeconds, stopSeconds: endSeconds }, signal)
    }
    const names = disks.map(diskKey).join()
    if (kept?.disks === names && covers(kept.span, startSeconds, endSeconds)) return kept.read
    const length = Math.floor(DAY_SECONDS * Math.min(1, DISKS_PER_DAY / disks.length))
    const stopSeconds = Math.min(settled, Math.max(endSeconds, startSeconds + length))
    const span = { startSeconds, stopSeconds }
    const answer = await reader.read(disks, span, signal)
    kept = answer.kind === 'Samples' ? { span, disks: names, read: answer } : undefined
    return answer
  }

  return { read }
}

function covers(span: Span, startSeconds: number, endSeconds: number): boolean {
  return span.startSeconds <= startSeconds && endSeconds <= span.stopSeconds
}
