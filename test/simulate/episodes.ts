import type { HttpRequest } from '../../src/http.ts'
import { WORLD_ORIGINS } from '../../src/sim/world.ts'
import type { Dice } from '../seeded.ts'
import type { NetworkFault, Service } from './faults.ts'

export type Episode = {
  readonly fault: NetworkFault
  readonly rate: number
  /** undefined = all services the fault can strike. */
  readonly service: Service | undefined
  readonly dice: Dice
  readonly mood: number
  readonly untilMs: number
  /** The one replica whose network it is; undefined = everybody's. */
  readonly replica: string | undefined
}

export function strikes(
  { fault, service, rate, dice, replica }: Episode,
  from: string,
  to: Service,
  request: HttpRequest,
) {
  if (replica !== undefined && replica !== from) return false
  if (service !== undefined && service !== to) return false
  if (fault.services !== undefined && !fault.services.includes(to)) return false
  const isRead = request.method === 'GET' || to === 'prometheus'
  if (fault.only === 'reads' && !isRead) return false
  if (fault.only === 'writes' && isRead) return false
  return dice.chance(rate)
}

export function serviceOf({ url }: HttpRequest): Service {
  if (url.startsWith(WORLD_ORIGINS.kube)) return 'kube'
  if (url.startsWith(WORLD_ORIGINS.identity)) return 'keystone'
  if (url.startsWith(WORLD_ORIGINS.volume)) return 'cinder'
  return 'prometheus'
}

export function isCall({ body }: HttpRequest): boolean {
  return body?.includes('os-retype') === true
}
