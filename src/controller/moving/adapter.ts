import type { Intent, VolumeMigration } from '../../api/volume-migration.ts'
import type { Block } from '../../blockers/blocker.ts'
import type { Act, Looked, MachineInput, Outcome, Strategy } from '../../migration/strategy.ts'
import type { CinderVolume, RetypeAnswer } from '../../openstack/types.ts'
import type { BoundClaim, Target, Untargeted } from '../view/targets.ts'
import type { RecordedStrategy } from './recorded-strategy.ts'

/** What became of the one call of an act. */
export type ActAnswer = RetypeAnswer

/** What an act is about, and what was saved before it. */
export type ActOn = {
  readonly act: Act
  readonly move: VolumeMigration
  readonly intent: Intent
  /** Never Untargeted for the first act; a claim may be gone by the time of a later one. */
  readonly target: BoundClaim | Untargeted
}

/** How a strategy reaches Cinder and Kubernetes: the narrow ports that it needs, and nothing that decides. */
export interface Adapter<Facts, Sight extends Looked> {
  /** Everything that preflight wants to know, asked now. Throws when it could not be asked. */
  facts(target: Target, volume: CinderVolume): Promise<Facts>
  /** Never throws: what cannot be read is a sight of kind `Unreadable`. */
  look(move: VolumeMigration): Promise<Sight>
  /** Ms that the whole move may take. */
  deadlineMs(target: Target, volume: CinderVolume): number
  /** Calls once, or provably not at all. `fence` throws when we do not lead any more. */
  perform(on: ActOn, fence: () => void): Promise<ActAnswer>
}

/** Input of a machine in addition to what is saved and read. */
export type Circumstances = Omit<MachineInput<Looked>, 'status' | 'sight'>

/** What every strategy is asked before a move by it begins. */
export interface Checked {
  blocks(target: Target, volume: CinderVolume): Promise<readonly Block[]>
  /** Ms that the whole move may take. */
  deadlineMs(target: Target, volume: CinderVolume): number
}

/** A strategy together with its adapter, as the runner knows it. */
export type BoundStrategy = CallingStrategy | RecordedStrategy

/** A strategy of single calls, whose moves go by their status. */
export interface CallingStrategy extends Checked {
  readonly kind: 'calling'
  /** What follows from the saved status alone; `look` where it does not. */
  next(move: VolumeMigration, circumstances: Circumstances): Outcome
  /**
   * What follows from the saved status and one read. `circumstances` are those before the read: what it shows may be as old.
   * `isUnreadable`: the read showed nothing.
   */
  lookAndNext(
    move: VolumeMigration,
    circumstances: Circumstances,
  ): Promise<{ readonly outcome: Outcome; readonly isUnreadable: boolean }>
  perform(on: ActOn, fence: () => void): Promise<ActAnswer>
}

/** Binds a strategy to its adapter. */
export function bindStrategy<Facts, Sight extends Looked>(
  strategy: Strategy<Facts, Sight>,
  adapter: Adapter<Facts, Sight>,
): CallingStrategy {
  return {
    kind: 'calling',
    blocks: async (target, volume) => strategy.preflight(await adapter.facts(target, volume)),
    next: ({ status = {} }, circumstances) =>
      strategy.next({ ...circumstances, status, sight: undefined }),
    async lookAndNext(move, circumstances) {
      const sight = await adapter.look(move)
      const outcome = strategy.next({ ...circumstances, status: move.status ?? {}, sight })
      return { outcome, isUnreadable: sight.kind === 'Unreadable' }
    },
    deadlineMs: (target, volume) => adapter.deadlineMs(target, volume),
    perform: (on, fence) => adapter.perform(on, fence),
  }
}
