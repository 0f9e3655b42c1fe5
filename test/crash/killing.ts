import { sleep } from '../../src/clock.ts'
import type { HttpRequest } from '../../src/http.ts'
import type { World } from '../../src/sim/world.ts'
import { controllerOn } from '../harness.ts'
import { createLife } from '../life.ts'
import type { Gate, Life } from '../life.ts'
import { Witness } from '../simulate/witness.ts'
import type { VirtualClock } from '../virtual-clock.ts'

/** How the request that the process dies at ends. `late`: on its way for as long as a call may take. */
export type Death = 'before its effect' | 'after its effect' | 'with its effect still on the way'

/** A world, what happens in it beside the controller, and what it must come to. */
export type Play = {
  readonly clock: VirtualClock
  readonly world: World
  readonly configYaml: string
  /** Why it is not yet where it should be; empty = converged. */
  missing(): readonly string[]
  /** What must not be so, asked once nothing runs any more. */
  wrong(): readonly string[]
  /** Everybody else's turn, every few seconds. */
  turn?(): Promise<void>
  /** A request leaves a process. */
  passes?(request: HttpRequest): Promise<void>
}

/** Just under the longest time a call may be under way: by then the standby has taken over. */
const ON_THE_WAY_MS = 19_900
/** The standby comes second, so that it is not the one to be killed. */
const STANDBY_AFTER_MS = 5_000
const TIMING = { backOffMs: 60_000 }
const STEP_MS = 5_000
const LONGEST_MS = 1_800_000

/** Throws when it does not converge by itself. */
export async function callsOfAWholeRun(play: Play): Promise<HttpRequest[]> {
  const calls: HttpRequest[] = []
  const witness = new Witness(play.world)
  const life = startOn(play, 'only', witness, (request, send) => {
    calls.push(request)
    return send()
  })
  await untilConverged(play)
  life.kill()
  const problems = [...play.missing(), ...play.wrong(), ...witness.violationsAtEnd()]
  if (problems.length > 0) throw new Error(problems.join('; '))
  return calls
}

/** What changes nothing cannot differ by the moment of its effect. */
export function deathsAt({ method, url }: HttpRequest): readonly Death[] {
  if (method === 'GET' || url.includes('prometheus')) return ['before its effect']
  return ['before its effect', 'after its effect', 'with its effect still on the way']
}

/** What is wrong in the end when the leader dies at that call and another takes over. */
export async function killedAt(play: Play, index: number, death: Death): Promise<string[]> {
  const witness = new Witness(play.world)
  let count = 0
  let killed = false
  const first: Life = startOn(play, 'first', witness, (request, send) => {
    if (count++ !== index) return send()
    killed = true
    // the effect, if any, comes through a connection that the death does not close
    const effect = deliver(play, request, death)
    first.kill()
    return effect
  })
  await play.clock.advance(STANDBY_AFTER_MS)
  await play.turn?.()
  const standby = startOn(play, 'standby', witness, (_, send) => send())
  await untilConverged(play)
  if (!killed) return ['was never made']
  // whatever is still on its way arrives
  await play.clock.advance(60_000)
  standby.kill()
  return [...play.missing(), ...play.wrong(), ...witness.violationsAtEnd()]
}

async function deliver({ world, clock }: Play, request: HttpRequest, death: Death): Promise<never> {
  const { origin, pathname, search } = new URL(request.url)
  const handler = world.routes[origin]
  if (death === 'with its effect still on the way') await sleep(clock, ON_THE_WAY_MS)
  if (death !== 'before its effect')
    void handler?.({
      method: request.method,
      url: pathname + search,
      headers: lowerCased(request.headers ?? {}),
      body: request.body ?? '',
      signal: new AbortController().signal,
    })
  return new Promise<never>(() => {})
}

function lowerCased(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([k, v]) => [k.toLowerCase(), v]))
}

function startOn(play: Play, identity: string, witness: Witness, gate: Gate): Life {
  const { world, clock, configYaml } = play
  const life = createLife({
    clock,
    routes: world.routes,
    gate: async (request, send) => {
      witness.leaves(identity, request)
      await play.passes?.(request)
      return gate(request, send)
    },
  })
  const controller = controllerOn({
    world,
    clock: life.clock,
    http: life.http,
    identity,
    // the standby reads the lease as often as it may
    random: () => 0,
    timing: TIMING,
    configYaml,
  })
  void controller.run(new AbortController().signal)
  return life
}

async function untilConverged(play: Play): Promise<void> {
  for (let ms = 0; ms < LONGEST_MS && play.missing().length > 0; ms += STEP_MS) {
    await play.clock.advance(STEP_MS)
    await play.turn?.()
  }
}
