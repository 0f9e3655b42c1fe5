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
  adapter: Pick<ReplaceAdapter, 'facts' | 'costlyFacts' | 'keptCostlyFacts' | 'open'>,
  preflight: (facts: ReplaceFacts) => readonly Block[],
): RecordedStrategy {
  return {
    kind: 'recorded',
    blocks: async (target, volume) => {
      const facts = await adapter.facts(target, volume)
      const first = preflight({ ...facts, missingRights: [] })
      // checked twice a minute while it waits
      if (first.some((block) => block.reason !== 'Attached')) return first
      // its workload may be stopped for it: not before everything else is known
      const costly =
        first.length > 0
          ? await adapter.keptCostlyFacts(target, volume)
          : await adapter.costlyFacts(target, volume)
      return preflight({ ...facts, ...costly })
    },
    deadlineMs: (target, volume) =>
      RETYPES[target.via] *
      deadlineMs(volume.sizeGiB, target.policy.effective.migration.retypeTimeoutMs),
    open: (m, target, volume, { clusterId, deadline }) =>
      adapter.open(m, target, volume, { clusterId, deadline: Date.parse(deadline) }),
  }
}
