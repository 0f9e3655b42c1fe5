import { yieldToEventLoop } from '../../clock.ts'
import type { Detachments } from './detachments.ts'
import type { Inventory } from './inventory.ts'
import type { ManagedClaim } from './managed.ts'
import type { Migrations } from './migrations.ts'
import type { Policies } from './policies.ts'
import type { Watches } from './watches.ts'

/** Claims counted between two turns: some milliseconds. */
const SLICE = 500

export type VolumeCountsParts = {
  readonly watches: Watches
  readonly inventory: Inventory
  readonly migrations: Migrations
  readonly policies: Policies
  readonly detachments: Detachments
  /** ms */
  readonly now: number
}

/**
 * Notes who is attached, and counts how much lies on each tier: by policy for money, and by volume type for room, which
 * every PersistentVolume of this cluster takes, regardless of who manages it. Returns the ids of the managed volumes.
 */
export async function countVolumes(
  claims: Iterable<ManagedClaim>,
  { watches, inventory, migrations, policies, detachments, now }: VolumeCountsParts,
): Promise<ReadonlySet<string>> {
  const gib = new Map<string, number>()
  const volumes = new Map<string, number>()
  const managed = new Set<string>()
  let seen = 0
  for (const { match, bound } of claims) {
    if (++seen % SLICE === 0) await yieldToEventLoop()
    if (bound?.row === undefined || match.policy === undefined) continue
    const { volume, row } = bound
    managed.add(volume.handle)
    const kubernetes = watches.attachments.store.byIndex('volumeName', volume.name).length > 0
    const changedAt = Math.floor(Date.parse(row.updatedAt) / 1000)
    detachments.note(
      volume.handle,
      { kubernetes, cinder: row.attached },
      { now: Math.floor(now / 1000), changedAt },
    )
    const { name, tiers } = match.policy
    volumes.set(name, (volumes.get(name) ?? 0) + 1)
    const tier = tiers?.find((t) => t.typeId === row.typeId)
    if (tier === undefined) continue
    const key = `${name}/${tier.name}`
    gib.set(key, (gib.get(key) ?? 0) + Math.max(row.sizeGiB, volume.capacityGiB ?? 0))
  }
  policies.setCounts({
    gib,
    volumes,
    gibByType: await gibByType(watches, inventory),
    movingOn: new Map(
      migrations.inFlight().flatMap(({ status }) => {
        const typeId = inventory.row(status?.volumeId ?? '')?.typeId
        return typeId === undefined ? [] : [[status?.volumeId ?? '', typeId] as const]
      }),
    ),
    at: now,
  })
  return managed
}

async function gibByType(
  watches: Watches,
  inventory: Inventory,
): Promise<ReadonlyMap<string, number>> {
  const gib = new Map<string, number>()
  // a volume may have several PersistentVolumes: it is as large as the largest of them says
  const counted = new Map<string, number>()
  let seen = 0
  for (const { handle, capacityGiB = 0 } of watches.volumes.store.values()) {
    if (++seen % SLICE === 0) await yieldToEventLoop()
    const row = inventory.row(handle)
    if (row === undefined) continue
    // Kubernetes reports a resize at once, Cinder's list may be minutes old
    const before = counted.get(handle) ?? 0
    const size = Math.max(before, row.sizeGiB, capacityGiB)
    counted.set(handle, size)
    gib.set(row.typeId, (gib.get(row.typeId) ?? 0) + size - before)
  }
  return gib
}
