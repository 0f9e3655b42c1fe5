import type { VolumeMigration } from '../../api/volume-migration.ts'
import type { Block } from '../../blockers/blocker.ts'
import { refuse } from '../../controller/moving/admission.ts'
import type { Judged } from '../../controller/planning/decision-inputs.ts'
import type { ClusterSnapshot } from '../../controller/cluster-snapshot.ts'
import { migrationFor } from '../../controller/planning/plan-writer.ts'
import { isTarget } from '../../controller/view/targets.ts'
import { messageOf } from '../../errors.ts'
import { GUARDS } from '../../policy/guards.ts'
import { preflightOf } from '../preflight-of.ts'
import type { GuardLine } from './guard-lines.ts'

const GUARDED = new Set(GUARDS.flatMap((g) => g.reasons))

/** What a wanted move is asked before it starts: what Cinder has against it, and what the moves under way leave room for. */
export async function startLines(
  snapshot: ClusterSnapshot,
  judged: Judged,
): Promise<readonly GuardLine[]> {
  const { verdict, managed, tier } = judged
  const to = verdict.kind === 'move' ? verdict.to : verdict.wants
  if (to === undefined || to === tier || managed.bound?.row === undefined)
    return [line('Cinder', undefined, 'no move to ask about'), line('limits', undefined)]
  const asker = verdict.kind === 'move' ? verdict.why : 'Policy'
  const proposal = migrationFor(judged, to, asker, 0, undefined)
  return [
    line(
      'Cinder',
      await blockedByCinder(snapshot, proposal),
      'quota, zones and access to the type',
    ),
    line('limits', beyondLimits(snapshot, proposal)),
  ]
}

function line(guard: string, block: Refused | undefined, seen = ''): GuardLine {
  return block === undefined
    ? { guard, answer: 'pass', message: seen, reason: '' }
    : { guard, answer: 'hold', message: block.message, reason: block.reason }
}

type Refused = { readonly reason: string; readonly message: string }

/** Without what the guards have said of the same volume. */
async function blockedByCinder(
  snapshot: ClusterSnapshot,
  proposal: VolumeMigration,
): Promise<Block | undefined> {
  try {
    const blocks = await preflightOf(snapshot, proposal)
    return blocks.find((b) => !GUARDED.has(b.reason))
  } catch (e) {
    return { reason: 'CinderDown', message: `Cinder could not be asked: ${messageOf(e)}` }
  }
}

function beyondLimits(snapshot: ClusterSnapshot, proposal: VolumeMigration): Refused | undefined {
  const target = snapshot.targets.of(proposal)
  return isTarget(target) ? refuse(snapshot.admission.inputFor(proposal, target)) : undefined
}
