import { REPLACED_AT } from '../../api/names.ts'
import { messageOf, stable } from '../../errors.ts'
import { createPersistentVolumes } from '../../kube/persistent-volumes.ts'
import type { PersistentVolumes } from '../../kube/persistent-volumes.ts'
import type { WriteAnswer } from '../../kube/uncached.ts'
import { copyOf, heldOf, originalOf } from '../../migration/snapshot-restore/manifest.ts'
import type { PersistentVolumeManifest } from '../../migration/snapshot-restore/manifest.ts'
import {
  isOurs,
  metadataOf,
  nameOf,
  RESTORED_FROM,
  TAKEN_OVER,
  takenOver,
} from '../../migration/snapshot-restore/names.ts'
import { copyIdOf, entryOf, entryOfIntent } from '../../migration/snapshot-restore/saved.ts'
import type {
  JournalEntry,
  Maker,
  Origin,
  ReplaceAct,
  ReplaceAnswer,
  Saved,
  Shape,
} from '../../migration/snapshot-restore/saved.ts'
import { isAttached } from '../../openstack/attached.ts'
import type { MakeAnswer } from '../../openstack/copy-tools.ts'
import { givesBack } from '../../migration/snapshot-restore/gives-back.ts'
import type { Change } from '../../audit/change.ts'
import type { ControllerDeps, Known } from '../deps.ts'
import { hiddenFrom } from '../moving/hidden.ts'
import { aboutMove, changeOfAct } from './audited-replacement.ts'
import type { ReplacedMove } from './audited-replacement.ts'

export type CallDeps = Pick<ControllerDeps, 'kube' | 'copies' | 'volumes'>

type Call<A extends ReplaceAct['act']> = {
  readonly deps: CallDeps
  readonly saved: Saved
  readonly move: ReplacedMove
  readonly intent: Extract<ReplaceAct, { readonly act: A }>
  readonly entry: JournalEntry
  readonly change: Change
  readonly fence: () => void
}

type OfKubernetes =
  | 'setReclaimPolicy'
  | 'deletePersistentVolume'
  | 'releasePersistentVolume'
  | 'createPersistentVolume'
  | 'deleteVolumeAttachment'
type OfCinder = Exclude<ReplaceAct['act'], OfKubernetes>

/**
 * Makes the call of the act in `saved.intent` once, or provably not at all; the answer is for `answered`. Throws only where
 * no intent waits for its call, which is a mistake of the caller's.
 */
export async function performAct(
  deps: CallDeps,
  saved: Saved,
  move: ReplacedMove,
  fence: () => void,
): Promise<ReplaceAnswer> {
  const { intent } = saved
  const entry = entryOfIntent(saved)
  if (intent === undefined || entry === undefined || saved.answer !== undefined)
    throw new Error('no intent waits for its call')
  const unfounded = whyUnfounded(saved, intent)
  if (unfounded !== undefined) return notSent(unfounded)
  const call = { deps, saved, move, entry, fence, change: changeOfAct(saved, move) }
  switch (intent.act) {
    case 'createSnapshot':
    case 'cloneVolume':
    case 'retype':
    case 'createBackup':
    case 'restoreBackup':
    case 'markVolume':
    case 'markTakenOver':
    case 'deleteBackup':
    case 'deleteSnapshot':
    case 'deleteVolume':
      return answerOfCinder(await askCinder({ ...call, intent }))
    case 'setReclaimPolicy':
    case 'deletePersistentVolume':
    case 'releasePersistentVolume':
    case 'createPersistentVolume':
    case 'deleteVolumeAttachment':
      return answerOfKube(await askKube({ ...call, intent }))
  }
}

/** What each is made of. */
const MADE_OF: Readonly<Partial<Record<ReplaceAct['act'], readonly [Maker, string]>>> = {
  cloneVolume: ['createSnapshot', 'snapshot'],
  createBackup: ['cloneVolume', 'clone'],
  restoreBackup: ['createBackup', 'backup'],
}

/** What is saved must name all that is deleted or retyped: an act about anything else is none of this move's. */
function whyUnfounded(saved: Saved, act: ReplaceAct): string | undefined {
  const [from, what] = MADE_OF[act.act] ?? []
  if (from !== undefined && entryOf(saved, from)?.id === undefined)
    return `the id of the ${what} is not saved`
  if (act.act === 'createPersistentVolume')
    return act.shape === 'copy' && copyIdOf(saved) === undefined
      ? 'the id of the copy is not saved'
      : undefined
  if (!('id' in act)) return undefined
  const [of, ...ids] = objectsOf(saved, act)
  return ids.includes(act.id) ? undefined : `${act.id} is not ${of}`
}

