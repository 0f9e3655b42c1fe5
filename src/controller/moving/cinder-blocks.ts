import type { VolumeMigration } from '../../api/volume-migration.ts'
import type { Answer } from '../../migration/unsent.ts'
import type { ControllerDeps } from '../deps.ts'
import type { Target } from '../view/targets.ts'

type Block = {
  readonly about: string
  readonly answer: Answer
  readonly until: number
  readonly pauseMs: number
}

/** What the caches show, or an outage that may be over at once: checked with every recheck. */
const ASKED_EACH_TIME = new Set(['Attached', 'PodPending', 'Resizing', 'Terminating', 'CinderDown'])

const LONGEST_PAUSE_MS = 5 * 60_000

/**
 * What Cinder had against a move holds for a while: fifty moves may wait for one quota, and each would ask again for its
 * volume, snapshots, quota and zones every half minute. The pause doubles up to five minutes.
 */
export class CinderBlocks {
  readonly #deps: Pick<ControllerDeps, 'clock' | 'timing'>
  readonly #blocks = new Map<string, Block>()

  constructor(deps: Pick<ControllerDeps, 'clock' | 'timing'>) {
    this.#deps = deps
  }

  /** What stood against the move when Cinder was last asked, while that need not be asked again. */
  of(m: VolumeMigration, target: Target): Answer | undefined {
    const block = this.#blocks.get(m.metadata.uid ?? '')
    if (block === undefined || block.about !== aboutOf(m, target)) return undefined
    return this.#deps.clock.monotonic() < block.until ? block.answer : undefined
  }

  note(m: VolumeMigration, target: Target, answer: Answer | undefined): void {
    const uid = m.metadata.uid ?? ''
    if (answer === undefined || answer.over || ASKED_EACH_TIME.has(answer.reason))
      return void this.#blocks.delete(uid)
    const { clock, timing } = this.#deps
    const before = this.#blocks.get(uid)
    const goesOn = before?.answer.reason === answer.reason
    const pauseMs = goesOn ? Math.min(before.pauseMs * 2, LONGEST_PAUSE_MS) : timing.recheckMs / 2
    const until = clock.monotonic() + pauseMs
    this.#blocks.set(uid, { about: aboutOf(m, target), answer, until, pauseMs })
  }

  forget(m: VolumeMigration): void {
    this.#blocks.delete(m.metadata.uid ?? '')
  }
}

/** A person who changes the move, the claim, its size or the strategy asks for a new answer. */
function aboutOf({ metadata, spec }: VolumeMigration, target: Target): string {
  const { claim, volume, to, strategy } = target
  const sizes = [claim.capacityGiB, volume.capacityGiB]
  const asked = [metadata.generation, spec.approved, volume.handle, to.typeId, strategy]
  return JSON.stringify([...asked, ...sizes])
}
