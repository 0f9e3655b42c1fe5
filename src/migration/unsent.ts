import type { MigrationStatusReason, MoveReason } from '../api/reasons.ts'
import type { Step } from '../api/volume-migration.ts'

/** What they mean that only such an end has. */
export const UNSENT_REASONS = {
  AlreadyThere: 'Succeeded: the volume was on the target type before any call.',
  MovedElsewhere: 'Failed: the volume is on a third type; it was moved outside of CoucheStor.',
  ClaimMismatch:
    'Failed: claim, PersistentVolume and volume do not belong together as the object says.',
  UnknownTier: 'Failed: the policy does not have the tier named in from or to.',
  Cancelled: 'Failed: a person cancelled the move, before the call, or before the copy took over.',
  Expired:
    'Failed: neither the approval nor the turn of the move came in time; the policy decides again.',
  Superseded:
    'Failed: another active migration of the same volume goes first: it runs, a person made it, or it is older.',
  NoLongerWanted: 'Failed: the verdict changed before the move could start.',
} as const satisfies Partial<Record<MoveReason, string>>

/** Reasons by which a move ends before anything was asked of Cinder. */
export const ENDS_UNSENT = [
  'AlreadyThere',
  'Cancelled',
  'ClaimMismatch',
  'Disappeared',
  'Expired',
  'ForeignIntent',
  'MovedElsewhere',
  'NoLongerWanted',
  'StrategyUnsupported',
  'Superseded',
  'UnknownTier',
] as const satisfies readonly MigrationStatusReason[]
export type EndUnsent = (typeof ENDS_UNSENT)[number]

/** Why a waiting move ends (`over`), or goes on waiting. */
export type Answer =
  | { readonly over: true; readonly reason: EndUnsent; readonly message: string }
  | { readonly over: false; readonly reason: MigrationStatusReason; readonly message: string }

/** The step that an answer puts a waiting move into. */
export function stepOf({ over, reason }: Pick<Answer, 'over' | 'reason'>): Step {
  if (!over) return 'Waiting'
  return reason === 'AlreadyThere' ? 'Succeeded' : 'Failed'
}
