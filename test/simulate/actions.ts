import type { Dice } from '../seeded.ts'
import {
  changeLoad,
  deleteClaim,
  force,
  forceUntil,
  makeClaim,
  namePolicy,
  onClaim,
  remakeClaim,
} from './actions-claims.ts'
import {
  approveMove,
  breakMove,
  cancelMove,
  deleteMove,
  foreignMove,
  manualMove,
  oldMove,
} from './actions-moves.ts'
import {
  fillDisk,
  hangInMidMove,
  killReplica,
  pauseReplica,
  restartServer,
  stopReplica,
} from './actions-processes.ts'
import { editPolicy, pausePolicy, replacePolicy } from './actions-policies.ts'
import { cordon, endPods, longPod, shortPod, unschedulablePod } from './actions-pods.ts'
import { CLOUD_ACTIONS } from './actions-cloud.ts'
import { NAMESPACES, TIERS } from './names.ts'
import { TENANT_ACTIONS } from './actions-tenants.ts'
import { anyClaim } from './touchable.ts'
import type { Universe } from './universe.ts'

export type Action = {
  readonly name: string
  readonly weight: number
  run(universe: Universe, dice: Dice): unknown
}

const HOUR = 3_600_000

/** What people, tenants, controllers and machines do. One line and its function each. */
export const ACTIONS: readonly Action[] = [
  { name: 'make a claim', weight: 3, run: makeClaim },
  { name: 'delete a claim', weight: 2, run: deleteClaim },
  { name: 'make a claim again', weight: 2, run: remakeClaim },
  { name: 'force a tier', weight: 6, run: force },
  { name: 'force a tier for a while', weight: 2, run: forceUntil },
  { name: 'end a force', weight: 2, run: onClaim({ 'couchestor.io/force-tier': null }) },
  { name: 'pause a claim', weight: 2, run: onClaim({ 'couchestor.io/paused': 'true' }) },
  { name: 'resume a claim', weight: 2, run: onClaim({ 'couchestor.io/paused': null }) },
  { name: 'opt out', weight: 2, run: onClaim({ 'couchestor.io/policy': 'none' }) },
  { name: 'opt in', weight: 2, run: onClaim({ 'couchestor.io/policy': null }) },
  { name: 'name a policy', weight: 1, run: namePolicy },
  { name: 'load changes', weight: 5, run: changeLoad },
  { name: 'a Pod for long', weight: 4, run: longPod },
  { name: 'a CronJob Pod', weight: 5, run: shortPod },
  { name: 'a Pod that fits nowhere', weight: 1, run: unschedulablePod },
  { name: 'Pods end', weight: 3, run: endPods },
  { name: 'a node is cordoned', weight: 1, run: cordon(true) },
  { name: 'a node takes Pods again', weight: 2, run: cordon(false) },
  { name: 'take a snapshot', weight: 2, run: takeSnapshot },
  { name: 'drop snapshots', weight: 2, run: dropSnapshots },
  { name: 'move by hand', weight: 4, run: manualMove },
  { name: 'apply an old move', weight: 2, run: oldMove },
  { name: "move another's volume by hand", weight: 2, run: foreignMove },
  { name: 'cancel a move', weight: 2, run: cancelMove },
  { name: 'approve a move', weight: 2, run: approveMove },
  { name: 'delete a move', weight: 1, run: deleteMove },
  { name: 'a move cannot be read', weight: 2, run: breakMove },
  { name: 'edit a policy', weight: 3, run: editPolicy },
  { name: 'pause a policy', weight: 1, run: pausePolicy(true) },
  { name: 'resume a policy', weight: 1, run: pausePolicy(false) },
  { name: 'delete and apply a policy', weight: 1, run: replacePolicy },
  { name: 'a namespace refuses moves', weight: 1, run: refuseMoves },
  { name: 'a namespace accepts moves', weight: 1, run: acceptMoves },
  { name: 'a move of one claim cannot be written', weight: 1, run: refuseStatus },
  { name: 'a namespace is deleted', weight: 1, run: deleteNamespace },
  { name: 'a volume type becomes private', weight: 1, run: hideType },
  { name: 'a volume type is renamed', weight: 1, run: renameType },
  { name: 'volume types are as they were', weight: 2, run: showTypes },
  { name: 'reads are stale', weight: 1, run: staleReads },
  { name: 'quota is small', weight: 1, run: smallQuota },
  { name: 'quota has room for little', weight: 5, run: littleRoom },
  { name: 'quota is large', weight: 1, run: largeQuota },
  { name: 'an administrator retypes', weight: 1, run: handRetype },
  { name: 'the next retype reverts', weight: 2, run: revertNext },
  { name: 'cinder-volume dies', weight: 1, run: killCopies },
  { name: 'tokens expire', weight: 1, run: ({ world }) => world.cloud.seams.expireTokens() },
  { name: 'watches break', weight: 2, run: cutWatches },
  { name: 'history is compacted', weight: 1, run: compact },
  { name: 'the API server is restarted', weight: 1, run: restartServer },
  { name: 'the disk of the audit is full', weight: 1, run: fillDisk },
  { name: 'a replica is killed', weight: 2, run: killReplica },
  { name: 'a replica hangs', weight: 2, run: pauseReplica },
  { name: 'a replica hangs in mid-move', weight: 3, run: hangInMidMove },
  { name: 'a replica is restarted', weight: 2, run: stopReplica },
  { name: 'the wall clock jumps', weight: 1, run: jumpClock },
  ...TENANT_ACTIONS,
  ...CLOUD_ACTIONS,
]

