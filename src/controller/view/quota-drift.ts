import type { QuotaLine } from '../../openstack/types.ts'
import type { Inventory } from './inventory.ts'

/** What the volumes and snapshots of a project add up to; all of them, or those of one type. */
export type Usage = {
  volumes: number
  volumeGiB: number
  snapshots: number
  snapshotGiB: number
}

/** One key of the quota set whose `in_use` is not what there is. */
export type Drift = { readonly key: string; readonly inUse: number; readonly counted: number }

/** Statuses in which a volume comes, goes or grows: Cinder's figures are ahead of the list, or behind it. */
const CHANGING: ReadonlySet<string> = new Set([
  'creating',
  'deleting',
  'extending',
  'retyping',
  'managing',
  'unmanaging',
])

/** False while something in the project changes what its quotas count. */
export function isAtRest(inventory: Inventory): boolean {
  return Array.from(inventory.ids()).every((id) => !CHANGING.has(inventory.row(id)?.status ?? ''))
}

/**
 * Where Cinder's figures differ from what the project has, as listed by the last sweep. Cinder swallows a failed commit, and
 * nothing recomputes it. Whether snapshots count as gigabytes is an option of the cloud that no project can see: either counts
 * as right. Nothing is said of a type while some snapshot cannot be assigned to its volume, nor of gigabytes while the size of
 * one is not known.
 */
export function quotaDrift(
  inventory: Inventory,
  projectId: string,
  lines: ReadonlyMap<string, QuotaLine>,
): readonly Drift[] {
  const { total, byType, unassigned, unsized } = usageOf(inventory, projectId)
  const suffixed = inventory.types.map((t) => [`_${t.name}`, byType.get(t.id) ?? none()] as const)
  return [['', total] as const, ...(unassigned ? [] : suffixed)]
    .flatMap(([suffix, usage]) => driftOf(suffix, usage, lines))
    .filter(({ key }) => !(unsized && key.startsWith('gigabytes')))
}

function driftOf(suffix: string, usage: Usage, lines: ReadonlyMap<string, QuotaLine>) {
  const off = (name: string, counted: number, orElse = counted): readonly Drift[] => {
    const key = `${name}${suffix}`
    const line = lines.get(key)
    if (line === undefined || line.inUse === counted || line.inUse === orElse) return []
    return [{ key, inUse: line.inUse, counted }]
  }
  return [
    ...off('volumes', usage.volumes),
    ...off('gigabytes', usage.volumeGiB + usage.snapshotGiB, usage.volumeGiB),
    ...off('snapshots', usage.snapshots),
  ]
}

function usageOf(inventory: Inventory, projectId: string) {
  const total = none()
  const byType = new Map<string, Usage>()
  let unassigned = false
  let unsized = false
  const add = (typeId: string, what: Partial<Usage>) => {
    const of = byType.get(typeId) ?? none()
    byType.set(typeId, of)
    for (const usage of [total, of]) {
      usage.volumes += what.volumes ?? 0
      usage.volumeGiB += what.volumeGiB ?? 0
      usage.snapshots += what.snapshots ?? 0
      usage.snapshotGiB += what.snapshotGiB ?? 0
    }
  }
  for (const id of inventory.ids()) {
    const row = inventory.row(id)
    // an administrator's credential reads a volume of another project where a claim has it
    if (row === undefined || (row.projectId ?? projectId) !== projectId) continue
    add(row.typeId, { volumes: 1, volumeGiB: row.sizeGiB })
  }
  for (const { volumeId, sizeGiB } of inventory.snapshots) {
    const row = inventory.row(volumeId)
    unassigned ||= row === undefined
    unsized ||= sizeGiB === undefined
    add(row?.typeId ?? '', { snapshots: 1, snapshotGiB: sizeGiB ?? 0 })
  }
  return { total, byType, unassigned, unsized }
}

function none(): Usage {
  return { volumes: 0, volumeGiB: 0, snapshots: 0, snapshotGiB: 0 }
}

/** What an administrator does about it, once. */
export function syncCommand(projectId: string): string {
  return `cinder-manage quota sync --project-id ${projectId}`
}
