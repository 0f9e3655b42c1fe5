import { isDeepStrictEqual } from 'node:util'
import { quantityToGiB } from '../../api/quantity.ts'
import { messageOf, stable } from '../../errors.ts'
import type {
  PersistentVolumes,
  RawClaim,
  RawPersistentVolume,
} from '../../kube/persistent-volumes.ts'
import type { PersistentVolumeManifest } from '../../migration/snapshot-restore/manifest.ts'
import { savedManifest } from '../../migration/snapshot-restore/manifest.ts'
import { nameOf } from '../../migration/snapshot-restore/names.ts'
import type { Maker, Phase, Saved } from '../../migration/snapshot-restore/saved.ts'
import type {
  CinderSeen,
  KubeSeen,
  PersistentVolumeSeen,
  SnapshotSeen,
  Unread,
  VolumeSeen,
} from '../../migration/snapshot-restore/sight.ts'
import { isAttached } from '../../openstack/attached.ts'
import type { CopySnapshot, CopyVolume } from '../../openstack/cinder-copies.ts'
import type { AuditedCopies, AuditedVolumes } from '../deps.ts'
import { hiddenFrom } from '../moving/hidden.ts'

/** Volumes are deleted in these only: the list of all PersistentVolumes is read for nothing else, and is long. */
const DELETING: ReadonlySet<Phase> = new Set<Phase>(['CleaningUp', 'Abandoning'])

/** All that Kubernetes shows of a replacement, read from the API server itself. Never throws. */
export async function kubeSeen(
  kube: PersistentVolumes,
  { origin, phase }: Saved,
): Promise<KubeSeen | Unread> {
  const { claim, manifest } = origin
  const { name } = manifest.metadata
  try {
    const [raw, pv, pods, attachments, all] = await Promise.all([
      kube.getClaim(claim.namespace, claim.name),
      kube.get(name),
      kube.podsOf(claim.namespace, claim.name),
      kube.attachmentsOf(name),
      DELETING.has(phase) ? kube.list() : undefined,
    ])
    const isOurs = raw !== undefined && raw.metadata.uid === claim.uid
    return {
      kind: 'Seen',
      claim: isOurs ? { phase: raw.status?.phase ?? '', ...sizeOf(raw) } : undefined,
      pv: pv && { ...persistentVolumeSeen(pv), ...changedSince(manifest, pv) },
      // those of another claim of that name wait for nothing of ours
      pods: raw === undefined || isOurs ? pods.length : 0,
      attachments: attachments.map(({ metadata, spec, status }) => ({
        name: metadata.name,
        uid: metadata.uid ?? '',
        attacher: spec.attacher,
        attached: status?.attached === true,
      })),
      otherHandles: all?.filter((v) => v.metadata.name !== name).flatMap((v) => handleOf(v) ?? []),
    }
  } catch (e) {
    return {
      kind: 'Unreadable',
      why: `the API server does not answer: ${stable(messageOf(e))}`,
    }
  }
}

/** Of what its owner sees: what is asked for may not be there yet. */
export function sizeOf({ status }: RawClaim): { readonly sizeGiB?: number } {
  const { storage } = status?.capacity ?? {}
  if (storage === undefined) return {}
  try {
    return { sizeGiB: quantityToGiB(storage) }
  } catch {
    return {}
  }
}

function persistentVolumeSeen(raw: RawPersistentVolume): PersistentVolumeSeen {
  const { metadata } = raw
  const { csi, claimRef, persistentVolumeReclaimPolicy } = specOf(raw)
  return {
    uid: metadata.uid ?? '',
    resourceVersion: metadata.resourceVersion ?? '',
    driver: csi?.driver ?? '',
    handle: handleOf(raw) ?? '',
    policy: persistentVolumeReclaimPolicy ?? '',
    finalizers: metadata.finalizers ?? [],
    terminating: metadata.deletionTimestamp !== undefined,
    claimUid: claimRef?.uid ?? '',
  }
}

/** Finalizers come and go, and the reclaim policy is read for itself. */
function changedSince(
  saved: PersistentVolumeManifest,
  raw: RawPersistentVolume,
): Pick<PersistentVolumeSeen, 'changed'> {
  const of = ({ metadata, spec }: PersistentVolumeManifest) => {
    const { labels = {}, annotations = {}, ownerReferences = [] } = metadata
    const { persistentVolumeReclaimPolicy: _policy, claimRef: _claimRef, ...rest } = spec
    return { labels, annotations, ownerReferences, ...rest }
  }
  return isDeepStrictEqual(of(saved), of(savedManifest(raw))) ? {} : { changed: true }
}

