import type { VolumeRow } from './model.ts'

/** Volumes by id and in the order a list shows them, newest first, without sorting per request. */
export type VolumeStore = {
  get(id: string): VolumeRow | undefined
  add(row: VolumeRow): void
  remove(id: string): void
  /** Moves a row between the lists of two projects. */
  changeOwner(row: VolumeRow, projectId: string): void
  readonly size: number
  /** Newest first; with `afterId` from the row that follows it. `projectId` undefined = every project. */
  newestFirst(projectId: string | undefined, afterId?: string): Iterable<VolumeRow>
}

// the database keeps whole seconds, so rows of one second are ordered by id
const compare = (a: VolumeRow, b: VolumeRow): number => {
  const seconds = Math.floor(a.createdAt / 1000) - Math.floor(b.createdAt / 1000)
  if (seconds !== 0) return seconds
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0
}

/** An empty store. Add and remove cost a binary search and a memory move, a page costs its own length. */
export function createVolumeStore(): VolumeStore {
  const byId = new Map<string, VolumeRow>()
  const all: VolumeRow[] = []
  const byProject = new Map<string, VolumeRow[]>()

  const listOf = (projectId: string) => {
    const list = byProject.get(projectId) ?? []
    byProject.set(projectId, list)
    return list
  }
  return {
    get: (id) => byId.get(id),
    add: (row) => {
      byId.set(row.id, row)
      insert(all, row)
      insert(listOf(row.projectId), row)
    },
    remove: (id) => {
      const row = byId.get(id)
      if (!row) return
      byId.delete(id)
      take(all, row)
      take(listOf(row.projectId), row)
    },
    changeOwner: (row, projectId) => {
      take(listOf(row.projectId), row)
      row.projectId = projectId
      insert(listOf(projectId), row)
    },
    get size() {
      return byId.size
    },
    newestFirst: (projectId, afterId) => {
      const list = projectId === undefined ? all : listOf(projectId)
      const marker = afterId === undefined ? undefined : byId.get(afterId)
      return backwards(list, marker === undefined ? list.length : position(list, marker))
    },
  }
}

function* backwards(list: readonly VolumeRow[], from: number): Iterable<VolumeRow> {
  for (let i = from - 1; i >= 0; i--) yield list[i]!
}

/** Index of the first row that is not before `row`. */
function position(list: readonly VolumeRow[], row: VolumeRow): number {
  let low = 0
  let high = list.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (compare(list[middle]!, row) < 0) low = middle + 1
    else high = middle
  }
  return low
}

function insert(list: VolumeRow[], row: VolumeRow): void {
  list.splice(position(list, row), 0, row)
}

function take(list: VolumeRow[], row: VolumeRow): void {
  const at = position(list, row)
  if (list[at] === row) list.splice(at, 1)
}
