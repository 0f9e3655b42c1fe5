import { sleep } from '../../clock.ts'
import type { Clock } from '../../clock.ts'
import { createHttpClient } from '../../http.ts'
import { createKubeClient } from '../../kube/client.ts'
import { STORAGE_POLICY } from '../../kube/resources.ts'
import type { KubeClient } from '../../kube/types.ts'
import { silentLog } from '../../log.ts'
import { serve } from '../../sim/server.ts'
import { Bill } from './bill.ts'
import { checks, Contents } from './checks.ts'
import { createDayClock } from './day-clock.ts'
import type { DayClock } from './day-clock.ts'
import { footer } from './footer.ts'
import { readingText, printHeader, printReading } from './header.ts'
import { inside } from './inside.ts'
import { Narrator } from './narrator.ts'
import { POLICIES } from './policies.ts'
import { Replicas } from './replicas.ts'
import { Scenes } from './scenes.ts'
import { Screen } from './screen.ts'
import type { Output } from './screen.ts'
import { openStage } from './stage.ts'
import type { Stage } from './stage.ts'
import { printSummary } from './summary.ts'
import { timeOfDay } from './text.ts'
import { remembered } from './views.ts'

export type DemoParts = {
  /** Real time. */
  readonly clock: Clock
  /** [0, 1). */
  readonly random: () => number
  readonly uuid: () => string
  readonly out: Output
  readonly signal: AbortSignal
  readonly options: {
    /** End after the day. */
    readonly once: boolean
    /** Days per minute. */
    readonly speed: number
    /** Of the API server. */
    readonly port: number | undefined
  }
}

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000
const TICK_MS = 100
/** One day per minute. */
const RATE = DAY_MS / 60_000
/** So long before now that kubectl shows ages, even after days of running. */
const DAYS_BACK = 7
/** The day may last a little longer when a scene is late. */
const LATEST_HOUR = 30

/**
 * Plays a day of a fleet against the real controller and reports what happens. Resolves to the exit code: 1 when a promise
 * was not kept. Throws `UserError` when the port is taken.
 */
export async function runDemo(parts: DemoParts): Promise<number> {
  const dayStart = (Math.floor(parts.clock.now() / DAY_MS) - DAYS_BACK) * DAY_MS
  const day = createDayClock(parts.clock, dayStart)
  const stage = await openStage({ day, dayStart, clock: parts.clock, port: parts.options.port })
  const screen = new Screen(parts.out)
  const replicas = new Replicas({ ...parts, stage, day })
  const metrics = await serve(inside(replicas))
  const http = createHttpClient()
  const kube = clientFor(parts, stage, http)
  try {
    printHeader(screen, stage, metrics.url, parts.options.speed)
    for (const policy of POLICIES) await kube.create(STORAGE_POLICY, policy)
    const play = new Play({ parts, day, dayStart, stage, screen, replicas, kube })
    return await play.run()
  } finally {
    screen.end()
    // a leader that stops saves its steps in the time of the day
    day.setRate(RATE)
    await replicas.stop()
    day.end()
    await Promise.all([http.close(), metrics.close(), stage.close()])
  }
}

type PlayParts = {
  readonly parts: DemoParts
  readonly day: DayClock
  readonly dayStart: number
  readonly stage: Stage
  readonly screen: Screen
  readonly replicas: Replicas
  readonly kube: KubeClient
}

/** The day itself. */
class Play {
  readonly #p: PlayParts
  readonly #bill: Bill
  readonly #contents: Contents
  readonly #narrator: Narrator
  readonly #scenes: Scenes

  constructor(p: PlayParts) {
    this.#p = p
    this.#bill = new Bill(p.stage)
    this.#contents = new Contents(p.stage)
    this.#narrator = new Narrator({
      stage: p.stage,
      screen: p.screen,
      time: () => timeOfDay(this.#hour),
    })
    this.#scenes = new Scenes({
      stage: p.stage,
      replicas: p.replicas,
      narrator: this.#narrator,
      kube: p.kube,
      monotonic: () => p.parts.clock.monotonic(),
    })
  }

  async run(): Promise<number> {
    const { parts, screen, stage } = this.#p
    this.#scenes.prepare()
    if (!(await this.#readHistory())) return 0
    await this.#until((hour) => hour >= 24 && (this.#allWell() || hour >= LATEST_HOUR))
    if (parts.signal.aborted) return 0
    const results = checks(stage, this.#contents)
    printSummary(screen, stage, this.#bill, results)
    if (!parts.options.once) {
      screen.text('', '  The days go on; inspect it from another terminal, or end with Ctrl-C.', '')
      await this.#until(() => false)
    }
    return results.some((r) => r.wrong.length > 0) ? 1 : 0
  }

  get #hour(): number {
    return (this.#p.day.now() - this.#p.dayStart) / HOUR_MS
  }

  #allWell(): boolean {
    return checks(this.#p.stage, this.#contents).every((c) => c.wrong.length === 0)
  }

  /** The day stands still meanwhile. False when it was interrupted. */
  async #readHistory(): Promise<boolean> {
    const { parts, replicas, stage, screen } = this.#p
    const began = parts.clock.monotonic()
    replicas.start()
    while (remembered(stage) < POLICIES.length) {
      screen.draw(readingText(stage))
      await sleep(parts.clock, TICK_MS, parts.signal)
      if (parts.signal.aborted) return false
    }
    replicas.start()
    printReading(screen, stage, (parts.clock.monotonic() - began) / 1000)
    return true
  }

  async #until(done: (hour: number) => boolean): Promise<void> {
    const { parts, day, stage, screen } = this.#p
    let written = Math.floor(this.#hour)
    while (!parts.signal.aborted && !done(this.#hour)) {
      // a lease expires in real time, whatever the speed of the day
      day.setRate(
        RATE * (this.#scenes.leaderless ? Math.min(1, parts.options.speed) : parts.options.speed),
      )
      await sleep(parts.clock, TICK_MS, parts.signal)
      const hour = this.#hour
      if (Math.floor(hour) > written) {
        written = Math.floor(hour)
        this.#contents.write()
        this.#bill.note(written - 1)
      }
      this.#narrator.tick(day.now())
      await this.#scenes.tick(day.now(), hour)
      screen.draw(footer(stage, this.#bill, day.now(), hour))
    }
  }
}

function clientFor(
  { clock, random }: DemoParts,
  stage: Stage,
  http: ReturnType<typeof createHttpClient>,
): KubeClient {
  return createKubeClient({
    http,
    server: stage.urls.kube,
    authorization: () => Promise.resolve(undefined),
    clock,
    random,
    log: silentLog,
  })
}
