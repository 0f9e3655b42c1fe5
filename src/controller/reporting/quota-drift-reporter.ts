import { Gauge } from 'prom-client'
import { METRIC_PREFIX } from '../../metrics.ts'
import type { Registry } from '../../metrics.ts'
import type { QuotaLine } from '../../openstack/types.ts'
import type { ControllerDeps } from '../deps.ts'
import type { Inventory } from '../view/inventory.ts'
import type { Migrations } from '../view/migrations.ts'
import { isAtRest, quotaDrift, syncCommand } from '../view/quota-drift.ts'
import type { Drift } from '../view/quota-drift.ts'
import type { Quotas } from '../view/quotas.ts'

export type QuotaDriftParts = {
  readonly deps: Pick<ControllerDeps, 'volumes' | 'clock' | 'log' | 'timing'>
  readonly inventory: Inventory
  readonly migrations: Pick<Migrations, 'inFlight'>
  readonly quotas: Quotas
  readonly metrics: { readonly quotaDrift: Gauge }
}

/** What others do is in Cinder's figures before it is in the list, or after. */
const LASTS_MS = 10 * 60_000

type Seen = { readonly since: number; readonly by: number; reported: boolean }

/**
 * Reports where the quotas of the project have lost count. A difference counts when it has been the same over several looks, and
 * nothing came, went or moved meanwhile.
 */
export class QuotaDriftReporter {
  readonly #parts: QuotaDriftParts
  readonly #seen = new Map<string, Seen>()

  constructor(parts: QuotaDriftParts) {
    this.#parts = parts
  }

  /** Throws when Cinder does not answer. */
  async check(signal: AbortSignal): Promise<void> {
    const { deps, inventory, quotas } = this.#parts
    try {
      if (!this.#isAtRest()) return this.#forget()
      await quotas.read(0)
      if (!quotas.known) return this.#forgetAll()
      const before = quotas.lines
      await inventory.sweepVolumes(signal)
      await quotas.read(0)
      // what came or went between the two reads may be in the list or not
      if (!this.#isAtRest() || !sameUse(before, quotas.lines)) return this.#forget()
      const projectId = await deps.volumes.projectId()
      this.#note(quotaDrift(inventory, projectId, quotas.lines), projectId)
    } catch (e) {
      this.#forget()
      throw e
    }
  }

  #isAtRest(): boolean {
    const { migrations, inventory } = this.#parts
    return migrations.inFlight().length === 0 && isAtRest(inventory)
  }

  /** What is reported stays so until a comparison shows otherwise. */
  #forget(): void {
    for (const [key, { reported }] of this.#seen) if (!reported) this.#seen.delete(key)
  }

  /** Where the credential may not read quotas, no comparison ever would. */
  #forgetAll(): void {
    this.#seen.clear()
    this.#parts.metrics.quotaDrift.reset()
  }

  #note(drifts: readonly Drift[], projectId: string): void {
    const { deps, metrics } = this.#parts
    const now = deps.clock.monotonic()
    for (const key of this.#seen.keys()) if (!drifts.some((d) => d.key === key)) this.#settled(key)
    for (const { key, inUse, counted } of drifts) {
      const by = inUse - counted
      const before = this.#seen.get(key)
      const seen =
        before?.by === by ? before : { since: now, by, reported: before?.reported ?? false }
      this.#seen.set(key, seen)
      if (seen.reported) metrics.quotaDrift.set({ key }, by)
      if (seen.reported || now - seen.since <= LASTS_MS) continue
      seen.reported = true
      metrics.quotaDrift.set({ key }, by)
      deps.log.warn(
        { key, inUse, counted, fix: syncCommand(projectId) },
        'the quota of the project has lost count: what it says is in use is not what there is. An administrator of the cloud can correct it',
      )
    }
  }

  #settled(key: string): void {
    const { metrics, deps } = this.#parts
    if (this.#seen.get(key)?.reported === true)
      deps.log.info({ key }, 'the quota counts what there is again')
    metrics.quotaDrift.remove({ key })
    this.#seen.delete(key)
  }
}

function sameUse(a: ReadonlyMap<string, QuotaLine>, b: ReadonlyMap<string, QuotaLine>): boolean {
  return a.size === b.size && [...b].every(([key, { inUse }]) => a.get(key)?.inUse === inUse)
}

export function quotaDriftGauge(registry: Registry): Gauge {
  return new Gauge({
    name: `${METRIC_PREFIX}quota_drift`,
    help: "What Cinder says is in use of a quota, less what the project's volumes and snapshots add up to, where that has lasted ten minutes with nothing under way; by key of the quota set. No series where the two agree.",
    labelNames: ['key'],
    registers: [registry],
  })
}
