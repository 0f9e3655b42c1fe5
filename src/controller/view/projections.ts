import { ANNOTATION, CINDER_DRIVER } from '../../api/names.ts'
import type { ObjectMeta } from '../../api/object.ts'
import { quantityToGiB } from '../../api/quantity.ts'
import type { Pause, Resizing } from '../../blockers/claim.ts'
import type { KubeObject } from '../../kube/types.ts'

/** What is kept of each object in memory: a few hundred bytes instead of a few thousand. */

export type Claim = {
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly resourceVersion: string
  readonly labels: Readonly<Record<string, string>>
  /** Only annotations under couchestor.io/. */
  readonly annotations: Readonly<Record<string, string>>
  readonly volumeName: string
  readonly storageClass: string
  readonly bound: boolean
  readonly terminating: boolean
  readonly resizing: Resizing
  /** What the claim has, GiB; undefined when it does not show it. */
  readonly capacityGiB: number | undefined
  readonly createdAt: string
  /** `spec.volumeAttributesClassName`; most claims have none. */
  readonly attributesClass?: string
}

export type Volume = {
  readonly name: string
  readonly uid: string
  /** Cinder's id of the volume. */
  readonly handle: string
  readonly claimUid: string
  readonly claimKey: string
  /** undefined when it does not show it. */
  readonly capacityGiB: number | undefined
  readonly terminating: boolean
}

export type Attachment = {
  readonly name: string
  readonly volumeName: string
  readonly node: string
  readonly attached: boolean
}
export type Class = {
  readonly name: string
  readonly provisioner: string
  readonly type: string | undefined
}
export type Namespace = {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly terminating: boolean
}
export type Node = { readonly name: string; readonly unschedulable: boolean }
export type Pod = {
  readonly namespace: string
  readonly name: string
  readonly pending: boolean
  readonly claims: readonly string[]
}

type RawClaim = KubeObject & {
  spec?: {
    volumeName?: string
    storageClassName?: string
    volumeAttributesClassName?: string
    resources?: { requests?: { storage?: string } }
  }
  status?: { phase?: string; capacity?: { storage?: string } }
}

const NONE: Readonly<Record<string, string>> = Object.freeze({})

export function projectClaim(raw: KubeObject): Claim | undefined {
  const { metadata, spec, status } = raw as RawClaim
  const wanted = gib(spec?.resources?.requests?.storage)
  const has = gib(status?.capacity?.storage)
  return {
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    uid: metadata.uid ?? '',
    resourceVersion: metadata.resourceVersion ?? '',
    labels: metadata.labels ?? NONE,
    annotations: ownAnnotations(metadata),
    volumeName: spec?.volumeName ?? '',
    storageClass: spec?.storageClassName ?? '',
    bound: status?.phase === 'Bound',
    terminating: metadata.deletionTimestamp !== undefined,
    resizing: resizingOf(wanted, has),
    capacityGiB: has,
    createdAt: metadata.creationTimestamp ?? '',
    ...(spec?.volumeAttributesClassName ? { attributesClass: spec.volumeAttributesClassName } : {}),
  }
}

function resizingOf(wantedGiB: number | undefined, hasGiB: number | undefined): Resizing {
  if (wantedGiB === undefined || hasGiB === undefined) return 'unknown'
  return wantedGiB > hasGiB ? 'yes' : 'no'
}

function ownAnnotations(metadata: ObjectMeta): Readonly<Record<string, string>> {
  let own: Record<string, string> | undefined
  for (const name of Object.values(ANNOTATION)) {
    const value = metadata.annotations?.[name]
    if (value !== undefined) (own ??= {})[name] = value
  }
  return own ?? NONE
}

function gib(quantity: string | undefined): number | undefined {
  try {
    return quantity === undefined ? undefined : quantityToGiB(quantity)
  } catch {
    return undefined
  }
}

