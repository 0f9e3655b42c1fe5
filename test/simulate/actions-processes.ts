import type { HttpRequest } from '../../src/http.ts'
import type { Life, Pause } from '../life.ts'
import type { Dice } from '../seeded.ts'
import { isCall } from './episodes.ts'
import type { Moment, Universe } from './universe.ts'

// What happens to the processes of the product.

const MINUTE = 60_000

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
