import type { Intent } from '../../api/volume-migration.ts'
import type { AttachedSafety } from '../../blockers/attached-safety.ts'
import type { Unknown } from '../../blockers/blocker.ts'
import type { TypeFacts } from '../../blockers/target-type.ts'
import { attached } from '../../blockers/volume.ts'
import type { PreflightFacts } from '../../migration/retype/preflight.ts'
import { isAttached } from '../../openstack/attached.ts'
import type { CinderVolume } from '../../openstack/types.ts'
import { attachedSafetyOf } from './attached-safety-of.ts'
import { deafness } from '../view/deaf.ts'
import type { ControllerDeps } from '../deps.ts'
import type { Inventory } from '../view/inventory.ts'
import type { Quotas } from '../view/quotas.ts'
import type { BoundClaim, Target } from '../view/targets.ts'
import { attachmentsOf } from '../view/watches.ts'
import type { Watches } from '../view/watches.ts'

/** Moves that begin together share a read of the quotas; what others did since, Cinder refuses without harm. */
const PREFLIGHT_AGE_MS = 5_000

/** Of an intent of an earlier version. */
const NOT_RECORDED: AttachedSafety = {
  safe: false,
  message: 'the intent does not say what the policy allowed',
}

/** Asks Cinder and the caches everything that preflight wants to know of one volume. */
export class PreflightGatherer {
  readonly #deps: ControllerDeps
  readonly #watches: Watches
  readonly #inventory: Inventory
  readonly #quotas: Quotas

  constructor(deps: ControllerDeps, watches: Watches, inventory: Inventory, quotas: Quotas) {
    this.#deps = deps
    this.#watches = watches
    this.#inventory = inventory
    this.#quotas = quotas
  }

  /**
   * Throws when Cinder does not answer: what could not be asked is never taken for granted. Quotas and zones only save a
   * refusal, since Cinder checks them itself: a credential that may not read them goes on without.
   */
  async gather(target: Target, volume: CinderVolume): Promise<PreflightFacts> {
    const [snapshots, credentialProject, zonesAvailable] = await Promise.all([
      this.#inventory.snapshotsOf(volume.id),
      this.#deps.volumes.projectId(),
      this.#inventory.optional('availability zones', () =>
        this.#deps.volumes.listAvailabilityZones(),
      ),
      this.#readQuotasAndTypes(),
    ])
    const [first] = snapshots
    return {
      ...volume,
      credentialProject,
      target: this.#type(target.to.typeId),
      current: this.#type(volume.typeId),
      snapshots: {
        count: snapshots.length,
        ...(first === undefined ? {} : { name: first.name || first.id }),
      },
      zonesAvailable,
      quotas: this.#quotas.of(target.to.typeId),
      attached: this.#attached(target, volume),
      attachedSafety: () =>
        attachedSafetyOf(
          this.#inventory,
          target.policy.effective.migration,
          { id: volume.typeId, name: volume.typeName },
          { id: target.to.typeId, name: target.to.typeName },
        ),
      ...this.#kubernetes(target),
    }
  }

  /**
   * The types always: those of the last sweep are minutes old. Under what may be an attached volume that proves nothing, and a
   * type that the project may not use any more would leave the volume in `retyping`.
   */
  async #readQuotasAndTypes(): Promise<void> {
    if (!(await this.#quotas.read(PREFLIGHT_AGE_MS))) await this.#inventory.readTypes()
  }

  /** Attached, or about to be, where a retype of an attached volume is not proven safe for the types of the intent. */
  isUnsafelyAttached(
    target: BoundClaim,
    { fromTypeId, toTypeId, migration }: Pick<Intent, 'fromTypeId' | 'toTypeId' | 'migration'>,
    volume?: CinderVolume,
  ): boolean {
    const block = attached({
      attached: this.#attached(target, volume),
      attachedSafety: () => {
        if (migration === undefined) return NOT_RECORDED
        const from = { id: fromTypeId, name: '' }
        return attachedSafetyOf(this.#inventory, migration, from, { id: toTypeId, name: '' })
      },
    })
    return block !== undefined
  }

  #attached(target: BoundClaim, volume?: CinderVolume): boolean | Unknown {
    const unknown = deafness(this.#watches.attachments, 'VolumeAttachments', this.#deps)
    if (unknown !== undefined) return { unknown }
    return (volume !== undefined && isAttached(volume)) || this.#attachments(target).length > 0
  }

  #kubernetes(target: Target) {
    const { claim, terminating } = target
    const { pods } = this.#watches
    const users = pods.store.byIndex('claim', `${claim.namespace}/${claim.name}`)
    // a smaller role may not read pods at all, and then goes without this check (docs/compatibility.md)
    const unknown =
      pods.health().missingRule === undefined ? deafness(pods, 'pods', this.#deps) : undefined
    return {
      podPending: unknown === undefined ? users.some((p) => p.pending) : { unknown },
      nodeDraining: this.#attachments(target).some((a) => this.#isLeaving(a.node)),
      resizing: claim.resizing,
      terminating,
    }
  }

  /** A node that is attached but not there any more is on its way out; one that may not be read is not known to be. */
  #isLeaving(name: string): boolean {
    const { nodes } = this.#watches
    if (nodes.health().missingRule !== undefined) return false
    return nodes.store.get(name)?.unschedulable !== false
  }

  #attachments(target: BoundClaim) {
    return attachmentsOf(this.#watches, target.volume)
  }

  #type(id: string): TypeFacts | undefined {
    return this.#inventory.types.find((t) => t.id === id)
  }
}
