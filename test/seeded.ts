/** Numbers in [0, 1) that are the same for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

/** A seed made of a seed and a name, so that what one thing draws does not depend on what others draw. */
export function seedOf(seed: number, name: string): number {
  let hash = seed | 0
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193)
  return hash >>> 0
}

/** Draws from one seed. */
export class Dice {
  readonly next: () => number

  constructor(seed: number) {
    this.next = seeded(seed)
  }

  /** Whole number in [0, n). */
  int(n: number): number {
    return Math.floor(this.next() * n)
  }

  /** In [low, high). */
  between(low: number, high: number): number {
    return low + this.next() * (high - low)
  }

  chance(p: number): boolean {
    return this.next() < p
  }

  /** undefined only for an empty list. */
  pick<T>(list: readonly T[]): T | undefined {
    return list[this.int(list.length)]
  }

  /** From a list that is not empty. */
  one<T>(list: readonly [T, ...T[]]): T {
    return list[this.int(list.length)] ?? list[0]
  }

  /** One of the rows, each as likely as its weight says. */
  weighted<T extends { readonly weight: number }>(rows: readonly T[]): T {
    let left = this.next() * rows.reduce((sum, row) => sum + row.weight, 0)
    for (const row of rows) if ((left -= row.weight) < 0) return row
    const last = rows.at(-1)
    if (last === undefined) throw new Error('nothing to draw from')
    return last
  }
}
