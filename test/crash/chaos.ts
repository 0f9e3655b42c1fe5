import { sleep } from '../../src/clock.ts'
import type { HttpRequest, HttpResponse } from '../../src/http.ts'
import { inProcess } from '../../src/sim/server.ts'
import { controllerOn } from '../harness.ts'
import { createLife, patient } from '../life.ts'
import type { Life } from '../life.ts'
import { seeded } from '../seeded.ts'
import { Witness } from '../simulate/witness.ts'
import type { World } from '../../src/sim/world.ts'
import type { VirtualClock } from '../virtual-clock.ts'

/** As long as the design lets a call be under way, even when its sender has given up. */
const LONGEST_ON_THE_WAY_MS = 25_000
const LONGEST_PAUSE_MS = 60_000
/** Where standing still hurts most: around the intent and the call. */
const DELICATE = /\/action$|volumemigrations\/.*\/status|\/replacement-|persistentvolumes/

/** A world that two controllers are let loose on. */
export type Troubled = {
  readonly clock: VirtualClock
  readonly world: World
  readonly configYaml: string
  /** What must hold at every moment; empty = all well. */
  broken(): readonly string[]
  /** Everybody else's turn. */
  turn?(): Promise<void>
}

/** Two controllers on one world whose calls are delayed, and who stand still, die and return as the seed says. */
export class Chaos {
  readonly #scene: Troubled
  readonly #witness: Witness
  readonly #random: () => number
  readonly #lives = new Set<Life>()
  #calm = false
  #started = 0
  readonly violations: string[] = []

  constructor(scene: Troubled, seed: number) {
    this.#scene = scene
    this.#witness = new Witness(scene.world)
    this.#random = seeded(seed)
  }

  /** Two candidates from the start; one that dies or loses the lease is followed by another. */
  async run(ms: number): Promise<void> {
    const { clock } = this.#scene
    this.#start()
    this.#start()
    const end = clock.monotonic() + ms
    while (clock.monotonic() < end && this.violations.length === 0) {
      await clock.advance(this.#random() * 4000)
      await this.#scene.turn?.()
      this.#disturb()
      this.#check()
    }
  }

  /** No more trouble: all that stand still wake up. */
  async calmDown(until: () => boolean, longestMs: number): Promise<void> {
    const { clock } = this.#scene
    this.#calm = true
    for (const life of this.#lives) life.resume()
    const end = clock.monotonic() + longestMs
    while (clock.monotonic() < end && this.violations.length === 0 && !until()) {
      await clock.advance(5000)
      await this.#scene.turn?.()
      this.#check()
    }
    for (const life of this.#lives) life.kill()
  }

  #start() {
    const { world, clock, configYaml } = this.#scene
    const identity = `process-${++this.#started}`
    const life: Life = createLife({
      clock,
      routes: world.routes,
      gate: (request, send) => {
        this.#witness.leaves(identity, request)
        return request.url.includes('watch=true') ? send() : this.#travel(life, request)
      },
    })
    this.#lives.add(life)
    const controller = controllerOn({
      world,
      clock: life.clock,
      http: life.http,
      identity,
      random: this.#random,
      timing: { backOffMs: 60_000 },
      configYaml,
    })
    controller.run(new AbortController().signal).then(
      () => this.#ended(life),
      (e: unknown) => this.violations.push(`${identity} crashed: ${String(e)}`),
    )
  }

  /** A process that has lost the lease exits, and its pod is started again. */
  #ended(life: Life) {
    life.kill()
    if (this.#lives.delete(life)) this.#start()
  }

  #disturb() {
    if (this.#calm) return
    for (const life of Array.from(this.#lives)) {
      const dice = this.#random()
      if (dice < 0.01) this.#ended(life)
      else if (dice < 0.07) this.#pause(life)
    }
  }

  #pause(life: Life) {
    const { clock } = this.#scene
    const ms = this.#random() * LONGEST_PAUSE_MS
    life.pause(this.#random() < 0.5 ? 'stopped' : 'asleep')
    clock.setTimer(ms, () => life.resume())
  }

  #delayMs(): number {
    const dice = this.#calm ? 0 : this.#random()
    if (dice < 0.6) return 0
    return this.#random() * (dice < 0.93 ? 2000 : LONGEST_ON_THE_WAY_MS)
  }

  /** The request goes its way whatever becomes of its sender; the sender waits as long as it wants to. */
  #travel(life: Life, request: HttpRequest): Promise<HttpResponse> {
    const { clock, world } = this.#scene
    const { signal: _signal, timeoutMs: _timeout, ...bare } = request
    if (!this.#calm && DELICATE.test(request.url) && this.#random() < 0.3) this.#pause(life)
    const there = this.#delayMs()
    const back = this.#delayMs()
    const journey = async () => {
      if (there > 0) await sleep(clock, there)
      const answer = await inProcess(world.routes).request(bare)
      if (back > 0) await sleep(clock, back)
      return answer
    }
    return patient(journey(), request, life.clock)
  }

  #check() {
    this.violations.push(...this.#scene.broken(), ...this.#witness.violations())
  }
}
