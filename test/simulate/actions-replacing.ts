import type { VolumeMigration } from '../../src/api/volume-migration.ts'
import type { BackupService } from '../../src/sim/cloud/model.ts'
import type { Dice } from '../seeded.ts'
import type { Action } from './actions.ts'
import { claimPath } from './cluster.ts'
import type { ClaimTruth } from './cluster.ts'
import { POLICY_NAMES, TIERS } from './names.ts'
import type { StoredRecord } from './replacements.ts'
import { anyClaim } from './touchable.ts'
import type { Universe } from './universe.ts'

// What happens to claims whose volume is replaced, and to what is made for that.

const MINUTE = 60_000
const MOVES = '/apis/couchestor.io/v1alpha1/namespaces'
const CODES = [403, 409, 422, 500, 503] as const

export const REPLACING_ACTIONS: readonly Action[] = [
  { name: 'move by hand to another volume', weight: 8, run: moveToAnother },
  { name: 'a CronJob Pod needs a claim in mid-move', weight: 8, run: cronJob },
  { name: 'a snapshot is taken in mid-move', weight: 3, run: snapshotInMidMove },
  { name: 'cinder-backup is in trouble', weight: 4, run: troubleBackups },
  { name: 'roll back', weight: 5, run: rollBack },
  { name: 'cancel a replacement', weight: 2, run: cancelReplacement },
  { name: 'delete a move in mid-move', weight: 2, run: deleteInMidMove },
  { name: 'delete a claim in mid-move', weight: 3, run: deleteClaimInMidMove },
  { name: 'a namespace is deleted in mid-move', weight: 1, run: deleteNamespaceInMidMove },
  { name: 'records cannot be written', weight: 2, run: refuseRecords },
  { name: 'PersistentVolumes cannot be written', weight: 3, run: refuseVolumes },
  { name: 'an administrator deletes a held PersistentVolume', weight: 3, run: deleteHeld },
]

function inMidMove(universe: Universe, dice: Dice, ...phases: readonly string[]) {
  const found = universe.records().filter(({ saved }) => {
    return phases.length === 0 || phases.includes(saved.phase)
  })
  const record = dice.pick(found.filter((r) => claimOf(universe, r) !== undefined))
  return record && { record, claim: claimOf(universe, record)! }
}

function claimOf({ cluster, probes }: Universe, { saved }: StoredRecord): ClaimTruth | undefined {
  const { uid } = saved.origin.claim
  return cluster.living.find((c) => c.uid === uid && probes.every((p) => p.claim !== c))
}

async function moveToAnother(universe: Universe, dice: Dice): Promise<void> {
  const claim = anyClaim(universe, dice)
  if (claim === undefined) return
  const own = universe.policyNameOf(claim)
  const policy = own !== undefined && dice.chance(0.8) ? own : dice.one(POLICY_NAMES)
  const to = dice.one(TIERS)
  await universe.cluster.request('POST', `${MOVES}/${claim.namespace}/volumemigrations`, {
    apiVersion: 'couchestor.io/v1alpha1',
    kind: 'VolumeMigration',
    metadata: { name: `by-copy-${dice.int(1e9)}` },
    spec: {
      policy,
      reason: 'Manual',
      strategy: 'snapshot-restore',
      ...(dice.chance(0.5) ? { via: 'backup' } : {}),
      to,
      claim: { name: claim.name },
    },
  })
}

async function cronJob(universe: Universe, dice: Dice): Promise<void> {
  const found = inMidMove(universe, dice)
  const forMs = dice.between(0.5, 3) * MINUTE
  if (found !== undefined && universe.cluster.pods(found.claim).length === 0)
    await universe.cluster.startPod(found.claim, { forMs })
}

const BACKUP_TROUBLES: readonly [Partial<BackupService>, ...Partial<BackupService>[]] = [
  { fails: true },
  { restores: 'error' },
  { restores: 'empty' },
  { service: 'dead' },
  { service: 'absent' },
]

/** What it does next fails, or nothing comes of it until somebody starts it again. */
function troubleBackups({ world, clock }: Universe, dice: Dice): void {
  const { seams } = world.cloud
  seams.setBackupService(dice.one(BACKUP_TROUBLES))
  clock.setTimer(dice.between(5, 40) * MINUTE, () => seams.restartBackups())
}

