import type { SimResponse } from '../../src/sim/handler.ts'
import type { Dice } from '../seeded.ts'
import type { Action } from './actions.ts'
import type { Universe } from './universe.ts'

/** What goes wrong for one kind of question only, and stays so for long. */
export const CLOUD_ACTIONS: readonly Action[] = [
  { name: 'Cinder refuses one kind of read', weight: 3, run: refuseRead },
  { name: 'one volume cannot be read', weight: 2, run: refuseVolume },
  { name: 'Cinder limits retypes', weight: 2, run: limitRetypes },
  { name: 'Cinder is well again', weight: 2, run: ({ undo }) => healed(undo) },
  { name: 'old samples cannot be read', weight: 1, run: loseHistory },
  { name: 'a volume is not measured', weight: 2, run: loseSamples },
  { name: 'a status cannot be written', weight: 1, run: refuseStatus },
]

const CINDER = 'cinder '

const READS = [
  /\/snapshots\/detail/,
  /\/os-quota-sets\//,
  /\/os-availability-zone/,
  /\/types(\?|$)/,
  /\/volumes\/detail/,
  /\/volumes\/[0-9a-f-]{36}(\?|$)/,
] as const

function refuseRead(universe: Universe, dice: Dice): void {
  const path = dice.one(READS)
  const answer = oddAnswer(dice)
  universe.undo.get(CINDER + path.source)?.()
  const { seams } = universe.world.cloud
  const undo = seams.addFault({
    service: 'cinder',
    method: 'GET',
    path,
    times: Infinity,
    action: { kind: 'answer', answer },
  })
  universe.undo.set(CINDER + path.source, undo)
}

function refuseVolume(universe: Universe, dice: Dice): void {
  const claim = dice.pick(universe.cluster.living)
  const answer = oddAnswer(dice)
  if (claim === undefined) return
  const { seams } = universe.world.cloud
  const undo = seams.addFault({
    service: 'cinder',
    method: 'GET',
    path: new RegExp(`/volumes/${claim.volumeId}`),
    times: Infinity,
    action: { kind: 'answer', answer },
  })
  universe.undo.set(CINDER + claim.volumeId, undo)
}

/** Takes every lasting refusal of Cinder away. */
export function healed(undo: Map<string, () => void>): void {
  for (const [key, take] of undo)
    if (key.startsWith(CINDER)) {
      take()
      undo.delete(key)
    }
}

function oddAnswer(dice: Dice): SimResponse {
  const status = dice.one([401, 403, 403, 404, 406, 429, 500])
  if (dice.chance(0.4))
    return {
      status,
      headers: { 'content-type': 'text/html', ...(status === 429 ? { 'retry-after': '60' } : {}) },
      body: `<html><body><h1>${status}</h1></body></html>`,
    }
  const message = `Policy doesn't allow it to be performed. (req-${dice.int(1e9)})`
  return {
    // what is there is never said to be gone in Cinder's own words
    status: status === 404 ? 403 : status,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ forbidden: { code: status === 404 ? 403 : status, message } }),
  }
}

/** The next calls are refused for their rate, by Cinder itself or a limiter before it; some ask for minutes. */
function limitRetypes({ world }: Universe, dice: Dice): void {
  const code = dice.one([413, 429])
  const retryAfter = dice.one(['5', '120', '240'])
  world.cloud.seams.addFault({
    service: 'cinder',
    method: 'POST',
    body: /os-retype/,
    times: 1 + dice.int(4),
    action: {
      kind: 'answer',
      answer: {
        status: code,
        headers: { 'content-type': 'application/json', 'retry-after': retryAfter },
        body: JSON.stringify({
          overLimitFault: { code, message: 'This request was rate-limited.' },
        }),
      },
    },
  })
}

function loseHistory(universe: Universe, dice: Dice): void {
  universe.historyMs = dice.one([120, 30]) * 3_600_000
}

function loseSamples(universe: Universe, dice: Dice): void {
  const claim = dice.pick(universe.cluster.living)
  claim?.lose(dice.chance(0.7))
}

/** Policies or checkpoints that an admission webhook does not let through for a while. */
function refuseStatus(universe: Universe, dice: Dice): void {
  const resource = dice.one(['storagepolicies', 'tieringcheckpoints'])
  const code = dice.one([403, 413, 422, 500])
  const undo = universe.world.api.fail({
    match: (r) =>
      r.verb !== 'list' && r.verb !== 'watch' && r.verb !== 'get' && r.resource === resource,
    fault: { kind: 'status', code, message: 'admission webhook denied the request' },
    times: Infinity,
  })
  universe.refusals.add(resource)
  universe.clock.setTimer(dice.between(5, 45) * 60_000, () => {
    undo()
    universe.refusals.delete(resource)
  })
}
