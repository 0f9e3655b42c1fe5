import { DEFAULT_LAG_SECONDS } from '../../src/activity/prometheus/config.ts'
import type { Scraped } from './cycle-process.ts'
import type { FleetOptions } from './fleet.ts'
import * as measure from './measures.ts'
import type { Simulators } from './measures.ts'
import { startPart } from './messages.ts'
import type { Part } from './messages.ts'
import type { Blocks, Memory } from './probe.ts'
import { percentile } from './table.ts'

const WINDOW_MS = 30 * 60_000
/** Where a jump stops short of a window's end; sweeps are further apart. */
const BEFORE_MS = 120_000

/** One window with its pass, its checkpoint and its status. */
export type Cycle = {
  /** Of the pass. */
  readonly seconds: number
  /** Of it, the time the simulated Prometheus was busy. */
  readonly prometheus: number
  /** Processor time of the controller, seconds, checkpoint and status included. */
  readonly cpu: number
  /** Longest block of the event loop, ms. */
  readonly blockMs: number
  /** After it. */
  readonly anonymousMB: number
  readonly rssMB: number
}

export type Scrapes = { readonly own: Scraped; readonly volumes: Scraped }

/** The compiled controller with a clock that jumps, and what is loaded before it to inspect its process. */
export type CycleCode = { readonly program: string; readonly probe: string }

/** A controller on a simulated fleet of its own, taken from window to window. */
export class CycleRunner {
  readonly #sim: Simulators
  readonly #part: Part

  private constructor(sim: Simulators, part: Part) {
    this.#sim = sim
    this.#part = part
  }

  /** Returns after the first cycles, which run code that was never run before. */
  static async start(
    fleet: FleetOptions,
    { program, probe }: CycleCode,
    execArgv: readonly string[] = [],
  ): Promise<CycleRunner> {
    const sim = await measure.simulators(fleet)
    const part = startPart(program, [], {
      execArgv: ['--import', probe, ...execArgv],
      env: { ...process.env, ...measure.AS_DEPLOYED },
    })
    const runner = new CycleRunner(sim, part)
    await part.ask('start', sim.urls)
    await measure.worked(sim)
    for (let i = 0; i < WARM_CYCLES; i++) await runner.cycle()
    return runner
  }

  /** The longest pass after the jump is the one with the window. */
  async cycle(): Promise<Cycle> {
    const [sim, part] = [this.#sim, this.#part]
    await this.#jump(untilWindow(await part.ask<number>('now')) - BEFORE_MS)
    await part.ask('takePasses')
    await sim.part.ask('prometheusMs')
    await part.ask<Blocks>('blocks')
    const cpu = await part.ask<number>('cpu')
    await this.#jump(BEFORE_MS + 1000)
    const used = (await part.ask<number>('cpu')) - cpu
    const passes = await part.ask<number[]>('takePasses')
    if (passes.length === 0) throw new Error('no pass followed the end of a window')
    const { anonymousMB, rssMB } = await part.ask<Memory>('memory')
    return {
      seconds: Math.max(...passes),
      prometheus: (await sim.part.ask<number>('prometheusMs')) / 1000,
      cpu: used / 1000,
      blockMs: (await part.ask<Blocks>('blocks')).cpuMs,
      anonymousMB,
      rssMB,
    }
  }

  /** Of /metrics, and what the series per volume add to it. */
  scrapes(): Promise<Scrapes> {
    return this.#part.ask<Scrapes>('scrapes')
  }

  async end(): Promise<void> {
    await this.#part.end()
    await this.#sim.part.end()
  }

  /** Sweeps of Cinder that fell due on the way are done before the window ends: one process plays all services. */
  async #jump(ms: number): Promise<void> {
    if (ms <= 0) return
    await this.#sim.part.ask('step', ms)
    await this.#part.ask('jump', ms)
    await measure.settled(this.#sim)
  }
}

const WARM_CYCLES = 2

/** Until the next window can be asked. */
function untilWindow(now: number): number {
  return WINDOW_MS - ((now - DEFAULT_LAG_SECONDS * 1000) % WINDOW_MS)
}

export function median(cycles: readonly Cycle[], key: keyof Cycle): number {
  return percentile(
    cycles.map((c) => c[key]),
    50,
  )
}

export function least(cycles: readonly Cycle[], key: keyof Cycle): number {
  return Math.min(...cycles.map((c) => c[key]))
}
