import type { VolumeMigration } from '../../api/volume-migration.ts'
import { isInFlight } from '../../api/volume-migration.ts'
import { DEFAULT_TIMING } from '../../controller/deps.ts'
import { savingPerMonth } from './bill.ts'
import { bar } from './screen.ts'
import type { Screen, Tone } from './screen.ts'
import type { Actor, Stage } from './stage.ts'
import { lasting, money } from './text.ts'
import { claimEvents, migrations, movesOf, policies, shareDone } from './views.ts'
import type { ClaimEvent } from './views.ts'

/** Moves of that size or more are worth a line when they are half done. */
const LARGE_GIB = 300

/** Reports what the controllers do, from what they write into the API server: events and VolumeMigrations. */
export class Narrator {
  readonly #stage: Stage
  readonly #screen: Screen
  readonly #time: () => string
  readonly #reported = new Set<string>()
  readonly #lastMessage = new Map<string, string>()
  #backingOff = false

  constructor(parts: { stage: Stage; screen: Screen; time: () => string }) {
    this.#stage = parts.stage
    this.#screen = parts.screen
    this.#time = parts.time
  }

  /** Reports what is new. `now` is the time of the day in ms. */
  tick(now: number): void {
    for (const event of claimEvents(this.#stage)) {
      if (this.#reported.has(event.uid)) continue
      this.#reported.add(event.uid)
      this.#event(event)
    }
    this.#reportHalf(now)
    this.#reportBackOff()
  }

  say(label: string, tone: Tone, text: string, more?: string): void {
    this.#screen.line(this.#time(), label, tone, text, more)
  }

  #event(event: ClaimEvent): void {
    const actor = this.#stage.actors.find((a) => a.key === event.key)
    if (actor === undefined) return
    switch (event.reason) {
      case 'MigrationPlanned':
        return this.#planned(actor, event)
      case 'MigrationSucceeded':
        return this.#succeeded(actor)
      case 'MigrationReverted':
        return this.say('reverted', 'bad', actor.key, withoutRoute(event.message))
      case 'MigrationBlocked':
        return this.#blocked(actor, event)
      case 'MigrationStarted':
      case 'MigrationAdopted':
      case 'RestoreNeedsClass':
        return undefined
      default:
        return this.say(
          event.type === 'Warning' ? 'warning' : 'event',
          'bad',
          actor.key,
          event.message,
        )
    }
  }

  #planned(actor: Actor, event: ClaimEvent): void {
    const [, from = '', to = ''] = /^(\S+) to (\S+):/.exec(event.message) ?? []
    const again = movesOf(this.#stage, actor.key).length > 1
    this.say(
      again ? 'retries' : 'decides',
      'strong',
      `${actor.key}  ${from} > ${to}  ${worth(actor, from, to)}`,
      withoutRoute(event.message),
    )
  }

  #succeeded(actor: Actor): void {
    const m = movesOf(this.#stage, actor.key).at(-1)
    const { startedAt = '', completedAt = '' } = m?.status ?? {}
    const took = lasting(Date.parse(completedAt) - Date.parse(startedAt))
    const route = `${m?.spec.from} > ${m?.spec.to}`
    this.say('moved', 'good', `${actor.key}  ${route}  ${actor.sizeGiB} GiB in ${took}`)
  }

  #blocked(actor: Actor, event: ClaimEvent): void {
    const [what = '', waysOut] = withoutRoute(event.message).split('. To move it attached: ')
    if (this.#lastMessage.get(actor.key) === what) return
    this.#lastMessage.set(actor.key, what)
    const hint = waysOut === undefined ? '' : '. The event names three other ways out.'
    this.say('blocked', 'bad', actor.key, `${what}${hint}`)
  }

  #reportHalf(now: number): void {
    for (const m of migrations(this.#stage)) {
      const share = shareDone(m, now)
      const mark = `half ${m.metadata.uid}`
      if (!isInFlight(m) || share === undefined || share < 0.5 || this.#reported.has(mark)) continue
      this.#reported.add(mark)
      if ((m.status?.sizeGiB ?? 0) < LARGE_GIB || this.#screen.live) continue
      const key = `${m.metadata.namespace}/${m.spec.claim.name}`
      this.say('copies', 'quiet', `${key}  [${bar(share, 20, false)}] ${progressText(m, now)}`)
    }
  }

  #reportBackOff(): void {
    const staying = policies(this.#stage).flatMap((p) => p.status?.staying ?? [])
    const count = staying.find((s) => s.reason === 'BackingOff')?.claims ?? 0
    if (count > 0 && !this.#backingOff)
      this.say(
        'waits',
        'plain',
        `the policy counts ${count} claim as BackingOff: left alone for ${lasting(DEFAULT_TIMING.backOffMs)}`,
      )
    this.#backingOff = count > 0
  }
}

/** `47 %, about 58 min left`; Cinder reports no progress, so it is the controller's estimate from earlier moves. */
export function progressText(m: VolumeMigration, now: number): string {
  const share = shareDone(m, now)
  const { startedAt = '', estimatedEnd = '' } = m.status ?? {}
  if (share === undefined) return `${lasting(now - Date.parse(startedAt))} so far`
  const left = Date.parse(estimatedEnd) - now
  return `${Math.round(share * 100)} %, ${left > 0 ? `about ${lasting(left)} left` : 'any moment now'}`
}

function worth(actor: Actor, from: string, to: string): string {
  const saving = savingPerMonth(actor.sizeGiB, from, to)
  return saving >= 0 ? `saves ${money(saving)} a month` : `buys speed for ${money(-saving)} a month`
}

function withoutRoute(message: string): string {
  return message.replace(/^\S+ to \S+: /, '')
}
