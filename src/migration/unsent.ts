import type { MigrationStatusReason } from '../api/reasons.ts'
import type { Step } from '../api/volume-migration.ts'

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
