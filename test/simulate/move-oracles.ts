import { isFinished } from '../../src/api/volume-migration.ts'
import type { HttpRequest } from '../../src/http.ts'
import type { ClaimTruth } from './cluster.ts'
import type { Retype } from './monitor.ts'
import type { Oracle } from './oracles.ts'
import { STATUS_OF_MOVE } from './oracles-truth.ts'
import { policyOf, unforcedFor } from './permission.ts'
import type { Universe } from './universe.ts'

const HEARD_MS = 300_000
/** A call may be under way for as long as this, whatever its sender saw. */
const UNDER_WAY_MS = 19_000
/** A volume that has come to rest is read far more often than this. */
const NOTICED_MS = 1_800_000
/** Of time that is given in minutes and of clocks that differ. */
const TOLERANCE_MS = 120_000

/** Between two reads that agree. */
const READ_AGAIN_MS = 3000
/** What was attached just now may cross a call that is on its way. */
const ATTACHED_MS = 60_000
/** The first minor of Cinder's microversion that proves a release which keeps the data of attached volumes. */
const SAFE_MINOR = 71

export const MOVE_ARRIVALS: readonly Oracle<[Retype]>[] = [
  { name: 'a move is for the claim that was there', check: sameClaim },
  { name: 'a move that is being deleted starts nothing', check: notDeleted },
  { name: 'who is not forced is not moved by force', check: forced },
  { name: 'a namespace and a pool keep their limits', check: withinLimits },
  { name: 'a tier holds what it may', check: withinCapacity },
  { name: 'a claim that was moved cools down', check: cooledDown },
  { name: 'a move that nobody can read keeps its volume where it is', check: noneBroken },
  { name: 'an attached volume moves only where its data is safe', check: attachedSafe },
  { name: 'a quota is not overrun', check: withinQuota },
  { name: 'no call without access to both types', check: bothVisible },
]

export const MOVE_DEPARTURES: readonly Oracle<[identity: string, HttpRequest]>[] = [
  { name: 'no second call while one may be under way', check: oneUnderWay },
  { name: 'who is asked to come later comes later', check: comesLater },
  { name: 'success is what two reads have shown', check: readTwice },
]

export const MOVE_CONSTANTS: readonly Oracle<[]>[] = [
  { name: 'what has finished has finished', check: finishedIsFinished },
  { name: 'what has ended is reported', check: endIsReported },
  { name: 'what is past its deadline is stuck', check: lateIsStuck },
  { name: 'a pause that was asked for is no failure', check: tooManyAtOnce },
]

/** Where quotas cannot be read Cinder refuses by itself: a credential that may not read them goes on without. */
function withinQuota(universe: Universe, retype: Retype): string[] {
  const isRefused = [...universe.undo.keys()].some((key) => key.includes('os-quota-sets'))
  if (isRefused || universe.monitor.quotas.isDisturbed(universe)) return []
  return [universe.monitor.quotas.overrun(universe, retype) ?? []].flat()
}

/** A volume whose type was hidden long ago would stay in retyping for ever. */
function bothVisible(universe: Universe, { volumeId, toType }: Retype): string[] {
  const { seams } = universe.world.cloud
  const from = seams.volume(volumeId)?.typeId ?? toType
  return [from, toType]
    .map((id) => seams.volumeType(id))
    .filter((t) => universe.types.hiddenMs(t) > HEARD_MS)
    .map((t) => `volume ${volumeId} was sent though the project may not use ${t.name}`)
}

function sameClaim({ monitor }: Universe, { claim, move }: Retype): string[] {
  const uid = monitor.memory.acceptedFor.get(move?.metadata.uid ?? '')
  if (claim === undefined || move === undefined || uid === undefined || uid === claim.uid) return []
  return [`${move.metadata.name} was accepted for another claim than the present ${claim.key}`]
}

function notDeleted(universe: Universe, { move }: Retype): string[] {
  const since = universe.monitor.forbiddenSince.get(`${move?.metadata.uid} is being deleted`)
  if (since === undefined || universe.clock.monotonic() - since < HEARD_MS) return []
  return [`${move?.metadata.name} was deleted long before`]
}

function forced(universe: Universe, { claim, move }: Retype): string[] {
  if (claim === undefined || move?.spec.reason !== 'Forced') return []
  const now = universe.clock.monotonic()
  const { forbiddenSince } = universe.monitor
  return unforcedFor(universe, claim)
    .filter((why) => now - (forbiddenSince.get(`${claim.uid} ${why}`) ?? now) > HEARD_MS)
    .map((why) => `${claim.key} was moved by force although ${why}`)
}