/** What an act may be about: in words, and the ids. */
function objectsOf(
  saved: Saved,
  { act }: Extract<ReplaceAct, { readonly id: string }>,
): readonly [string, ...(string | undefined)[]] {
  // a suspended leader may have made a second one, which has an entry too
  const idsOf = (maker: Maker) => saved.journal.filter((e) => e.act === maker).map((e) => e.id)
  switch (act) {
    case 'retype':
    case 'markVolume':
    case 'markTakenOver':
      return ['the copy of this move', copyIdOf(saved)]
    case 'deleteSnapshot':
      return ['the snapshot of this move', ...idsOf('createSnapshot')]
    case 'deleteBackup':
      return ['the backup of this move', ...idsOf('createBackup')]
    case 'deleteVolume':
      return [
        'the volume of this move, nor one that it made',
        saved.origin.volume.id,
        ...idsOf('cloneVolume'),
        ...idsOf('restoreBackup'),
      ]
  }
}

/** A credential of another project gets a refusal that says nothing about the volume: as good as not sent. */
async function askCinder(call: Call<OfCinder>): Promise<MakeAnswer> {
  try {
    const before = await hiddenNow(call)
    if (before !== undefined) return notSent(before)
  } catch (e) {
    return notSent(`Cinder does not answer: ${stable(messageOf(e))}`)
  }
  const answer = await sendToCinder(call)
  if (answer.kind !== 'Rejected' || answer.httpStatus !== 404) return answer
  // it may have been switched on the way
  const after = await hiddenNow(call).catch(() => undefined)
  return after === undefined ? answer : notSent(after)
}

async function hiddenNow({ deps, saved }: Call<OfCinder>): Promise<string | undefined> {
  return hiddenFrom(await deps.volumes.projectId(), saved.origin)
}

async function sendToCinder(call: Call<OfCinder>): Promise<MakeAnswer> {
  const { deps, saved, intent, entry, fence, change } = call
  const { copies } = deps
  const { origin } = saved
  const sent = { requestId: entry.requestId, fence }
  switch (intent.act) {
    case 'createSnapshot': {
      const marked = { name: nameOf(origin, intent.act), metadata: metadataOf(origin, intent.act) }
      return copies.createSnapshot({ ...sent, ...marked, volumeId: origin.volume.id }, change)
    }
    case 'cloneVolume': {
      const snapshotId = entryOf(saved, 'createSnapshot')?.id ?? ''
      // the CSI driver knows its volumes by their metadata, and Cinder copies none
      const request = { ...sent, ...markedAs(origin, intent.act), snapshotId }
      return copies.createFromSnapshot(request, change)
    }
    case 'createBackup': {
      const volumeId = entryOf(saved, 'cloneVolume')?.id ?? ''
      const marked = { name: nameOf(origin, intent.act), metadata: metadataOf(origin, intent.act) }
      return copies.createBackup({ ...sent, ...marked, volumeId }, change)
    }
    case 'restoreBackup': {
      const backupId = entryOf(saved, 'createBackup')?.id ?? ''
      const { sizeGiB, availabilityZone } = origin.volume
      const volume = { backupId, typeId: origin.toTypeId, sizeGiB, availabilityZone }
      return copies.createFromBackup(
        { ...sent, ...markedAs(origin, intent.act), ...volume },
        change,
      )
    }
    case 'markVolume': {
      const { metadata } = markedAs(origin, 'restoreBackup')
      return copies.setMetadata({ ...sent, id: intent.id, metadata }, change)
    }
    case 'markTakenOver':
      return copies.setMetadata({ ...sent, id: intent.id, metadata: takenOver(origin) }, change)
    case 'deleteBackup':
      return copies.deleteBackup({ ...sent, id: intent.id }, change)
    case 'retype': {
      const { toTypeId: newTypeId, migrationPolicy } = origin
      const request = { ...sent, volumeId: intent.id, newTypeId, migrationPolicy }
      return deps.volumes.retype(request, change, () => changedMeanwhile({ ...call, intent }))
    }
    case 'deleteSnapshot':
      return copies.deleteSnapshot({ ...sent, id: intent.id }, change)
    case 'deleteVolume':
      return copies.deleteVolume({ ...sent, id: intent.id }, change)
  }
}

function markedAs(origin: Origin, act: 'cloneVolume' | 'restoreBackup') {
  const { [RESTORED_FROM]: restoredFrom, [TAKEN_OVER]: _, ...metadata } = origin.volume.metadata
  // of an earlier move: by backup it has to say what this one was restored from
  const kept = restoredFrom !== undefined && origin.via === undefined
  return {
    name: nameOf(origin, act),
    metadata: {
      ...metadata,
      ...(kept ? { [RESTORED_FROM]: restoredFrom } : {}),
      ...metadataOf(origin, act),
    },
  }
}