/** Of the volume that the claim has had, or of its copy. */
function snapshotInMidMove(universe: Universe, dice: Dice): void {
  const found = inMidMove(universe, dice)
  if (found === undefined) return
  const { journal, origin } = found.record.saved
  const copies = journal.filter((e) => ['cloneVolume', 'restoreBackup'].includes(e.act))
  const copy = copies.at(-1)?.id
  const id = dice.one([origin.volume.id, copy ?? origin.volume.id])
  if (universe.world.cloud.seams.volume(id)?.status === 'available') universe.takeSnapshotOf(id)
}

/** Now and then of a copy that is in use, which has to wait. */
async function rollBack(universe: Universe, dice: Dice): Promise<void> {
  const found = inMidMove(universe, dice, 'Soaking')
  const isUsed = dice.chance(0.5)
  if (found === undefined) return
  universe.replacements.rollbacks.add(found.claim.uid)
  const rolledBack = () => patchMove(universe, found.record, { rollback: true })
  if (!isUsed) return void (await rolledBack())
  await universe.cluster.startPod(found.claim, { forMs: 20 * MINUTE })
  universe.clock.setTimer(3 * MINUTE, () => void rolledBack())
}

async function cancelReplacement(universe: Universe, dice: Dice): Promise<void> {
  const found = inMidMove(universe, dice, 'Holding', 'Copying', 'Switching')
  if (found !== undefined) await patchMove(universe, found.record, { cancel: true })
}

function patchMove(
  universe: Universe,
  { move }: StoredRecord,
  spec: Partial<VolumeMigration['spec']>,
) {
  return universe.cluster.merge(movePath(move), { spec })
}

function movePath({ namespace, name }: StoredRecord['move']): string {
  return `${MOVES}/${namespace}/volumemigrations/${name}`
}

async function deleteInMidMove(universe: Universe, dice: Dice): Promise<void> {
  const found = inMidMove(universe, dice)
  if (found !== undefined) await universe.cluster.request('DELETE', movePath(found.record.move))
}

async function deleteClaimInMidMove(universe: Universe, dice: Dice): Promise<void> {
  const found = inMidMove(universe, dice)
  if (found !== undefined) await universe.cluster.request('DELETE', claimPath(found.claim))
}

async function deleteNamespaceInMidMove(universe: Universe, dice: Dice): Promise<void> {
  const found = inMidMove(universe, dice)
  if (found !== undefined)
    await universe.cluster.request('DELETE', `/api/v1/namespaces/${found.claim.namespace}`)
}

function refuse(
  universe: Universe,
  dice: Dice,
  what: { readonly resource: string; readonly name?: string; readonly verbs: readonly string[] },
): void {
  const undo = universe.world.api.fail({
    match: ({ verb, resource, name = '' }) =>
      resource === what.resource && what.verbs.includes(verb) && name.startsWith(what.name ?? ''),
    fault: { kind: 'status', code: dice.one(CODES), message: 'simulated refusal' },
    times: Infinity,
  })
  const key = `${what.resource} of replacements`
  universe.refusals.add(key)
  universe.clock.setTimer(dice.between(0.2, 10) * MINUTE, () => {
    undo()
    universe.refusals.delete(key)
  })
}

function refuseRecords(universe: Universe, dice: Dice): void {
  const verbs = dice.one([['patch'], ['get', 'patch'], ['create', 'patch', 'delete']])
  refuse(universe, dice, { resource: 'tieringcheckpoints', name: 'replacement-', verbs })
}

function refuseVolumes(universe: Universe, dice: Dice): void {
  const verbs = dice.one([
    ['create'],
    ['patch'],
    ['delete'],
    ['create', 'patch', 'delete'],
    ['get'],
  ])
  refuse(universe, dice, { resource: 'persistentvolumes', verbs })
}

async function deleteHeld(universe: Universe, dice: Dice): Promise<void> {
  const found = inMidMove(universe, dice, 'Holding', 'Copying', 'Switching')
  if (found === undefined || universe.cluster.isServed(found.claim) === true) return
  await universe.cluster.request('DELETE', `/api/v1/persistentvolumes/${found.claim.pv}`)
}