function withinLimits(universe: Universe, retype: Retype): string[] {
  const { claim } = retype
  const policy = policyFor(universe, retype)
  if (claim === undefined || policy === undefined || universe.limitLoweredLately()) return []
  const running = universe.cluster.living.filter(
    (c) =>
      c !== claim &&
      universe.cluster.volume(c)?.status === 'retyping' &&
      isOf(universe, c, policy.metadata.name),
  )
  const { perNamespace = [], perPool = [] } = policy.spec.limits ?? {}
  const there = perNamespace.find((l) => l.namespace === claim.namespace)
  const beside = running.filter((c) => c.namespace === claim.namespace).length
  const name = policy.metadata.name
  const broken = perPool.filter(({ pool, maxConcurrent }) => {
    const mine = touches(universe, claim.volumeId, pool, retype.toType)
    return (
      mine && running.filter((c) => touches(universe, c.volumeId, pool)).length >= maxConcurrent
    )
  })
  return [
    ...(there !== undefined && beside >= there.maxConcurrent
      ? [`${claim.key} started beside ${beside} in its namespace (${name})`]
      : []),
    ...broken.map((l) => `${claim.key} started beyond the limit of pool ${l.pool} (${name})`),
  ]
}

/** Managed by the policy now, and when its move was started; one that is called Stuck holds no place. */
export function isOf(universe: Universe, claim: ClaimTruth, policy: string): boolean {
  const call = universe.monitor.memory.calls.get(claim.volumeId)
  const stuck = universe
    .moves()
    .some((m) => m.status?.step === 'Stuck' && m.status.volumeId === claim.volumeId)
  return !stuck && call?.policy === policy && universe.policyNameOf(claim) === policy
}

/** A running move uses the pool that it leaves and the one that it goes to. */
function touches(universe: Universe, volumeId: string, pool: string, toType?: string): boolean {
  const { seams } = universe.world.cloud
  const { id, name } = universe.types.of(pool)
  const to = toType ?? universe.monitor.memory.calls.get(volumeId)?.typeId
  return seams.volume(volumeId)?.typeId === id || to === id || to === name
}

function withinCapacity(universe: Universe, retype: Retype): string[] {
  const { claim, toType } = retype
  const policy = policyFor(universe, retype)
  if (claim === undefined || policy === undefined || universe.limitLoweredLately()) return []
  return policy.spec.tiers.flatMap(({ name, capacity }) => {
    const type = universe.types.of(name)
    if (capacity?.maxGiB === undefined || ![type.id, type.name].includes(toType)) return []
    const most = capacity.maxGiB * (1 - (capacity.headroomPercent ?? 10) / 100)
    const held = universe.cluster.living
      .filter((c) => c === claim || settledOn(universe, c.volumeId, type.id))
      .reduce((sum, c) => sum + (universe.cluster.volume(c)?.sizeGiB ?? 0), 0)
    return held <= most ? [] : [`${claim.key} makes ${held} of ${most} GiB on ${name}`]
  })
}

/** Long enough that every reader knows. */
function settledOn({ world, monitor, clock }: Universe, volumeId: string, typeId: string): boolean {
  const volume = world.cloud.seams.volume(volumeId)
  const changed = monitor.memory.changedAt(volumeId)
  return volume?.typeId === typeId && clock.monotonic() - changed > 2 * HEARD_MS
}

function cooledDown(universe: Universe, retype: Retype): string[] {
  const { claim, move, volumeId } = retype
  const policy = policyFor(universe, retype)
  const movedAt = universe.monitor.memory.movedAt.get(volumeId)
  if (claim === undefined || move?.spec.reason !== 'Policy' || movedAt === undefined) return []
  // clocks that were set, and cooldowns that were changed, have their own tests
  if (policy === undefined || universe.jumps > 0 || universe.limitLoweredLately()) return []
  const ms = durationMs(policy.spec.migration?.cooldownPeriod ?? '24h')
  const passed = universe.clock.monotonic() - movedAt
  return passed + TOLERANCE_MS >= ms
    ? []
    : [`${claim.key} was moved ${Math.round(passed / 60_000)} min after its last move`]
}

/** No type of the simulation has an extra spec, and no policy allows what is not proven. */
function attachedSafe(universe: Universe, { claim, volumeId }: Retype): string[] {
  const { monitor, clock, setup } = universe
  const since = monitor.memory.usedSince.get(volumeId) ?? Infinity
  return setup.maxMinor < SAFE_MINOR && clock.monotonic() - since > ATTACHED_MS
    ? [`${claim?.key} was moved while in use, by Cinder 3.${setup.maxMinor}`]
    : []
}

/** One of which an intent is saved may run in Cinder, however little of it can be read. */
function noneBroken(universe: Universe, { volumeId, claim, move }: Retype): string[] {
  const now = universe.clock.monotonic()
  return universe
    .moves()
    .filter((m) => m.status?.volumeId === volumeId && m.status.intent !== undefined)
    .filter((m) => {
      const since = universe.monitor.memory.brokenSince.get(m.metadata.uid ?? '') ?? now
      return !isFinished(m) && now - since > HEARD_MS
    })
    .map((m) => `${claim?.key} was moved by ${move?.metadata.name} beside ${m.metadata.name}`)
}

