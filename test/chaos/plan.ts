import type { Step } from '../../src/api/volume-migration.ts'
import { Dice, seedOf } from '../seeded.ts'

/** What is killed or suspended. */
export const VICTIMS = [
  'controller',
  'kube-apiserver',
  'keystone',
  'cinder-volume',
  'cinder-api',
  'prometheus',
] as const
export type Victim = (typeof VICTIMS)[number]
/** The strategies, `snapshot-restore` by clone. */
type Way = 'cinder-retype' | 'snapshot-restore'
export type How = 'killed' | 'suspended'

export type Trouble = {
  readonly victim: Victim
  readonly how: How
  /** So long after that move of the wave has reached the step, or has ended; without a step, after the wave's beginning. */
  readonly afterMs: number
  readonly at?: { readonly move: number; readonly step: Step }
  readonly downMs: number
}

export type PlannedMove = {
  readonly strategy: Way
  /** How many tiers further than now, in a circle of three. */
  readonly shift: 1 | 2
}

/** Moves that begin at once, one of each claim, and what happens meanwhile. */
export type Wave = { readonly moves: readonly PlannedMove[]; readonly troubles: readonly Trouble[] }

export type ChaosPlan = {
  readonly seed: number
  readonly claims: number
  readonly waves: readonly Wave[]
}

export type ChaosSize = {
  readonly claims: number
  readonly waves: number
  readonly troublesPerWave: number
  /**
   * Cinder is suspended only. A volume whose retype or creation is cut by its death says "retyping" or "creating" for ever,
   * and a move may call that stuck after 102 s at the earliest.
   */
  readonly sparesCinder?: boolean
}

/** All that is left to chance, drawn before anything runs: the same seed draws the same. */
export function planOf(seed: number, size: ChaosSize): ChaosPlan {
  const dice = new Dice(seedOf(seed, 'chaos'))
  const deck: Victim[] = []
  const next = (): Victim => {
    if (deck.length === 0) deck.push(...shuffled(dice, CARDS))
    return deck.pop()!
  }
  const waves = Array.from({ length: size.waves }, (_, wave): Wave => {
    const moves = Array.from({ length: size.claims }, (_, claim): PlannedMove => {
      // each claim is moved in both ways, and both ways run side by side
      const isRetype = (claim + wave) % 2 === 0
      return {
        strategy: isRetype ? 'cinder-retype' : 'snapshot-restore',
        shift: dice.chance(0.5) ? 1 : 2,
      }
    })
    const troubles = Array.from({ length: size.troublesPerWave }, () =>
      troubleFor(dice, next(), moves, size),
    )
    return { moves, troubles }
  })
  return { seed, claims: size.claims, waves }
}

/** More often: the controller, whose successor has to go on, and cinder-volume, which forgets what it was about. */
const CARDS: readonly Victim[] = [...VICTIMS, 'controller', 'controller', 'cinder-volume']

/** When in a move it is struck: in these steps, and no later than so many ms after they have begun. */
type Moments = Readonly<Record<Way, Partial<Readonly<Record<Step, number>>>>>

const ANY: Moments = {
  'cinder-retype': { Requested: 3000, Retyping: 3000, Verifying: 3000 },
  'snapshot-restore': {
    Holding: 3000,
    Copying: 9000,
    Switching: 3000,
    Soaking: 3000,
    CleaningUp: 5000,
  },
}
/** Where Cinder is at work. */
const OF_CINDER: Moments = {
  'cinder-retype': { Retyping: 3000 },
  'snapshot-restore': { Copying: 9000, CleaningUp: 5000 },
}

/** Longer than a lease lives, so that another controller takes over from one that only stood still. */
const LONGEST_STANDSTILL_MS = 25_000
const LONGEST_ABSENCE_MS = 10_000
const LONGEST_AFTER_BEGINNING_MS = 25_000

function troubleFor(
  dice: Dice,
  victim: Victim,
  moves: readonly PlannedMove[],
  { sparesCinder = false }: ChaosSize,
): Trouble {
  const isSpared = victim.startsWith('cinder-') && sparesCinder
  const how: How = isSpared || dice.chance(0.25) ? 'suspended' : 'killed'
  const downMs = dice.int(how === 'suspended' ? LONGEST_STANDSTILL_MS : LONGEST_ABSENCE_MS)
  const move = dice.int(moves.length)
  const moments = victim.startsWith('cinder-') ? OF_CINDER : ANY
  const steps = moments[moves[move]?.strategy ?? 'cinder-retype']
  const moment = dice.pick(Object.entries(steps) as [Step, number][])
  if (moment === undefined || dice.chance(0.25))
    return { victim, how, downMs, afterMs: dice.int(LONGEST_AFTER_BEGINNING_MS) }
  const [step, latestMs] = moment
  return { victim, how, downMs, at: { move, step }, afterMs: dice.int(latestMs) }
}

function shuffled<T>(dice: Dice, cards: readonly T[]): T[] {
  return cards
    .map((card) => ({ card, at: dice.next() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ card }) => card)
}
