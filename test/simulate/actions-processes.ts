import type { HttpRequest } from '../../src/http.ts'
import type { Life, Pause } from '../life.ts'
import type { Dice } from '../seeded.ts'
import { full } from '../audit-lines.ts'
import { isCall } from './episodes.ts'
import { NETWORK_FAULTS } from './faults.ts'
import { force } from './actions-claims.ts'
import { AUDIT } from './names.ts'
import type { Moment, Universe } from './universe.ts'

// What happens to the processes of the product, and to the API server's.

const MINUTE = 60_000
/** The mood in which that fault answers 403. */
const FORBIDDEN = 0.2

export function killReplica(universe: Universe, dice: Dice): void {
  const replica = dice.pick(Array.from(universe.replicas))
  if (replica !== undefined) universe.kill(replica)
}

export function pauseReplica(universe: Universe, dice: Dice): void {
  const replica = dice.pick(Array.from(universe.replicas))
  if (replica === undefined) return
  replica.life.pause(dice.one(['stopped', 'asleep']))
  universe.clock.setTimer(dice.between(1000, 2 * MINUTE), () => replica.life.resume())
}

/** Between the intent of a move and what follows from the answer to its call, long enough for another to take over. */
export function hangInMidMove({ moments, clock }: Universe, dice: Dice): void {
  const how = dice.one<Pause>(['stopped', 'asleep'])
  const ms = dice.between(MINUTE / 3, 2 * MINUTE)
  const isLast = dice.one([isIntent, isLook, isCall])
  let mover: Life | undefined
  const moment: Moment = (life, request) => {
    if (isIntent(request)) mover ??= life
    if (life !== mover || !isLast(request)) return
    moments.delete(moment)
    life.pause(how)
    clock.setTimer(ms, () => life.resume())
  }
  moments.add(moment)
}

function isIntent({ method, body }: HttpRequest): boolean {
  return method === 'PATCH' && body?.includes('"Requested"') === true
}

function isLook({ method, url }: HttpRequest): boolean {
  return method === 'GET' && /\/volumes\/[0-9a-f-]{36}$/.test(url)
}

export function stopReplica(universe: Universe, dice: Dice): void {
  dice.pick(Array.from(universe.replicas))?.stopping.abort()
}

/** Down, then up and without the roles, which it reads after it has begun to answer. */
export function restartServer({ world, clock, episodes }: Universe, dice: Dice): void {
  const down = NETWORK_FAULTS.find((f) => f.name === 'refused')
  const forbids = NETWORK_FAULTS.find((f) => f.name === 'service gives one refusal')
  if (down === undefined || forbids === undefined) return
  const upMs = clock.monotonic() + dice.between(5, 40) * 1000
  const struck = { rate: 1, service: 'kube', dice, mood: FORBIDDEN, replica: undefined } as const
  episodes.add({ ...struck, fault: { ...down, watches: true }, untilMs: upMs })
  episodes.add({ ...struck, fault: forbids, untilMs: upMs + dice.between(1, 8) * 1000 })
  world.api.cutWatches('reset')
}

/** At once, or between the next intent and its call; somebody wants a volume moved meanwhile, mostly. */
export async function fillDisk(universe: Universe, dice: Dice): Promise<void> {
  const { audit, undo, clock, moments } = universe
  const ms = dice.between(1, 40) * MINUTE
  const fill = () => {
    audit.before = full
    undo.set(AUDIT, () => {
      audit.before = () => {}
      undo.delete(AUDIT)
    })
    clock.setTimer(ms, () => undo.get(AUDIT)?.())
  }
  const moment: Moment = (_, request) => {
    if (!isIntent(request)) return
    moments.delete(moment)
    fill()
  }
  if (dice.chance(0.5)) moments.add(moment)
  else fill()
  if (dice.chance(0.7)) await force(universe, dice)
}
