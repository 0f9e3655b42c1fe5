import type { ReplaceAnswer, Saved } from '../../migration/snapshot-restore/saved.ts'
import type { ReplaceSight } from '../../migration/snapshot-restore/sight.ts'
import type { ReplacedMove } from './audited-replacement.ts'

/** How a replacement reaches Cinder and Kubernetes once it is let through: nothing that decides. */
export interface ReplacePort {
  /** Never throws: what cannot be read is `Unreadable`, Kubernetes and Cinder apart from each other. */
  look(saved: Saved): Promise<ReplaceSight>
  /** Makes the call of `saved.intent` once, or provably not at all. `fence` throws when we do not lead any more. */
  perform(saved: Saved, move: ReplacedMove, fence: () => void): Promise<ReplaceAnswer>
}
