import type { Store } from './types.ts'

export type Change<T> = {
  readonly key: string
  readonly before: T | undefined
  readonly after: T | undefined
}

/** Values of an index for one projection; must be a pure function of it. */
export type Indexer<T> = (value: T) => readonly string[]

/** Write side of a store; the reflector's. */
export interface WritableStore<T> extends Store<T> {
  /** True when something newer than `version` is stored under `key`, or an object with another `uid`. */
  isOlder(key: string, version: string | undefined, uid?: string): boolean
  /**
   * Stores without question; another `uid` than before is another object, so that listeners see the old one go and the
   * new one come. Throws what an indexer throws, with nothing changed.
   */
  set(key: string, value: T, version: string | undefined, uid?: string): void
  delete(key: string): void
  /** Marks `key` as seen in the list under way; true when it is stored with this very version. */
  mark(key: string, version: string | undefined): boolean
  /** Begins a list: all entries are unseen. */
  beginSweep(): void
  /**
   * Deletes up to `most` entries' worth of unseen keys per step, so that the caller can yield in between. `version` is
   * that of the list.
   */
  sweep(most: number, version?: string): IterableIterator<void>
}

/** Most values have one key, and a Set for it would weigh more than the object. */
type Keys = string | Set<string>
type Entry<T> = { value: T; version: number; uid: string | undefined; generation: number }

/**
 * Projections by key with secondary indexes. Versions are kept as numbers: they are comparable integers, and NaN
 * (a version that is none) compares as neither newer nor older.
 */
export function createStore<T>(options: {
  readonly indexes?: Readonly<Record<string, Indexer<T>>>
  /** Notified of each throwing listener. */
  readonly onListenerError: (error: unknown) => void
}): WritableStore<T> {
  const entries = new Map<string, Entry<T>>()
  const indexers = Object.entries(options.indexes ?? {})
  const indexes = new Map(indexers.map(([name]) => [name, new Map<string, Keys>()]))
  const listeners = new Set<(change: Change<T>) => void>()
  let generation = 0
  let listedVersion = NaN

  const positions = (value: T) => indexers.map(([name, of]) => [name, of(value)] as const)

  const unindex = (key: string, value: T) => {
    for (const [name, values] of positions(value))
      for (const v of values) {
        const keys = indexes.get(name)!.get(v)
        if (keys === key) indexes.get(name)!.delete(v)
        if (typeof keys !== 'object') continue
        keys.delete(key)
        if (keys.size === 0) indexes.get(name)!.delete(v)
      }
  }

  const index = (key: string, places: ReturnType<typeof positions>) => {
    for (const [name, values] of places)
      for (const v of values) {
        const keys = indexes.get(name)!.get(v)
        if (keys === undefined) indexes.get(name)!.set(v, key)
        else if (typeof keys === 'object') keys.add(key)
        else if (keys !== key) indexes.get(name)!.set(v, new Set([keys, key]))
      }
  }

  const notify = (change: Change<T>) => {
    for (const listener of listeners)
      try {
        listener(change)
      } catch (e) {
        options.onListenerError(e)
      }
  }

  const remove = (key: string) => {
    const entry = entries.get(key)
    if (!entry) return
    entries.delete(key)
    unindex(key, entry.value)
    notify({ key, before: entry.value, after: undefined })
  }

  return {
    get: (key) => entries.get(key)?.value,
    values: () => {
      // one array: a generator's results would be an object per value, thrown away in each of many passes
      const all: T[] = []
      for (const entry of entries.values()) all.push(entry.value)
      return all.values()
    },
    keys: () => [...entries.keys()].values(),
    get size() {
      return entries.size
    },
    byIndex: (name, value) => {
      const keys = indexes.get(name)
      if (!keys) throw new Error(`there is no index "${name}"`)
      const found = keys.get(value)
      if (found === undefined) return []
      if (typeof found === 'string') return [entries.get(found)!.value]
      return Array.from(found, (key) => entries.get(key)!.value)
    },
    subscribe: (listener) => {
      // a listener added twice is called twice and removed one by one
      const own = (change: Change<T>) => listener(change)
      listeners.add(own)
      return () => void listeners.delete(own)
    },
    get listedVersion() {
      return listedVersion
    },
    isOlder: (key, version, uid) => {
      const entry = entries.get(key)
      return versionNumber(version) < (entry?.version ?? NaN) || isAnother(entry, uid)
    },
    set: (key, value, version, uid) => {
      const places = positions(value)
      if (isAnother(entries.get(key), uid)) remove(key)
      const old = entries.get(key)
      if (old) unindex(key, old.value)
      entries.set(key, { value, version: versionNumber(version), uid, generation })
      index(key, places)
      notify({ key, before: old?.value, after: value })
    },
    delete: remove,
    mark: (key, version) => {
      const entry = entries.get(key)
      if (!entry) return false
      entry.generation = generation
      return entry.version === versionNumber(version)
    },
    beginSweep: () => {
      generation += 1
    },
    *sweep(most, version) {
      listedVersion = versionNumber(version)
      let scanned = 0
      for (const [key, entry] of entries) {
        if (entry.generation !== generation) remove(key)
        scanned += 1
        if (scanned % most === 0) yield
      }
    },
  }
}

function isAnother(entry: { uid: string | undefined } | undefined, uid: string | undefined) {
  return entry?.uid !== undefined && uid !== undefined && entry.uid !== uid
}

/** A resourceVersion as a number to compare; NaN when it is not a whole decimal number that fits. */
export function versionNumber(version: string | undefined): number {
  if (version === undefined || !/^\d{1,15}$/.test(version)) return NaN
  return Number(version)
}

/** Returns equal strings as one, so that a value found in 100,000 objects is kept once. */
export function createInterner(): (value: string) => string {
  const known = new Map<string, string>()
  return (value) => {
    const first = known.get(value)
    if (first !== undefined) return first
    known.set(value, value)
    return value
  }
}
