import type { KubeJson } from './types.ts'

export type Stored = { readonly key: string; readonly object: KubeJson }

export type Change = {
  readonly rv: number
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
  readonly key: string
  readonly before: KubeJson | undefined
  /** Of a deletion: the last state, with the resourceVersion of the deletion. */
  readonly after: KubeJson
}

const KEPT_SNAPSHOTS = 4
/** Above this many new objects one sort is cheaper than inserting each. */
const INSERT_LIMIT = 64

/**
 * All objects of one resource in key order, with the recent changes: any version inside the history can be listed again.
 * Nothing here is sorted or copied per page; a snapshot is copied only when a write follows a list.
 */
export class Collection {
  readonly #byKey = new Map<string, Stored>()
  readonly #listeners = new Set<(change: Change) => void>()
  readonly #historyLimit: number
  #sorted: Stored[] = []
  /** The array has been handed out: copy before the next change. */
  #shared = false
  #added: Stored[] = []
  #changes: Change[] = []
  #forgotten = 0
  #version = 0
  #snapshots: { rv: number; items: readonly Stored[] }[] = []

  constructor(historyLimit: number) {
    this.#historyLimit = historyLimit
  }

  /** Version of the last change; 0 = none yet. */
  get version(): number {
    return this.#version
  }

  get size(): number {
    return this.#byKey.size
  }

  get watchers(): number {
    return this.#listeners.size
  }

  /** Changes up to this version are no longer known. */
  get forgotten(): number {
    return this.#forgotten
  }

  get(key: string): KubeJson | undefined {
    return this.#byKey.get(key)?.object
  }

  values(): Iterable<Stored> {
    return this.#byKey.values()
  }

  apply(change: Change) {
    this.#version = change.rv
    if (change.type === 'DELETED') this.#remove(change.key)
    else this.#set({ key: change.key, object: change.after })
    this.#changes.push(change)
    if (this.#changes.length > 2 * this.#historyLimit)
      this.#forget(this.#changes.length - this.#historyLimit)
    for (const listener of this.#listeners) listener(change)
  }

  /** Forgets the history, as etcd's compaction does. */
  compact(rv: number) {
    this.#forget(this.#changes.length)
    this.#forgotten = rv
    this.#snapshots = []
  }

  subscribe(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Changes after `rv`, oldest first; undefined when some of them are forgotten. */
  since(rv: number): readonly Change[] | undefined {
    if (rv < this.#forgotten) return undefined
    return this.#changes.slice(this.#indexAfter(rv))
  }

  /** The current objects in key order. The array is never changed afterwards. */
  list(): readonly Stored[] {
    this.#settle()
    this.#shared = true
    return this.#sorted
  }

  /** The objects as they were at `rv`; undefined when that is forgotten. */
  listAt(rv: number): readonly Stored[] | undefined {
    if (rv < this.#forgotten) return undefined
    const start = this.#indexAfter(rv)
    if (start === this.#changes.length) return this.list()
    const kept = this.#snapshots.find((s) => s.rv === rv)
    if (kept) return kept.items
    const items = this.#undo(this.#changes.slice(start))
    this.#snapshots = [{ rv, items }, ...this.#snapshots].slice(0, KEPT_SNAPSHOTS)
    return items
  }

  /** Remembers what was just listed, for the next pages. */
  keep(rv: number, items: readonly Stored[]) {
    if (this.#snapshots.some((s) => s.rv === rv)) return
    this.#snapshots = [{ rv, items }, ...this.#snapshots].slice(0, KEPT_SNAPSHOTS)
  }

  /** One object as it was at `rv`. */
  getAt(key: string, rv: number): KubeJson | undefined {
    const later = this.#changes.slice(this.#indexAfter(rv)).find((c) => c.key === key)
    return later === undefined ? this.get(key) : later.before
  }

  #undo(changes: readonly Change[]): Stored[] {
    const before = new Map<string, KubeJson | undefined>()
    for (const c of changes) if (!before.has(c.key)) before.set(c.key, c.before)
    const items = this.list().filter((s) => !before.has(s.key))
    for (const [key, object] of before) if (object !== undefined) items.push({ key, object })
    return items.sort(byKey)
  }

  #indexAfter(rv: number): number {
    let [low, high] = [0, this.#changes.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#changes[middle]!.rv <= rv) low = middle + 1
      else high = middle
    }
    return low
  }

  #forget(count: number) {
    if (count === 0) return
    this.#forgotten = this.#changes[count - 1]!.rv
    this.#changes = this.#changes.slice(count)
  }

  #set(stored: Stored) {
    const isNew = !this.#byKey.has(stored.key)
    this.#byKey.set(stored.key, stored)
    if (isNew) return void this.#added.push(stored)
    this.#settle()
    this.#own()
    this.#sorted[firstFrom(this.#sorted, stored.key)] = stored
  }

  #remove(key: string) {
    this.#byKey.delete(key)
    this.#settle()
    this.#own()
    this.#sorted.splice(firstFrom(this.#sorted, key), 1)
  }

  #settle() {
    if (this.#added.length === 0) return
    this.#own()
    const added = this.#added
    this.#added = []
    if (added.length > INSERT_LIMIT) {
      for (const stored of added) this.#sorted.push(stored)
      this.#sorted.sort(byKey)
      return
    }
    for (const stored of added) this.#sorted.splice(firstFrom(this.#sorted, stored.key), 0, stored)
  }

  #own() {
    if (!this.#shared) return
    this.#sorted = this.#sorted.slice()
    this.#shared = false
  }
}

function byKey(a: Stored, b: Stored): number {
  return a.key < b.key ? -1 : a.key > b.key ? 1 : 0
}

/** Index of the first entry whose key is not below `key`. */
export function firstFrom(items: readonly Stored[], key: string): number {
  let [low, high] = [0, items.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (items[middle]!.key < key) low = middle + 1
    else high = middle
  }
  return low
}