type Spec = PersistentVolumeManifest['spec'] & {
  /** The driver once built into Kubernetes; the CSI driver serves its volumes now. */
  readonly cinder?: { readonly volumeID?: string }
}

export function specOf(raw: RawPersistentVolume): Spec {
  return raw.spec
}

/** Of the volume in Cinder, or of whatever else serves it. */
export function handleOf(raw: RawPersistentVolume): string | undefined {
  const { csi, cinder } = specOf(raw)
  return csi?.volumeHandle ?? cinder?.volumeID
}

type Cinder = {
  readonly copies: AuditedCopies
  readonly volumes: Pick<AuditedVolumes, 'projectId' | 'listVolumeTypes'>
}

/** All that Cinder shows of a replacement. Never throws. */
export async function cinderSeen(
  { copies, volumes }: Cinder,
  saved: Saved,
): Promise<CinderSeen | Unread> {
  try {
    // before and after: the credential may be switched at any moment, and then everything looks gone
    const hidden = async () => hiddenFrom(await volumes.projectId(), saved.origin)
    const before = await hidden()
    if (before !== undefined) return { kind: 'Unreadable', why: before }
    const seen = await read({ copies, volumes }, saved)
    const why = (await hidden()) ?? untyped(seen)
    return why === undefined ? seen : { kind: 'Unreadable', why }
  } catch (e) {
    return { kind: 'Unreadable', why: `Cinder does not answer: ${stable(messageOf(e))}` }
  }
}

async function read({ copies, volumes }: Cinder, saved: Saved): Promise<CinderSeen> {
  const { origin } = saved
  const idsOf = (act: Maker) =>
    saved.journal.flatMap((e) => (e.act === act && e.id !== undefined ? [e.id] : []))
  const [source, named, byId] = await Promise.all([
    copies.getVolume(origin.volume.id),
    copies.volumesNamed(nameOf(origin, 'cloneVolume')),
    Promise.all(idsOf('cloneVolume').map((id) => copies.getVolume(id))),
  ])
  const found = unique([...named, ...byId.filter((v) => v !== undefined)])
  const snapshots = await Promise.all([
    copies.snapshotsNamed(nameOf(origin, 'createSnapshot')),
    ...[origin.volume.id, ...found.map((v) => v.id)].map((id) => copies.snapshotsOf(id)),
    ...idsOf('createSnapshot').map(async (id) => {
      const snapshot = await copies.getSnapshot(id)
      return snapshot === undefined ? [] : [snapshot]
    }),
  ])
  // an older server names the type only
  const isNamed = [...found, ...(source ? [source] : [])].some((v) => !v.typeId && v.typeName)
  const types = isNamed ? await volumes.listVolumeTypes() : []
  const typed = (v: CopyVolume) =>
    volumeSeen({ ...v, typeId: v.typeId || (types.find((t) => t.name === v.typeName)?.id ?? '') })
  return {
    kind: 'Seen',
    source: source && typed(source),
    copies: found.map(typed),
    snapshots: unique(snapshots.flat()).map(snapshotSeen),
  }
}

function unique<Row extends { readonly id: string }>(rows: readonly Row[]): readonly Row[] {
  return [...new Map(rows.map((row) => [row.id, row])).values()]
}

function volumeSeen(v: CopyVolume): VolumeSeen {
  const { id, name, status, typeId, sizeGiB, availabilityZone, bootable, encrypted } = v
  const { updatedAt, snapshotId, metadata } = v
  return {
    id,
    name,
    status,
    typeId,
    sizeGiB,
    availabilityZone,
    bootable,
    encrypted,
    attached: isAttached(v),
    updatedAt,
    metadata,
    ...(snapshotId === undefined ? {} : { snapshotId }),
  }
}

function snapshotSeen({ id, name, volumeId, status, metadata }: CopySnapshot): SnapshotSeen {
  return { id, name, volumeId, status, metadata }
}

/** A type that is not shown is not the same as another type. */
function untyped({ source, copies }: CinderSeen): string | undefined {
  const volume = [source, ...copies].find((v) => v?.typeId === '')
  return (
    volume &&
    `Cinder does not say which volume type ${volume.id} has (an older server, or a type that this project may not see)`
  )
}
