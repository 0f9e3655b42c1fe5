import type { VolumeMigration } from '../../api/volume-migration.ts'
import type { Block } from '../../blockers/blocker.ts'
import { refuse } from '../../controller/admission.ts'
import type { Judged } from '../../controller/judgement.ts'
import type { Picture } from '../../controller/picture.ts'
import { migrationFor } from '../../controller/plan-writer.ts'
import { isTarget } from '../../controller/targets.ts'
import { messageOf } from '../../errors.ts'
import { GUARDS } from '../../policy/guards.ts'
import { preflightOf } from '../preflight-of.ts'
import type { GuardLine } from './guard-lines.ts'

const GUARDED = new Set(GUARDS.flatMap((g) => g.reasons))

/** What a wanted move is asked before it starts: what Cinder has against it, and what the moves under way leave room for. */
export async function startLines(picture: Picture, judged: Judged): Promise<readonly GuardLine[]> {
  const { verdict, managed, tier } = judged
  const to = verdict.kind === 'move' ? verdict.to : verdict.wants
  if (to === undefined || to === tier || managed.bound?.row === undefined)
    return [line('Cinder', undefined, 'no move to ask about'), line('limits', undefined)]
  const asker = verdict.kind === 'move' ? verdict.why : 'Policy'
  const proposal = migrationFor(judged, to, asker, 0, undefined)
  return [
    line('Cinder', await blockedByCinder(picture, proposal), 'quota, zones and access to the type'),
    line('limits', beyondLimits(picture, proposal)),
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
  picture: Picture,
  proposal: VolumeMigration,
): Promise<Block | undefined> {
  try {
    const blocks = await preflightOf(picture, proposal)
    return blocks.find((b) => !GUARDED.has(b.reason))
  } catch (e) {
    return { reason: 'CinderDown', message: `Cinder could not be asked: ${messageOf(e)}` }
  }
}

function beyondLimits(picture: Picture, proposal: VolumeMigration): Refused | undefined {
  const target = picture.targets.of(proposal)
  return isTarget(target) ? refuse(picture.admission.inputFor(proposal, target)) : undefined
}
