import { setTimeout as sleep } from 'node:timers/promises'
import { startController } from '../lab/controller-process.ts'
import type { ControllerOptions, ControllerProcess } from '../lab/controller-process.ts'
import { eventually } from '../lab/eventually.ts'
import type { How } from './plan.ts'

/** As a Deployment with two replicas keeps them: one that has ended is followed by another at once. */
export class Controllers {
  readonly #options: ControllerOptions
  readonly #running = new Set<ControllerProcess>()
  readonly #kept: Promise<void>[] = []
  readonly #killed = new WeakSet<ControllerProcess>()
  #wanted = true
  /** Those that ended by themselves without an error: they had lost the lease. */
  gaveWay = 0
  /** What those have written that died of an error nobody handled. */
  readonly crashes: string[] = []

  constructor(options: ControllerOptions) {
    this.#options = options
  }

  /** Resolves when one of them leads. */
  async up(): Promise<void> {
    this.#kept.push(this.#keep(), this.#keep())
    await eventually('a controller leads', () => this.#leader())
  }

  /** The leader, if it can be asked who that is. */
  async strike(how: How, downMs: number): Promise<void> {
    const victim = (await this.#leader()) ?? [...this.#running][0]
    if (victim === undefined) return
    if (how === 'killed') {
      this.#killed.add(victim)
      await victim.kill()
      return
    }
    victim.signal('SIGSTOP')
    await sleep(downMs)
    victim.signal('SIGCONT')
  }

  /** What the leader serves; empty while there is none. */
  async metrics(): Promise<string> {
    const leader = await this.#leader()
    return leader === undefined ? '' : (await fetch(leader.metricsUrl)).text()
  }

  async down(): Promise<void> {
    this.#wanted = false
    await Promise.all([...this.#running].map((c) => c.stop()))
    await Promise.all(this.#kept)
  }

  async #keep(): Promise<void> {
    while (this.#wanted) {
      let controller: ControllerProcess
      try {
        controller = await startController(this.#options)
      } catch {
        // without the API server there is no token for it, and none that starts
        await sleep(RETRY_MS)
        continue
      }
      this.#running.add(controller)
      if (!this.#wanted) await controller.stop()
      await controller.ended
      this.#running.delete(controller)
      this.#note(controller)
    }
  }

  #note(controller: ControllerProcess): void {
    if (!this.#wanted || this.#killed.has(controller)) return
    const fatal = controller.lines().find(({ level }) => level === 'fatal')
    if (fatal === undefined) this.gaveWay++
    else this.crashes.push(JSON.stringify(fatal))
  }

  async #leader(): Promise<ControllerProcess | undefined> {
    for (const controller of this.#running) if (await leads(controller)) return controller
    return undefined
  }
}

const RETRY_MS = 500
/** One that is suspended does not answer. */
const ANSWER_MS = 2000

async function leads({ healthUrl }: ControllerProcess): Promise<boolean> {
  try {
    const signal = AbortSignal.timeout(ANSWER_MS)
    const answer = await fetch(`${healthUrl}/readyz`, { signal })
    return answer.ok && (await answer.text()) !== 'standby\n'
  } catch {
    return false
  }
}
