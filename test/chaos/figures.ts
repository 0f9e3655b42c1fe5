import type { How, Victim } from './plan.ts'

/** What may not happen, whatever dies. */
export const FAULTS = {
  unequalDigest: 'data of a claim that is not what was written',
  doubleAct: 'acts in Cinder that were done twice, or are in no audit',
  unreportedStuck: 'moves that did not get on and were not reported',
  neverEnded: 'moves that did not end, although everything runs and the runbooks were followed',
  orphan: 'volumes, snapshots and records that were left behind',
  claimNotBound: 'claims that are not Bound',
  changedUid: 'claims with another uid',
  wrongVolume: 'claims whose volume is not what the end of their move says',
  crash: 'controllers that crashed by themselves',
} as const
export type Fault = keyof typeof FAULTS

type Counts = Readonly<Record<string, number>>

/** What became of the moves of one or more seeds. */
export type ChaosFigures = {
  readonly seeds: readonly number[]
  readonly moves: number
  /** By step and reason. */
  readonly ends: Counts
  readonly kills: Counts
  readonly suspensions: Counts
  /** Controllers that ended rather than go on without knowing whether they lead. */
  readonly gaveWay: number
  /** Reported as stuck, and repaired by their runbook. */
  readonly repaired: number
  readonly digestsEqual: number
  readonly faults: Readonly<Record<Fault, readonly string[]>>
}

/** Collects the figures of one seed. */
export class Tally {
  readonly #seed: number
  readonly #ends = new Map<string, number>()
  readonly #troubles: Readonly<Record<How, Map<string, number>>> = {
    killed: new Map(),
    suspended: new Map(),
  }
  readonly #faults = new Map<Fault, string[]>()
  moves = 0
  gaveWay = 0
  repaired = 0
  digestsEqual = 0

  constructor(seed: number) {
    this.#seed = seed
  }

  ended(how: string): void {
    this.moves++
    count(this.#ends, how)
  }

  trouble(victim: Victim, how: How): void {
    count(this.#troubles[how], victim)
  }

  fault(fault: Fault, what: string): void {
    this.#faults.set(fault, [...(this.#faults.get(fault) ?? []), `seed ${this.#seed}: ${what}`])
  }

  figures(): ChaosFigures {
    const { moves, gaveWay, repaired, digestsEqual } = this
    return {
      seeds: [this.#seed],
      moves,
      ends: Object.fromEntries(this.#ends),
      kills: Object.fromEntries(this.#troubles.killed),
      suspensions: Object.fromEntries(this.#troubles.suspended),
      gaveWay,
      repaired,
      digestsEqual,
      faults: faultsOf((fault) => this.#faults.get(fault) ?? []),
    }
  }
}

export function sumOf(all: readonly ChaosFigures[]): ChaosFigures {
  const total = (of: (f: ChaosFigures) => number) => all.reduce((sum, f) => sum + of(f), 0)
  return {
    seeds: all.flatMap((f) => f.seeds),
    moves: total((f) => f.moves),
    ends: added(all.map((f) => f.ends)),
    kills: added(all.map((f) => f.kills)),
    suspensions: added(all.map((f) => f.suspensions)),
    gaveWay: total((f) => f.gaveWay),
    repaired: total((f) => f.repaired),
    digestsEqual: total((f) => f.digestsEqual),
    faults: faultsOf((fault) => all.flatMap((f) => f.faults[fault])),
  }
}

/** One line for each fault; empty = all well. */
export function failuresIn({ faults }: ChaosFigures): readonly string[] {
  return FAULT_NAMES.flatMap((fault) => faults[fault].map((what) => `${fault}: ${what}`))
}

/** For people. */
export function reportOf(figures: ChaosFigures): string {
  const { seeds, moves, ends, kills, suspensions, faults } = figures
  return [
    `moves ${moves} (seeds ${seeds.join(', ')}): ${listed(ends)}`,
    `killed: ${listed(kills)}`,
    `suspended: ${listed(suspensions)}`,
    `controllers that gave way: ${figures.gaveWay}`,
    `digests equal: ${figures.digestsEqual} of ${moves}`,
    `reported as stuck and repaired by the runbook: ${figures.repaired}`,
    ...FAULT_NAMES.map((fault) => `${FAULTS[fault]}: ${faults[fault].length}`),
    '',
  ].join('\n')
}

const FAULT_NAMES = Object.keys(FAULTS) as Fault[]

function faultsOf(of: (fault: Fault) => readonly string[]): ChaosFigures['faults'] {
  return Object.fromEntries(FAULT_NAMES.map((f) => [f, of(f)])) as ChaosFigures['faults']
}

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}

function added(all: readonly Counts[]): Counts {
  const sum = new Map<string, number>()
  for (const [key, n] of all.flatMap((counts) => Object.entries(counts)))
    sum.set(key, (sum.get(key) ?? 0) + n)
  return Object.fromEntries(sum)
}

function listed(counts: Counts): string {
  const rows = Object.entries(counts).toSorted(([a], [b]) => a.localeCompare(b))
  return rows.map(([name, n]) => `${name} ${n}`).join(', ') || 'none'
}
