import type { ReplaceFacts } from '../../migration/snapshot-restore/preflight.ts'
import { deadlineMs } from '../../migration/retype/machine.ts'
import type { Via } from '../../api/storage-policy.ts'
import type { Block } from '../../blockers/blocker.ts'
import type { RecordedStrategy } from '../moving/recorded-strategy.ts'
import type { ReplaceAdapter } from './replace-adapter.ts'

/** How many retypes it may take: a snapshot, a clone and its retype each may copy the whole volume; a backup is far slower. */
const RETYPES: Readonly<Record<Via, number>> = { clone: 2, backup: 6 }

/** The strategy that goes by records, as the start of a move knows it. */
export function recorded(
  adapter: Pick<ReplaceAdapter, 'facts' | 'open'>,
  preflight: (facts: ReplaceFacts) => readonly Block[],
): RecordedStrategy {
  return {
    kind: 'recorded',
    blocks: async (target, volume) => preflight(await adapter.facts(target, volume)),
    deadlineMs: (target, volume) =>
      RETYPES[target.via] *
      deadlineMs(volume.sizeGiB, target.policy.effective.migration.retypeTimeoutMs),
    open: (m, target, volume, { clusterId, deadline }) =>
      adapter.open(m, target, volume, { clusterId, deadline: Date.parse(deadline) }),
  }
}