function takeSnapshot(universe: Universe, dice: Dice): void {
  const claim = anyClaim(universe, dice)
  if (claim !== undefined && universe.cluster.volume(claim)?.status === 'available')
    universe.takeSnapshot(claim)
}

function dropSnapshots(universe: Universe): void {
  universe.dropSnapshots()
}

function refuseMoves(universe: Universe, dice: Dice): void {
  const namespace = dice.one(NAMESPACES)
  const key = `moves in ${namespace}`
  if (universe.undo.has(key)) return
  const undo = universe.world.api.fail({
    match: (r) =>
      r.verb === 'create' && r.resource === 'volumemigrations' && r.namespace === namespace,
    fault: { kind: 'status', code: 403, message: 'exceeded quota: count/volumemigrations' },
    times: Infinity,
  })
  universe.undo.set(key, undo)
}

function acceptMoves(universe: Universe, dice: Dice): void {
  const key = `moves in ${dice.one(NAMESPACES)}`
  universe.undo.get(key)?.()
  universe.undo.delete(key)
}

function refuseStatus(universe: Universe, dice: Dice): void {
  const move = dice.pick(universe.moves())
  if (move === undefined) return
  const { namespace, name } = move.metadata
  universe.undo.set(
    `status of ${name}`,
    universe.world.api.fail({
      match: (r) => r.verb === 'patch' && r.name === name && r.namespace === namespace,
      fault: { kind: 'status', code: 500, message: 'admission webhook timed out' },
      times: Infinity,
    }),
  )
}

async function deleteNamespace({ cluster }: Universe, dice: Dice): Promise<void> {
  await cluster.request('DELETE', `/api/v1/namespaces/${dice.one(NAMESPACES)}`)
}

function hideType(universe: Universe, dice: Dice): void {
  universe.types.hide(dice.one(TIERS))
}

function renameType(universe: Universe, dice: Dice): void {
  universe.types.rename(dice.one(TIERS))
}

function showTypes(universe: Universe): void {
  universe.types.restore()
}

/** Lists and reads answer from an API server that is behind by a few writes. */
function staleReads({ world }: Universe, dice: Dice): void {
  const resourceVersion = Math.max(1, world.api.resourceVersion - dice.int(40))
  world.api.fail({
    match: ({ verb }) => verb === 'list',
    fault: { kind: 'stale', resourceVersion },
    times: 1 + dice.int(10),
  })
  world.api.cutWatches('expired')
}

function smallQuota(universe: Universe, dice: Dice): void {
  const { seams } = universe.world.cloud
  const key = `gigabytes_${universe.types.of(dice.one(TIERS)).name}`
  seams.setQuota(seams.couchestor.project.id, { [key]: dice.int(30) })
}

/** Limits right above what is taken now. */
function littleRoom(universe: Universe, dice: Dice): void {
  const { seams } = universe.world.cloud
  const project = seams.couchestor.project.id
  const { name } = universe.types.of(dice.one(TIERS))
  const raise = (unit: string, by: number) => {
    const key = `${unit}_${name}`
    const { inUse, reserved } = seams.quota(project, key)
    seams.setQuota(project, { [key]: inUse + reserved + by })
  }
  const gib = dice.int(8)
  const volumes = dice.int(3)
  raise('gigabytes', gib)
  raise('volumes', volumes)
}

function largeQuota(universe: Universe): void {
  universe.types.raiseQuotas()
}

function handRetype(universe: Universe, dice: Dice): void {
  const claim = anyClaim(universe, dice)
  const volume = claim && universe.cluster.volume(claim)
  if (volume?.status !== 'available') return
  volume.typeId = universe.types.of(dice.one(TIERS)).id
  universe.world.cloud.seams.setStatus(volume.id, 'available')
  universe.handRetypes++
}

function revertNext(universe: Universe, dice: Dice): void {
  const claim = anyClaim(universe, dice)
  if (claim !== undefined)
    universe.world.cloud.seams.planRetype(
      claim.volumeId,
      dice.one(['revert', 'revertAfterCopy', 'stuck']),
    )
}

function killCopies({ world }: Universe): void {
  world.cloud.seams.killCopies()
}

function cutWatches({ world }: Universe, dice: Dice): void {
  world.api.cutWatches(dice.one(['end', 'reset', 'expired']))
}

function compact({ world }: Universe): void {
  world.api.compact()
  world.api.cutWatches('reset')
}

function jumpClock(universe: Universe, dice: Dice): void {
  universe.jumps++
  universe.clock.jumpWall(dice.one([-6, -1, 0.5, 2]) * HOUR)
}
