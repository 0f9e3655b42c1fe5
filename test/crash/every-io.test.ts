import { describe, expect, it } from 'vitest'
import { sleep } from '../../src/clock.ts'
import type { HttpRequest } from '../../src/http.ts'
import { createLife } from '../life.ts'
import type { Gate, Life } from '../life.ts'
import { controllerOn } from '../harness.ts'
import { Witness } from '../simulate/witness.ts'
import { broken, missing, needless, SCENARIOS } from './scenarios.ts'
import type { Scene } from './scenarios.ts'

/** How the request that the process dies at ends. `late`: on its way for as long as a call may take. */
type Death = 'before its effect' | 'after its effect' | 'with its effect still on the way'

/** Just under the longest time a call may be under way: by then the standby has taken over. */
const ON_THE_WAY_MS = 19_900
/** The standby comes second, so that it is not the one to be killed. */
const STANDBY_AFTER_MS = 5_000
const TIMING = { backOffMs: 60_000 }
const STEP_MS = 5_000
const LONGEST_MS = 1_800_000

describe.each(Object.entries(SCENARIOS))('%s', (_, make) => {
  it('ends the same, with no retype more, whichever call the controller is killed at', async () => {
    const calls = await callsOfAWholeRun(make())
    expect(calls.length).toBeGreaterThan(60)
    const failures: string[] = []
    for (const [index, call] of calls.entries())
      for (const death of deathsAt(call))
        for (const problem of await killedAt(make(), index, death))
          failures.push(`killed at call ${index} (${call.method} ${call.url}) ${death}: ${problem}`)
    expect(failures.slice(0, 10), `${failures.length} in all`).toEqual([])
  })
})

async function callsOfAWholeRun(scene: Scene): Promise<HttpRequest[]> {
  const calls: HttpRequest[] = []
  const life = startOn(scene, 'only', (request, send) => {
    calls.push(request)
    return send()
  })
  await untilConverged(scene)
  expect(missing(scene)).toEqual([])
  life.kill()
  return calls
}

/** What changes nothing cannot differ by the moment of its effect. */
function deathsAt({ method, url }: HttpRequest): readonly Death[] {
  if (method === 'GET' || url.includes('prometheus')) return ['before its effect']
  return ['before its effect', 'after its effect', 'with its effect still on the way']
}

async function killedAt(scene: Scene, index: number, death: Death): Promise<string[]> {
  const witness = new Witness(scene.world)
  let count = 0
  let killed = false
  const first: Life = startOn(scene, 'first', (request, send) => {
    witness.leaves('first', request)
    if (count++ !== index) return send()
    killed = true
    // the effect, if any, comes through a connection that the death does not close
    const effect = deliver(scene, request, death)
    first.kill()
    return effect
  })
  await scene.clock.advance(STANDBY_AFTER_MS)
  const standby = startOn(scene, 'standby', (request, send) => {
    witness.leaves('standby', request)
    return send()
  })
  await untilConverged(scene)
  if (!killed) return ['was never made']
  // whatever is still on its way arrives
  await scene.clock.advance(60_000)
  standby.kill()
  return [...missing(scene), ...broken(scene), ...needless(scene), ...witness.violationsAtEnd()]
}

async function deliver(scene: Scene, request: HttpRequest, death: Death): Promise<never> {
  const { origin, pathname, search } = new URL(request.url)
  const handler = scene.world.routes[origin]
  if (death === 'with its effect still on the way') await sleep(scene.clock, ON_THE_WAY_MS)
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

function startOn({ world, clock }: Scene, identity: string, gate: Gate): Life {
  const life = createLife({ clock, routes: world.routes, gate })
  const controller = controllerOn({
    world,
    clock: life.clock,
    http: life.http,
    identity,
    // the standby reads the lease as often as it may
    random: () => 0,
    timing: TIMING,
    configYaml: 'tasks: {resources: {every: 1m}}',
  })
  void controller.run(new AbortController().signal)
  return life
}

async function untilConverged(scene: Scene): Promise<void> {
  for (let ms = 0; ms < LONGEST_MS && missing(scene).length > 0; ms += STEP_MS)
    await scene.clock.advance(STEP_MS)
}
