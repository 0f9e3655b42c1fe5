import { yieldToEventLoop } from '../clock.ts'
import type { WorkQueue } from '../kube/types.ts'
import type { Drift } from './planning/drift.ts'
import type { Planner } from './planning/planner.ts'
import type { WindowLoop } from './planning/window-loop.ts'
import type { Annotator } from './reporting/annotator.ts'
import type { StatusWriter } from './reporting/status-writer.ts'
import type { Inventory } from './view/inventory.ts'
import type { Policies } from './view/policies.ts'
import type { Watches } from './view/watches.ts'

export type SweepParts = {
  readonly inventory: Inventory
  readonly policies: Policies
  readonly watches: Watches
  readonly drift: Drift
  readonly annotator: Pick<Annotator, 'isStale'>
  readonly planner: Pick<Planner, 'verdicts'>
  readonly windows: Pick<WindowLoop, 'kick'>
  readonly status: Pick<StatusWriter, 'kick'>
  readonly queues: { readonly claims: WorkQueue; readonly annotations: WorkQueue }
}

/** Claims processed between two turns: some milliseconds. */
const SLICE = 500

/** The full reads of Cinder, for what no watch reports, and what follows from them. */
export class Sweep {
  readonly #parts: SweepParts
  /** Those that policies were last worked in with. */
  #types: Inventory['types']

  constructor(parts: SweepParts) {
    this.#parts = parts
    this.#types = parts.inventory.types
  }

  /** Types: made, renamed, shown or hidden. */
  async types(signal: AbortSignal): Promise<void> {
    const { inventory, policies, windows } = this.#parts
    const { problem } = inventory
    await this.#read(() => inventory.sweepTypes(signal))
    // a read of the quotas may have read the types before
    if (inventory.types === this.#types && inventory.problem === problem) return
    this.#types = inventory.types
    policies.refresh()
    windows.kick()
  }

  /** Volumes and snapshots: drift, hand-made retypes, what others put on the tiers. */
  async resources(signal: AbortSignal): Promise<void> {
    const { inventory, policies, watches, drift, annotator, queues, windows } = this.#parts
    await this.#read(() => inventory.sweepVolumes(signal))
    policies.refresh()
    let checked = 0
    for (const key of watches.claims.store.keys()) {
      drift.check(key)
      // a tier that somebody else changed, or that was renamed, changes nothing else about the claim
      if (annotator.isStale(key)) queues.annotations.add(key, { priority: 'background' })
      if (++checked % SLICE === 0) await yieldToEventLoop()
    }
    drift.forget((id) => inventory.row(id) !== undefined)
    this.#recheckBlocked()
    windows.kick()
  }

  /** What a leader before us did not come to write, or wrote under other policies. */
  async annotateAll(): Promise<void> {
    const { watches, queues } = this.#parts
    let seen = 0
    for (const key of watches.claims.store.keys()) {
      queues.annotations.add(key, { priority: 'background' })
      if (++seen % SLICE === 0) await yieldToEventLoop()
    }
  }

  async #read(read: () => Promise<void>): Promise<void> {
    try {
      await read()
    } catch (e) {
      this.#parts.status.kick()
      throw e
    }
  }

  #recheckBlocked(): void {
    const { planner, queues } = this.#parts
    for (const [key, { verdict }] of planner.verdicts)
      if (verdict.kind === 'stay' && verdict.wants !== undefined)
        queues.claims.add(key, { priority: 'background' })
  }
}
