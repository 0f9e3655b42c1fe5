import { CINDER_DRIVER } from '../../api/names.ts'
import {
  ATTACHER_FINALIZER,
  OWN_FINALIZER,
  PARKED_DRIVER,
  parkedHandle,
  PROTECTION_FINALIZER,
  SIDECAR_FINALIZERS,
} from './manifest.ts'
import { perform, save, wait } from './outcome.ts'
import type { ReplaceOutcome, Seen } from './outcome.ts'
import { entryOf } from './saved.ts'
import type { Saved, Shape } from './saved.ts'
import type { PersistentVolumeSeen } from './sight.ts'

/** What the PersistentVolume is made of; `foreign` = it is none of those that this move knows. */
export function shapeOf(saved: Saved, pv: PersistentVolumeSeen): Shape | 'foreign' {
  const { claim, volume } = saved.origin
  if (pv.claimUid !== claim.uid) return 'foreign'
  if (pv.driver === PARKED_DRIVER) return pv.handle === parkedHandle(volume.id) ? 'held' : 'foreign'
  if (pv.driver !== CINDER_DRIVER) return 'foreign'
  if (pv.handle === volume.id) return 'original'
  return pv.handle === entryOf(saved, 'cloneVolume')?.id ? 'copy' : 'foreign'
}

/** The volume in Cinder that a shape stands for; undefined = none that could be attached. */
export function volumeIdOf(saved: Saved, shape: Shape): string | undefined {
  if (shape === 'held') return undefined
  return shape === 'original' ? saved.origin.volume.id : entryOf(saved, 'cloneVolume')?.id
}

/** The PersistentVolume is there, of that shape, and the claim is bound to it. */
export function isBoundTo(seen: Seen, shape: Shape): boolean {
  const { saved, kube } = seen
  return kube.claim?.phase === 'Bound' && isThere(seen, shape) && shapeOf(saved, kube.pv!) === shape
}

/** The PersistentVolume is there to stay. */
export function isThere({ saved, kube: { pv } }: Seen, shape: Shape): boolean {
  return pv !== undefined && !pv.terminating && shapeOf(saved, pv) === shape
}

/** Next act by which the PersistentVolume becomes `goal`; undefined when it is, whatever the claim says. */
export function replaceBy(seen: Seen, goal: Shape): ReplaceOutcome | undefined {
  const { input, kube } = seen
  const { pv } = kube
  if (pv === undefined) return perform(seen, { act: 'createPersistentVolume', shape: goal })
  if (!isThere(seen, goal)) return removed(seen, pv, goal)
  const parked = kube.attachments.find((a) => a.attacher === PARKED_DRIVER)
  // nobody else deletes it, and it would keep the volume from being deleted one day
  if (parked !== undefined && goal !== 'held')
    return perform(seen, {
      act: 'deleteVolumeAttachment',
      name: parked.name,
      uid: parked.uid,
    })
  return goal === 'held' && kube.claim?.phase === 'Lost'
    ? wait(input, 'the claim becomes Bound at the next resync of the PersistentVolume controller')
    : undefined
}

/** Next act by which the PersistentVolume goes, and nothing else with it. */
export function removed(seen: Seen, pv: PersistentVolumeSeen, goal?: Shape): ReplaceOutcome {
  const { input, saved } = seen
  const shape = shapeOf(saved, pv)
  if (shape === 'foreign')
    return wait(
      input,
      `PersistentVolume ${saved.origin.manifest.metadata.name} has handle ${pv.handle} of ${pv.driver}, which this move did not make; remove it, or put the former one back`,
    )
  const gone = goal === undefined ? undefined : whyGone(seen, pv, goal)
  if (gone !== undefined) return wait(input, gone)
  // before anything else: by any other policy the volume could go with the object
  if (pv.policy !== 'Retain' && saved.restored === pv.uid) {
    const { restored: _restored, ...rest } = saved
    return save(rest)
  }
  if (pv.policy !== 'Retain')
    return perform(seen, { act: 'setReclaimPolicy', uid: pv.uid, policy: 'Retain' })
  const inUse = whyInUse(seen, pv, goal)
  if (inUse !== undefined) return wait(input, inUse)
  if (!pv.terminating) return perform(seen, { act: 'deletePersistentVolume', uid: pv.uid })
  return released(seen, pv)
}

/** A claim that has a volume does not get one in its place that Cinder does not know. */
function whyGone(
  { saved, cinder }: Seen,
  pv: PersistentVolumeSeen,
  goal: Shape,
): string | undefined {
  const id = volumeIdOf(saved, goal)
  const isHeld = shapeOf(saved, pv) === 'held'
  if (isHeld || pv.terminating || id === undefined || cinder === undefined) return undefined
  return [cinder.source, ...cinder.copies].some((v) => v?.id === id)
    ? undefined
    : `Cinder does not know volume ${id}; the claim keeps the one that it has`
}

function released(seen: Seen, pv: PersistentVolumeSeen): ReplaceOutcome {
  const { input, kube } = seen
  const { uid, resourceVersion, finalizers } = pv
  // the attacher keeps its own as long as there is one, and attaches nothing: nobody else would end that
  const isStalled = kube.attachments.some((a) => a.attacher === CINDER_DRIVER && !a.attached)
  const isOver = (f: string) => f === ATTACHER_FINALIZER && isStalled
  const sidecar = finalizers.find((f) => SIDECAR_FINALIZERS.includes(f) && !isOver(f))
  if (sidecar !== undefined)
    return wait(input, `a sidecar of the CSI driver has not taken its finalizer ${sidecar} off yet`)
  const foreign = finalizers.find(
    (f) => f !== PROTECTION_FINALIZER && f !== OWN_FINALIZER && !isOver(f),
  )
  if (foreign !== undefined)
    return wait(
      input,
      `the PersistentVolume has finalizer ${foreign} of another controller; it is not taken off by force: let its controller do so`,
    )
  return perform(seen, {
    act: 'releasePersistentVolume',
    uid,
    resourceVersion,
    finalizers,
    keep: [],
  })
}

/**
 * Why the PersistentVolume cannot give way now. A held one can always: nothing is attached through it. Through one that is
 * being deleted the attacher attaches nothing more, so that Pods that wait for it would wait for ever.
 */
function whyInUse(
  { saved, kube, cinder, unread }: Seen,
  pv: PersistentVolumeSeen,
  goal: Shape | undefined,
): string | undefined {
  const shape = shapeOf(saved, pv)
  if (shape === 'held') return undefined
  if (!pv.terminating && kube.pods > 0) return `pods use the claim (${kube.pods})`
  const attachment = kube.attachments.find(
    (a) => a.attacher !== PARKED_DRIVER && (a.attached || !pv.terminating),
  )
  if (attachment !== undefined)
    return `the volume is attached (VolumeAttachment ${attachment.name})`
  // the same volume again: whatever becomes of an attachment, it is that one
  if (shape === goal) return undefined
  if (cinder === undefined) return `it is not known whether the volume is attached: ${unread}`
  const volume = [cinder.source, ...cinder.copies].find((v) => v?.id === pv.handle)
  if (volume === undefined) return undefined
  return volume.attached || volume.status !== 'available'
    ? `the volume is "${volume.status}" in Cinder`
    : undefined
}
