import { overLimit } from './reply.ts'

/** Amounts by resource: `volumes`, `gigabytes`, `snapshots`, and each of them followed by `/` and a type id. */
export type Amounts = Readonly<Record<string, number>>

export type Reservation = {
  /** Turns the reserved amounts into usage. */
  commit(): void
  rollback(): void
}

/** Limits and usage per project. -1 = unlimited. */
export type Quota = {
  limit(projectId: string, resource: string): number
  setLimit(projectId: string, resource: string, limit: number): void
  /** A limit was set for this project, so that it is not the default any more. */
  hasOwnLimit(projectId: string, resource: string): boolean
  inUse(projectId: string, resource: string): number
  reserved(projectId: string, resource: string): number
  /** Usage that needs no leave: seeded rows, releases. */
  add(projectId: string, amounts: Amounts): void
  /** Throws the 413 of Cinder when a limit would be passed. `gib` is the size in its message. */
  reserve(projectId: string, amounts: Amounts, gib: number): Reservation
}

export const DEFAULT_LIMITS: Amounts = {
  volumes: 10,
  per_volume_gigabytes: -1,
  snapshots: 10,
  gigabytes: 1000,
  backups: 10,
  backup_gigabytes: 1000,
  groups: 10,
}

/** The quota engine; `nameOf` turns a resource into the name a user reads (`gigabytes_<type name>`). */
export function createQuota(nameOf: (resource: string) => string): Quota {
  const limits = new Map<string, number>()
  const used = new Map<string, number>()
  const held = new Map<string, number>()
  const key = (projectId: string, resource: string) => `${projectId} ${resource}`
  const shift = (table: Map<string, number>, projectId: string, amounts: Amounts, sign: 1 | -1) => {
    for (const [resource, amount] of Object.entries(amounts)) {
      const k = key(projectId, resource)
      table.set(k, (table.get(k) ?? 0) + sign * amount)
    }
  }
  const limit = (projectId: string, resource: string) =>
    limits.get(key(projectId, resource)) ?? DEFAULT_LIMITS[resource] ?? -1
  const taken = (projectId: string, resource: string) =>
    (used.get(key(projectId, resource)) ?? 0) + (held.get(key(projectId, resource)) ?? 0)

  return {
    limit,
    hasOwnLimit: (projectId, resource) => limits.has(key(projectId, resource)),
    setLimit: (projectId, resource, value) => void limits.set(key(projectId, resource), value),
    inUse: (projectId, resource) => used.get(key(projectId, resource)) ?? 0,
    reserved: (projectId, resource) => held.get(key(projectId, resource)) ?? 0,
    add: (projectId, amounts) => shift(used, projectId, amounts, 1),
    reserve: (projectId, amounts, gib) => {
      const over = Object.keys(amounts)
        .filter((r) => amounts[r]! > 0 && limit(projectId, r) >= 0)
        .filter((r) => taken(projectId, r) + amounts[r]! > limit(projectId, r))
        .toSorted()[0]
      if (over !== undefined)
        throw exceeded(nameOf(over), limit(projectId, over), taken(projectId, over), gib)
      // only what is asked for is held; what is given back waits for the commit
      const asked = Object.fromEntries(Object.entries(amounts).filter(([, n]) => n > 0))
      shift(held, projectId, asked, 1)
      let open = true
      const settle = (commit: boolean) => {
        if (!open) return
        open = false
        shift(held, projectId, asked, -1)
        if (commit) shift(used, projectId, amounts, 1)
      }
      return { commit: () => settle(true), rollback: () => settle(false) }
    },
  }
}

function exceeded(name: string, limit: number, consumed: number, gib: number) {
  if (name === 'backups')
    return overLimit(`BackupLimitExceeded: Maximum number of backups allowed (${limit}) exceeded`)
  if (name === 'backup_gigabytes')
    return overLimit(
      `VolumeBackupSizeExceedsAvailableQuota: Requested backup exceeds allowed Backup gigabytes quota. Requested ${gib}G, quota is ${limit}G and ${consumed}G has been consumed.`,
    )
  if (name.startsWith('gigabytes'))
    return overLimit(
      `VolumeSizeExceedsAvailableQuota: Requested volume or snapshot exceeds allowed ${name} quota. Requested ${gib}G, quota is ${limit}G and ${consumed}G has been consumed.`,
    )
  const [fault, what] = name.startsWith('snapshots')
    ? ['SnapshotLimitExceeded', 'snapshots']
    : ['VolumeLimitExceeded', 'volumes']
  return overLimit(
    `${fault}: Maximum number of ${what} allowed (${limit}) exceeded for quota '${name}'.`,
  )
}

/** What a volume or snapshot of a type takes, in total and for its type. */
export function amountsFor(
  kind: 'volumes' | 'snapshots',
  sizeGiB: number,
  typeId: string,
  count = 1,
): Amounts {
  return {
    [kind]: count,
    gigabytes: sizeGiB,
    [`${kind}/${typeId}`]: count,
    [`gigabytes/${typeId}`]: sizeGiB,
  }
}
