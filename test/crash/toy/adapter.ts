import type { VolumeMigration } from '../../../src/api/volume-migration.ts'
import type { ActAnswer, ActOn, Adapter } from '../../../src/controller/moving/adapter.ts'
import type { Ports } from '../../../src/controller/moving/registered.ts'
import { RetypeAdapter } from '../../../src/controller/moving/retype-adapter.ts'
import type { PreflightFacts } from '../../../src/migration/retype/preflight.ts'
import type { ToySight } from './machine.ts'

/** Where the first act has its effect: outside the process, and counted. */
export type Shelf = {
  readonly made: string[]
  /** Asked before and after the effect; never resolves when the process has died there. */
  readonly passes: (moment: 'before' | 'after') => Promise<void>
}

export class ToyAdapter extends RetypeAdapter implements Adapter<PreflightFacts, ToySight> {
  readonly #shelf: Shelf

  constructor(ports: Ports, shelf: Shelf) {
    super(ports)
    this.#shelf = shelf
  }

  override async look(move: VolumeMigration): Promise<ToySight> {
    const sight = await super.look(move)
    return { ...sight, isShelved: this.#shelf.made.includes(move.metadata.uid ?? '') }
  }

  override async perform(on: ActOn, fence: () => void): Promise<ActAnswer> {
    if (on.act !== 'createSnapshot') return super.perform(on, fence)
    await this.#shelf.passes('before')
    fence()
    this.#shelf.made.push(on.move.metadata.uid ?? '')
    await this.#shelf.passes('after')
    return { kind: 'Accepted' }
  }
}
