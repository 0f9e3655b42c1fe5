/** Identifiers of the simulated cloud, from one injected source of randomness. */
export type Ids = {
  /** Version 4, with dashes: volumes, snapshots, types. */
  uuid(): string
  /** 32 hex digits: projects, users, application credentials. */
  hex32(): string
  hex(digits: number): string
  /** URL-safe text, as secrets and tokens have it. */
  secret(length: number): string
}

const SAFE = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** Identifiers that repeat from run to run when `random` does. */
export function createIds(random: () => number): Ids {
  const pick = (alphabet: string, n: number) => {
    let out = ''
    for (let i = 0; i < n; i++) out += alphabet[Math.floor(random() * alphabet.length)]
    return out
  }
  const word = () =>
    Math.floor(random() * 2 ** 32)
      .toString(16)
      .padStart(8, '0')
  const hex = (n: number) => {
    let out = word()
    while (out.length < n) out += word()
    return out.slice(0, n)
  }
  return {
    uuid: () => {
      const h = hex(32)
      const variant = '89ab'[Math.floor(random() * 4)]!
      return `${h.slice(0, 8)}-${h.slice(8, 12)}-4${h.slice(13, 16)}-${variant}${h.slice(17, 20)}-${h.slice(20)}`
    },
    hex32: () => hex(32),
    hex,
    secret: (n) => pick(SAFE, n),
  }
}

/** A small generator (mulberry32), uniform in [0, 1), the same for the same seed. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}
