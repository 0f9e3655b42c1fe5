import type { PreflightFacts, TypeFacts } from '../migration/preflight.ts'
import type { CinderVolume, QuotaLine } from '../openstack/types.ts'
import { attachedSafe } from '../policy/attached-safety.ts'
import type { ControllerDeps } from './deps.ts'
import type { Inventory } from './inventory.ts'
import type { Target } from './targets.ts'
import type { Watches } from './watches.ts'

/** Asks Cinder and the caches everything that preflight wants to know of one volume. */
export class PreflightGatherer {
  readonly #deps: ControllerDeps
  readonly #watches: Watches
  readonly #inventory: Inventory

  constructor(deps: ControllerDeps, watches: Watches, inventory: Inventory) {
    this.#deps = deps
    this.#watches = watches
    this.#inventory = inventory
  }

  /** Throws when Cinder does not answer: what could not be asked is never taken for granted. */
  async gather(target: Target, volume: CinderVolume): Promise<PreflightFacts> {
    const [snapshots, quota, zonesAvailable] = await Promise.all([
      this.#inventory.snapshotsOf(volume.id),
      this.#deps.volumes.getQuota(),
      this.#deps.volumes.listAvailabilityZones(),
    ])
    const source = this.#type(volume.typeId)
    const goal = this.#type(target.to.typeId)
    return {
      volume: {
        status: volume.status,
        sizeGiB: volume.sizeGiB,
        typeId: volume.typeId,
        availabilityZone: volume.availabilityZone,
        multiattach: volume.multiattach,
        encrypted: volume.encrypted,
        attached: volume.attachments.length > 0,
        ...(volume.groupId === undefined ? {} : { groupId: volume.groupId }),
      },
      source,
      target: goal,
      snapshots,
      zonesAvailable,
      quotaGiBLeft: left(quota?.get(`gigabytes_${target.to.typeName}`)),
      quotaVolumesLeft: left(quota?.get(`volumes_${target.to.typeName}`)),
      attachedSafe: this.#attachedSafety(target, source, goal),
      ...this.#kubernetes(target),
      anyAttachment: volume.attachments.length > 0 || this.#attachments(target).length > 0,
    }
  }

  /** Attached, or about to be, where a retype of an attached volume is not proven safe. */
  isUnsafelyAttached(target: Target, volume?: CinderVolume): boolean {
    const attached = (volume?.attachments.length ?? 0) > 0 || this.#attachments(target).length > 0
    const from = target.from?.typeId ?? target.row?.typeId ?? ''
    return (
      attached && !this.#attachedSafety(target, this.#type(from), this.#type(target.to.typeId)).safe
    )
  }

  #attachedSafety(target: Target, source: TypeFacts | undefined, goal: TypeFacts | undefined) {
    const { attached, migrationPolicy } = target.policy.effective.migration
    return attachedSafe({
      maxMicroversion: this.#inventory.microversion,
      fromExtraSpecs: source?.extraSpecs ?? {},
      toExtraSpecs: goal?.extraSpecs ?? {},
      rule: attached,
      migrationPolicy,
    })
  }

  #kubernetes({ claim, volume, ...rest }: Target) {
    const { pods, nodes } = this.#watches
    const users = pods.store.byIndex('claim', `${claim.namespace}/${claim.name}`)
    return {
      podPending: users.some((p) => p.pending),
      nodeDraining: this.#attachments({ claim, volume, ...rest }).some(
        (a) => nodes.store.get(a.node)?.unschedulable === true,
      ),
      claimResizing: claim.resizing,
      terminating: claim.terminating || volume.terminating,
    }
  }

  #attachments(target: Target) {
    return this.#watches.attachments.store.byIndex('volumeName', target.volume.name)
  }

  #type(id: string): TypeFacts | undefined {
    return this.#inventory.types.find((t) => t.id === id)
  }
}

function left(line: QuotaLine | undefined): number | undefined {
  if (line === undefined) return undefined
  return line.limit < 0 ? Infinity : line.limit - line.inUse - line.reserved
}
