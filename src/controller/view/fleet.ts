import { attachmentsOf } from '../../activity/attachments-of.ts'
import type { NamedFleet, VolumeAttachment } from '../../activity/types.ts'
import type { SourceName } from '../../api/names.ts'
import { yieldToEventLoop } from '../../clock.ts'
import type { Clock } from '../../clock.ts'
import type { Inventory } from './inventory.ts'
import type { Managed } from './managed.ts'

/** Claims processed between two turns: some milliseconds. */
const SLICE = 500
/** Reading history asks for hundreds of windows in a row; the snapshot of Cinder is minutes old anyway. */
const KEPT_MS = 10_000

export type KeptFleet = NamedFleet & {
  /** The next question is answered by what is managed then. */
  forget(): void
}

/** Which volumes there are, and where those are attached whose policies name `source`, as Cinder was last seen. */
export function fleetOf(
  { managed, inventory }: { readonly managed: Managed; readonly inventory: Inventory },
  source: SourceName,
  clock: Clock,
): KeptFleet {
  let kept: { readonly at: number; readonly all: readonly VolumeAttachment[] } | undefined
  return {
    forget: () => {
      kept = undefined
    },
    volumeIds: () => inventory.ids(),
    attachments: async () => {
      const now = clock.monotonic()
      if (kept !== undefined && now - kept.at < KEPT_MS) return kept.all
      const all: VolumeAttachment[] = []
      let processed = 0
      for (const { match, bound } of managed.all()) {
        if (++processed % SLICE === 0) await yieldToEventLoop()
        if (match.policy?.effective.metrics.source !== source || bound?.row === undefined) continue
        all.push(...attachmentsOf(bound.row))
      }
      kept = { at: now, all }
      return all
    },
  }
}
