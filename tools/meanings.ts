import { FORMER_STAY_REASONS, MOVE_REASONS, STAY_REASONS } from '../src/api/reasons.ts'
import type { MoveReason, StayReason } from '../src/api/reasons.ts'
import { approval } from '../src/blockers/policy.ts'
import { unwritten } from '../src/blockers/unwritten.ts'
import { GATES } from '../src/controller/moving/admission.ts'
import { GATE_REASONS } from '../src/controller/moving/start-gate.ts'
import { STEP_REASONS } from '../src/controller/moving/steps.ts'
import { WORKLOAD_REASONS } from '../src/controller/moving/workload-stops.ts'
import { REPLACEMENT_REASONS } from '../src/controller/replacing/shown.ts'
import { REPLACE_REASONS } from '../src/migration/snapshot-restore/preflight.ts'
import { UNREAD } from '../src/controller/moving/unread.ts'
import { FOREIGN_REASONS } from '../src/migration/foreign.ts'
import { QUOTA_REFUSED } from '../src/migration/retype/answer.ts'
import { BLOCKERS } from '../src/migration/retype/preflight.ts'
import { RETYPE_REASONS } from '../src/migration/retype/reasons.ts'
import { UNSENT_REASONS } from '../src/migration/unsent.ts'
import { GUARDS } from '../src/policy/guards.ts'

type Stated<R extends string> = readonly Readonly<Partial<Record<R, string>>>[]

const OF_STAYS: Stated<StayReason> = [
  FORMER_STAY_REASONS,
  UNREAD,
  QUOTA_REFUSED,
  REPLACE_REASONS,
  ...[...GUARDS, ...BLOCKERS, ...GATES, approval, unwritten].map((b) => b.meanings),
]

const OF_MOVES: Stated<MoveReason> = [
  STEP_REASONS,
  GATE_REASONS,
  RETYPE_REASONS,
  FOREIGN_REASONS,
  REPLACEMENT_REASONS,
  WORKLOAD_REASONS,
  UNSENT_REASONS,
]

/** Meanings of the reasons to stay as their checks state them, in the order of STAY_REASONS. */
export function stayMeanings(): Readonly<Record<StayReason, string>> {
  return meaningsOf(STAY_REASONS, OF_STAYS)
}

/** Meanings of the reasons of a move as those who give them state them, in the order of MOVE_REASONS. */
export function moveMeanings(): Readonly<Record<MoveReason, string>> {
  return meaningsOf(MOVE_REASONS, OF_MOVES)
}

function meaningsOf<R extends string>(reasons: readonly R[], stated: Stated<R>) {
  const all = reasons.map((reason) => [reason, meaningOf(reason, stated)] as const)
  return Object.fromEntries(all) as Record<R, string>
}

function meaningOf<R extends string>(reason: R, stated: Stated<R>): string {
  const [meaning, ...others] = new Set(stated.flatMap((meanings) => meanings[reason] ?? []))
  if (meaning === undefined) throw new Error(`nothing states what ${reason} means`)
  if (others.length > 0) throw new Error(`${reason} has more than one meaning: ${others.join(' ')}`)
  return meaning
}