function durationMs(text: string): number {
  const [, amount, unit] = /^(\d+)(m|h)$/.exec(text) ?? []
  return Number(amount) * (unit === 'h' ? 3_600_000 : 60_000)
}

function policyFor(universe: Universe, { claim }: Retype) {
  const object = claim && universe.cluster.claimObject(claim)
  if (object === undefined) return undefined
  const { annotations = {}, labels = {}, namespace = '' } = object.metadata
  return policyOf(universe.policies(), annotations['couchestor.io/policy'], labels, namespace)
}

function oneUnderWay(universe: Universe, _: string, request: HttpRequest): string[] {
  const { monitor, clock, world } = universe
  const [, volumeId] = /\/volumes\/([^/]+)\/action$/.exec(request.url) ?? []
  if (volumeId === undefined || request.body?.includes('os-retype') !== true) return []
  const last = monitor.memory.sent.get(volumeId) ?? -Infinity
  const now = clock.monotonic()
  monitor.memory.sent.set(volumeId, now)
  // what it began has ended as well: the next move may begin
  const isOver =
    monitor.memory.accepted.delete(volumeId) &&
    world.cloud.seams.volume(volumeId)?.status !== 'retyping'
  return isOver || now - last > UNDER_WAY_MS
    ? []
    : [`two calls for ${volumeId} in ${now - last} ms`]
}

function comesLater(universe: Universe, identity: string, request: HttpRequest): string[] {
  if (request.body?.includes('os-retype') !== true) return []
  const uid = universe.uidOfMove(request.headers?.['x-openstack-request-id'] ?? '')
  const until = universe.monitor.memory.laterUntil.get(`${identity} ${uid}`) ?? 0
  const ms = until - universe.clock.monotonic()
  return ms > 0 ? [`move ${uid} called ${ms} ms too soon`] : []
}

function readTwice(universe: Universe, _: string, { method, url, body = '' }: HttpRequest) {
  if (method !== 'PATCH' || !body.includes('"step":"Succeeded"')) return []
  const [, namespace, name] = STATUS_OF_MOVE.exec(url) ?? []
  const move = universe
    .moves()
    .find(({ metadata }) => metadata.name === name && metadata.namespace === namespace)
  const id = move?.status?.volumeId ?? ''
  const { restShown, calls } = universe.monitor.memory
  const row = restShown.get(id)
  // the next move of the volume may have begun before this one could be written
  if (row === undefined || calls.get(id)?.moveUid !== move?.metadata.uid) return []
  const ms = row.lastMs - row.firstMs
  return ms < READ_AGAIN_MS ? [`${namespace}/${name} was read to be at rest for ${ms} ms`] : []
}

function finishedIsFinished(universe: Universe): string[] {
  return universe
    .moves()
    .filter(isFinished)
    .flatMap(({ metadata, status }) => {
      const id = status?.volumeId ?? ''
      const call = universe.monitor.memory.calls.get(id)
      const busy = universe.world.cloud.seams.volume(id)?.status === 'retyping'
      return busy && call?.moveUid === metadata.uid
        ? [`${metadata.name} is ${status?.step} (${status?.reason}) while Cinder moves the volume`]
        : []
    })
}

function endIsReported(universe: Universe): string[] {
  const now = universe.clock.monotonic()
  const { restingSince } = universe.monitor.memory
  return universe.moves().flatMap(({ metadata, status }) => {
    const since = restingSince.get(metadata.uid ?? '') ?? now
    return now - since > NOTICED_MS && !universe.cannotBeReported(metadata.name)
      ? [`${metadata.name} stays ${status?.step} (${status?.reason}) though the volume is at rest`]
      : []
  })
}

function lateIsStuck(universe: Universe): string[] {
  if (
    universe.jumps > 0 ||
    universe.monitor.memory.troubledIn(NOTICED_MS, universe.clock.monotonic())
  )
    return []
  return universe.moves().flatMap(({ metadata, status }) => {
    const deadline = Date.parse(status?.intent?.deadline ?? '')
    const late = universe.clock.now() - deadline > NOTICED_MS
    const step = status?.step ?? ''
    return late &&
      (step === 'Retyping' || step === 'Requested') &&
      !universe.cannotBeReported(metadata.name)
      ? [`${metadata.name} is ${step} (${status?.reason}) long after its deadline`]
      : []
  })
}

function tooManyAtOnce(universe: Universe): string[] {
  return universe.moves().flatMap(({ metadata, status }) => {
    const { step, reason, intent } = status ?? {}
    const answer = universe.monitor.memory.answers.get(intent?.requestId ?? '')
    return step === 'Failed' && reason === 'Rejected' && answer === 429
      ? [`${metadata.name} failed because a limiter wanted a pause`]
      : []
  })
}