/** Cinder retypes whatever it finds, so the copy must still be as it was seen: the line before the call takes its time. */
async function changedMeanwhile({
  deps,
  saved,
  intent,
}: Call<'retype'>): Promise<MakeAnswer | undefined> {
  try {
    const now = await deps.copies.getVolume(intent.id)
    if (now === undefined) return notSent('Cinder no longer knows the copy')
    if (!isOurs(saved.origin, 'cloneVolume', now))
      return notSent(`volume ${now.id} does not have our metadata any more`)
    if (now.updatedAt !== intent.updatedAt || now.status !== 'available' || isAttached(now))
      return notSent('the copy changed between read and call')
    return undefined
  } catch (e) {
    return notSent(`Cinder does not answer: ${stable(messageOf(e))}`)
  }
}

async function askKube(call: Call<OfKubernetes>): Promise<WriteAnswer> {
  const { saved, intent, fence, change } = call
  const volumes = createPersistentVolumes(clientFor(call, change))
  const { name } = saved.origin.manifest.metadata
  switch (intent.act) {
    case 'setReclaimPolicy':
      return volumes.setReclaimPolicy({ name, uid: intent.uid, policy: intent.policy, fence })
    case 'deletePersistentVolume':
      return volumes.delete({ name, uid: intent.uid, fence })
    case 'releasePersistentVolume': {
      const { uid, resourceVersion, finalizers, keep } = intent
      return volumes.setFinalizers({ name, uid, resourceVersion, finalizers, keep, fence })
    }
    case 'createPersistentVolume':
      return created({ ...call, intent }, volumes)
    case 'deleteVolumeAttachment':
      return volumes.deleteAttachment({ name: intent.name, uid: intent.uid, fence })
  }
}

type OfCall = Pick<Call<OfKubernetes>, 'deps' | 'saved'> & { readonly intent: ReplaceAct }

function clientFor({ deps, saved, intent }: OfCall, known: Known) {
  return givesBack(saved, intent) ? deps.kube.givingBack(known) : deps.kube.about(known)
}

/** Best effort after it: a claim that is not annotated becomes Bound at the next resync, within 15 s. */
async function created(
  call: Call<'createPersistentVolume'>,
  volumes: PersistentVolumes,
): Promise<WriteAnswer> {
  const { saved, move, intent, entry, fence } = call
  const answer = await volumes.create(manifestOf(saved, intent.shape, entry.at), fence)
  if (answer.kind !== 'Accepted') return answer
  // a line of its own, with an id of its own
  const { initiator, migration } = aboutMove(saved, move)
  const { namespace, name, uid } = saved.origin.claim
  await createPersistentVolumes(clientFor(call, { initiator, migration })).annotateClaim({
    namespace,
    name,
    uid,
    annotations: { [REPLACED_AT]: entry.at },
    fence,
  })
  return answer
}

/** What the PersistentVolume is created as. `at`: when, for the record of a held one. */
export function manifestOf(
  saved: Pick<Saved, 'origin' | 'journal'>,
  shape: Shape,
  at: string,
): PersistentVolumeManifest {
  const { origin } = saved
  const { manifest, volume } = origin
  switch (shape) {
    case 'original':
      return originalOf(manifest)
    case 'held':
      return heldOf(manifest, volume.id, { location: 'here', at, origin })
    case 'copy':
      // only one in the zone of the original is verified
      return copyOf(manifest, { volumeId: copyIdOf(saved) ?? '' })
  }
}

/** Longest message that is saved. */
const LONGEST = 1000

function answerOfCinder(answer: MakeAnswer): ReplaceAnswer {
  const asked = 'retryAfterMs' in answer ? answer.retryAfterMs : undefined
  const after = asked === undefined ? {} : { retryAfterMs: asked }
  switch (answer.kind) {
    case 'Accepted':
      return { kind: 'Accepted', ...(answer.id === undefined ? {} : { id: answer.id }) }
    case 'Rejected': {
      const { kind, httpStatus, quota } = answer
      return { kind, httpStatus, message: short(answer), quota, ...after }
    }
    case 'NotSent':
      return answerOfKube(answer)
    case 'Unknown':
      return { kind: 'Unknown', message: short(answer), ...after }
  }
}

function answerOfKube(answer: WriteAnswer): ReplaceAnswer {
  return answer.kind === 'Accepted' ? answer : { ...answer, message: short(answer) }
}

function short({ message }: { readonly message: string }): string {
  return message.slice(0, LONGEST).toWellFormed()
}

function notSent(message: string) {
  return { kind: 'NotSent', message } as const
}
