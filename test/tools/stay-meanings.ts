import { FORMER_STAY_REASONS, STAY_REASONS } from '../../src/api/reasons.ts'
import type { StayReason } from '../../src/api/reasons.ts'
import type { Meanings } from '../../src/blockers/blocker.ts'
import { approval } from '../../src/blockers/policy.ts'
import { unwritten } from '../../src/blockers/unwritten.ts'
import { GATES } from '../../src/controller/admission.ts'
import { UNREAD } from '../../src/controller/moving/start-gate.ts'
import { BLOCKERS } from '../../src/migration/retype/preflight.ts'
import { GUARDS } from '../../src/policy/guards.ts'

const STATED: readonly Meanings[] = [
  FORMER_STAY_REASONS,
  UNREAD,
  ...[...GUARDS, ...BLOCKERS, ...GATES, approval, unwritten].map((b) => b.meanings),
]

/** Meanings of the reasons to stay as their checks state them, in the order of STAY_REASONS. */
export function stayMeanings(): Readonly<Record<StayReason, string>> {
  const all = STAY_REASONS.map((reason) => [reason, meaningOf(reason)] as const)
  return Object.fromEntries(all) as Record<StayReason, string>
}

function meaningOf(reason: StayReason): string {
  const [meaning, ...others] = new Set(STATED.flatMap((meanings) => meanings[reason] ?? []))
  if (meaning === undefined) throw new Error(`no check states what ${reason} means`)
  if (others.length > 0) throw new Error(`${reason} has more than one meaning: ${others.join(' ')}`)
  return meaning
}
