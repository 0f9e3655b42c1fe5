import { Dice, seedOf } from '../seeded.ts'
import { ACTIONS } from './actions.ts'
import { REPLACING_ACTIONS } from './actions-replacing.ts'
import { corrected } from './actions-moves.ts'
import { healed } from './actions-cloud.ts'
import { NETWORK_FAULTS } from './faults.ts'
import type { Service } from './faults.ts'
import { AUDIT } from './names.ts'
import type { Violation } from './monitor.ts'
import { EXITS, FINAL_ORACLES } from './oracles.ts'
import { addProbes, drawSetup, populate } from './setup.ts'
import { Universe } from './universe.ts'

/** One thing that happens: an action, or a fault that strikes for a while. */
export type Step = {
  readonly atMs: number
  readonly what: string
  /** Draws of this step only, so that other steps can be left out without changing it. */
  readonly seed: number
}

/** Everything that happens in one run; the same script gives the same run. */
export type Script = {
  readonly seed: number
  readonly hours: number
  /** In a world in which volumes are replaced. */
  readonly replacing?: true
  readonly steps: readonly Step[]
}

export type Outcome = {
  readonly violations: readonly Violation[]
  readonly notes: readonly string[]
  readonly retypes: number
  readonly simulatedMs: number
}

const MINUTE = 60_000
const HOUR = 3_600_000
/** Between two turns of everything that runs beside the product, and two questions to the oracles. */
const TICK_MS = 10_000
/** Until everything that is wanted has happened, a policy's first window of history included. */
const SETTLING_MS = 1.75 * HOUR
/** In which little may be written. */
const STEADY_MS = 0.5 * HOUR
const RESTART_MS = 0.25 * HOUR
const SERVICES: readonly (Service | undefined)[] = [
  undefined,
  'kube',
  'keystone',
  'cinder',
  'cinder',
  'prometheus',
]

const ALL_ACTIONS = [...ACTIONS, ...REPLACING_ACTIONS]

/** `replacing`: more can happen, and nothing of it in any other script. */
export function writeScript(seed: number, hours: number, { replacing = false } = {}): Script {
  const actions = replacing ? ALL_ACTIONS : ACTIONS
  const dice = new Dice(seedOf(seed, 'script'))
  const steps: Step[] = []
  const pace = dice.between(1, 8) * MINUTE
  for (let atMs = MINUTE; atMs < hours * HOUR; atMs += dice.between(0, 2 * pace)) {
    const row = dice.chance(0.25) ? dice.weighted(NETWORK_FAULTS) : dice.weighted(actions)
    steps.push({ atMs: Math.round(atMs), what: row.name, seed: dice.int(2 ** 31) })
  }
  return { seed, hours, ...(replacing ? { replacing } : {}), steps }
}

/** Plays a script to its end (without `calm`: of the trouble), or to the first violation; `ignored` oracles are not heard. */
export async function play(
  script: Script,
  options: { readonly ignored?: ReadonlySet<string>; readonly calm?: false } = {},
): Promise<Outcome> {
  const universe = new Universe(
    script.seed,
    drawSetup(new Dice(seedOf(script.seed, 'setup')), script.replacing),
    options.ignored,
  )
  populate(universe, new Dice(seedOf(script.seed, 'populate')))
  for (let i = 0; i < universe.setup.replicas; i++) universe.startReplica()
  try {
    for (const step of script.steps) {
      if (!(await passUntil(universe, step.atMs))) break
      await take(universe, step)
    }
    const quiet = Math.max(universe.clock.monotonic(), script.hours * HOUR)
    const isOver = await passUntil(universe, quiet)
    if (isOver && options.calm !== false) await calm(universe, quiet)
    await universe.clock.settle()
  } finally {
    for (const { life } of universe.replicas) life.kill()
  }
  const { violations, notes, arrivals } = universe.monitor
  return {
    violations,
    notes,
    retypes: arrivals.size,
    simulatedMs: universe.clock.monotonic(),
  }
}

/** False when an oracle has objected. */
async function passUntil(universe: Universe, untilMs: number): Promise<boolean> {
  const { clock, monitor, cluster } = universe
  while (clock.monotonic() < untilMs && monitor.violations.length === 0) {
    await clock.advance(Math.min(TICK_MS, untilMs - clock.monotonic()))
    await cluster.tick()
    monitor.tick()
    // an oracle that is not asked: a person restarts what it would have found
    if (monitor.ignores(EXITS))
      for (const replica of universe.overdueExits()) universe.kill(replica)
  }
  return monitor.violations.length === 0
}

async function take(universe: Universe, step: Step): Promise<void> {
  const dice = new Dice(step.seed)
  const action = ALL_ACTIONS.find((a) => a.name === step.what)
  universe.monitor.note(step.what)
  if (action !== undefined) {
    await action.run(universe, dice)
    return
  }
  const fault = NETWORK_FAULTS.find((f) => f.name === step.what)
  if (fault === undefined) throw new Error(`nothing is called "${step.what}"`)
  const episode = {
    fault,
    rate: dice.one([0.05, 0.3, 0.3, 1]),
    service: dice.pick(SERVICES),
    dice,
    mood: new Dice(step.seed ^ 0x5eed).next(),
    replica: dice.chance(0.3) ? dice.pick(Array.from(universe.replicas))?.identity : undefined,
    untilMs: universe.clock.monotonic() + dice.one([0.2, 2, 10, 60]) * MINUTE,
  }
  universe.episodes.add(episode)
  // what answers instead of the API server has first ended the connections to it
  if (fault.watches === true && (episode.service ?? 'kube') === 'kube')
    universe.world.api.cutWatches('reset')
}

/**
 * No more trouble with network, processes, quota and types; what tenants have left behind stays. Then what is wanted must
 * happen, the writing must end, and a restart must change nothing.
 */
async function calm(universe: Universe, fromMs: number): Promise<void> {
  const { monitor } = universe
  universe.episodes.clear()
  universe.moments.clear()
  universe.types.raiseQuotas()
  universe.types.restore()
  healed(universe.undo)
  corrected(universe.undo)
  universe.undo.get(AUDIT)?.()
  for (const { life } of universe.replicas) life.resume()
  monitor.note('calm')
  await addProbes(universe)
  if (!(await passUntil(universe, fromMs + SETTLING_MS))) return
  const { writes, queries, copies } = monitor
  if (!(await passUntil(universe, fromMs + SETTLING_MS + STEADY_MS))) return
  monitor.quietWrites = monitor.writes - writes
  monitor.quietQueries = monitor.queries - queries
  monitor.quietCopies = monitor.copies - copies
  const before = universe.verdicts()
  await askFinally(universe)
  for (const replica of Array.from(universe.replicas)) universe.kill(replica)
  monitor.note('all replicas are restarted')
  if (!(await passUntil(universe, fromMs + SETTLING_MS + STEADY_MS + RESTART_MS))) return
  if (universe.verdicts() !== before)
    monitor.report('a restart changes no verdict', `${before} became ${universe.verdicts()}`)
}

async function askFinally(universe: Universe): Promise<void> {
  await universe.scrape()
  for (const { name, check } of FINAL_ORACLES)
    for (const what of check(universe)) universe.monitor.report(name, what)
}
