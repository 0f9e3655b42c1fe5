/** Rows that belong to a volume (snapshots, attachments), by their own id and by the volume's. */
export type ByVolume<T> = {
  get(id: string): T | undefined
  of(volumeId: string): readonly T[]
  all(): Iterable<T>
  add(row: T): void
  remove(id: string): void
}

/** An empty table. */
export function createByVolume<
  T extends { readonly id: string; readonly volumeId: string },
>(): ByVolume<T> {
  const byId = new Map<string, T>()
  const byVolume = new Map<string, T[]>()
  return {
    get: (id) => byId.get(id),
    of: (volumeId) => byVolume.get(volumeId) ?? [],
    all: () => byId.values(),
    add: (row) => {
      byId.set(row.id, row)
      byVolume.set(row.volumeId, [...(byVolume.get(row.volumeId) ?? []), row])
    },
    remove: (id) => {
      const row = byId.get(id)
      if (!row) return
      byId.delete(id)
      const rest = byVolume.get(row.volumeId)!.filter((r) => r !== row)
      if (rest.length > 0) byVolume.set(row.volumeId, rest)
      else byVolume.delete(row.volumeId)
    },
  }
}