type RawVolume = KubeObject & {
  spec?: {
    csi?: { driver?: string; volumeHandle?: string }
    /** The driver once built into Kubernetes; since 1.24 the CSI driver serves its volumes. */
    cinder?: { volumeID?: string }
    capacity?: { storage?: string }
    claimRef?: { namespace?: string; name?: string; uid?: string }
  }
}

/** Volumes of other drivers are not kept at all. */
export function projectVolume(raw: KubeObject): Volume | undefined {
  const { metadata, spec } = raw as RawVolume
  const handle = cinderVolumeOf(spec)
  if (handle === undefined) return undefined
  return {
    name: metadata.name,
    uid: metadata.uid ?? '',
    handle,
    claimUid: spec?.claimRef?.uid ?? '',
    claimKey: `${spec?.claimRef?.namespace ?? ''}/${spec?.claimRef?.name ?? ''}`,
    capacityGiB: gib(spec?.capacity?.storage),
    terminating: metadata.deletionTimestamp !== undefined,
  }
}

function cinderVolumeOf(spec: RawVolume['spec']): string | undefined {
  if (spec?.csi?.driver === CINDER_DRIVER) return spec.csi.volumeHandle || undefined
  // `cinder://id` and `cinder:///id` were written by early cloud providers
  return spec?.cinder?.volumeID?.replace(/^cinder:\/+/, '') || undefined
}

export function projectAttachment(raw: KubeObject): Attachment | undefined {
  const { metadata, spec, status } = raw as KubeObject & {
    spec?: { attacher?: string; nodeName?: string; source?: { persistentVolumeName?: string } }
    status?: { attached?: boolean }
  }
  if (spec?.attacher !== CINDER_DRIVER || !spec.source?.persistentVolumeName) return undefined
  return {
    name: metadata.name,
    volumeName: spec.source.persistentVolumeName,
    node: spec.nodeName ?? '',
    attached: status?.attached === true,
  }
}

export function projectClass(raw: KubeObject): Class | undefined {
  const { metadata, provisioner, parameters } = raw as KubeObject & {
    provisioner?: string
    parameters?: Record<string, string>
  }
  return { name: metadata.name, provisioner: provisioner ?? '', type: parameters?.['type'] }
}

export function projectNamespace(raw: KubeObject): Namespace {
  const { name, labels, deletionTimestamp } = raw.metadata
  return { name, labels: labels ?? NONE, terminating: deletionTimestamp !== undefined }
}

export function projectNode(raw: KubeObject): Node {
  const { metadata, spec } = raw as KubeObject & { spec?: { unschedulable?: boolean } }
  return { name: metadata.name, unschedulable: spec?.unschedulable === true }
}

type RawPodVolume = {
  name?: string
  persistentVolumeClaim?: { claimName?: string }
  ephemeral?: object
}

/** The claim of a generic ephemeral volume is named by pod and volume. */
function claimNameOf(pod: string, v: RawPodVolume): string | undefined {
  return v.ephemeral === undefined ? v.persistentVolumeClaim?.claimName : `${pod}-${v.name}`
}

export function projectPod(raw: KubeObject): Pod | undefined {
  const { metadata, spec, status } = raw as KubeObject & {
    spec?: { volumes?: RawPodVolume[] }
    status?: { phase?: string }
  }
  const claims = (spec?.volumes ?? []).flatMap((v) => claimNameOf(metadata.name, v) ?? [])
  if (claims.length === 0) return undefined
  const namespace = metadata.namespace ?? ''
  return {
    namespace,
    name: metadata.name,
    // a phase that is not there yet is that of a pod which has only just been made
    pending: (status?.phase ?? 'Pending') === 'Pending' && metadata.deletionTimestamp === undefined,
    claims: claims.map((c) => `${namespace}/${c}`),
  }
}

/** What cannot be read pauses: a person meant to stop something. */
export function pausedOf(value: string | undefined): Pause {
  if (value === undefined || value === 'false') return 'no'
  return value === 'promotion' || value === 'demotion' ? value : 'all'
}
