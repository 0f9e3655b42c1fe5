import { CINDER_DRIVER, GROUP } from '../../api/names.ts'

export type ReclaimPolicy = 'Delete' | 'Retain'

/** A PersistentVolume as JSON; what is not named here is carried over as it is. */
export type PersistentVolumeManifest = {
  readonly metadata: {
    readonly name: string
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
    readonly ownerReferences?: readonly object[]
    readonly finalizers?: readonly string[]
  }
  readonly spec: {
    readonly persistentVolumeReclaimPolicy?: string
    readonly claimRef?: {
      readonly namespace?: string
      readonly name?: string
      readonly uid?: string
      readonly [field: string]: unknown
    }
    readonly csi?: {
      readonly driver: string
      readonly volumeHandle: string
      readonly [field: string]: unknown
    }
    readonly nodeAffinity?: unknown
    readonly [field: string]: unknown
  }
}

/** Nobody serves it, so that no sidecar attaches or deletes the volume of a held PersistentVolume. */
export const PARKED_DRIVER = `parked.${GROUP}`
/** Record of a held PersistentVolume, as JSON. */
export const PARKED_ANNOTATION = `${GROUP}/parked`
/** Stays on every PersistentVolume that we make until the clean-up is complete. */
export const OWN_FINALIZER = `${GROUP}/replacing`
export const PROTECTION_FINALIZER = 'kubernetes.io/pv-protection'
/** Taken off by the attacher once the object is being deleted and has no VolumeAttachment. */
export const ATTACHER_FINALIZER = 'external-attacher/cinder-csi-openstack-org'
/** The sidecars take these off by themselves once their work is done. */
export const SIDECAR_FINALIZERS: readonly string[] = [
  'external-provisioner.volume.kubernetes.io/finalizer',
  ATTACHER_FINALIZER,
]

/** Can be met by no node. */
const NOWHERE = {
  required: {
    nodeSelectorTerms: [
      {
        matchExpressions: [
          { key: PARKED_ANNOTATION, operator: 'Exists' },
          { key: PARKED_ANNOTATION, operator: 'DoesNotExist' },
        ],
      },
    ],
  },
}

export function parkedHandle(volumeId: string): string {
  return `parked-${volumeId}`
}

/** What another driver than ours may have read from it is left out. */
export function savedManifest(raw: PersistentVolumeManifest): PersistentVolumeManifest {
  const { name, labels, annotations, ownerReferences, finalizers } = raw.metadata
  return {
    metadata: {
      name,
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
      ...(ownerReferences === undefined ? {} : { ownerReferences }),
      ...(finalizers === undefined ? {} : { finalizers }),
    },
    spec: raw.spec,
  }
}

/** The original again, with the same volume. */
export function originalOf(saved: PersistentVolumeManifest): PersistentVolumeManifest {
  return remade(saved, {})
}

/**
 * Where the copy is attached to. `availabilityZone` only where it is another one than the original's: what nodes are called
 * by need not be what Cinder calls its zones.
 */
export type CopyPlace = { readonly volumeId: string; readonly availabilityZone?: string }

/** The same with the copy for a volume; node affinity follows the zone of the copy where the original has one. */
export function copyOf(
  saved: PersistentVolumeManifest,
  { volumeId, availabilityZone }: CopyPlace,
): PersistentVolumeManifest {
  const { csi, nodeAffinity } = saved.spec
  return remade(saved, {
    csi: { ...csi, driver: CINDER_DRIVER, volumeHandle: volumeId },
    ...(nodeAffinity === undefined || availabilityZone === undefined
      ? {}
      : { nodeAffinity: inZone(nodeAffinity, availabilityZone) }),
  })
}

/** `record`: what a person, or a controller that has nothing else, needs to put the original back. */
export function heldOf(
  saved: PersistentVolumeManifest,
  volumeId: string,
  record: unknown,
): PersistentVolumeManifest {
  const held = remade(saved, {
    csi: { driver: PARKED_DRIVER, volumeHandle: parkedHandle(volumeId) },
    nodeAffinity: NOWHERE,
  })
  const annotations = { ...held.metadata.annotations, [PARKED_ANNOTATION]: JSON.stringify(record) }
  return { ...held, metadata: { ...held.metadata, annotations } }
}

/** Always Retain: of a claim that is deleted in the gap the CSI driver would delete the volume at once. */
function remade(
  { metadata, spec }: PersistentVolumeManifest,
  change: Partial<PersistentVolumeManifest['spec']>,
): PersistentVolumeManifest {
  const { claimRef } = spec
  return {
    metadata: { ...metadata, finalizers: [PROTECTION_FINALIZER, OWN_FINALIZER] },
    spec: {
      ...spec,
      persistentVolumeReclaimPolicy: 'Retain',
      claimRef: {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        ...(claimRef?.namespace === undefined ? {} : { namespace: claimRef.namespace }),
        ...(claimRef?.name === undefined ? {} : { name: claimRef.name }),
        ...(claimRef?.uid === undefined ? {} : { uid: claimRef.uid }),
      },
      ...change,
    },
  }
}

const ZONE_KEYS: ReadonlySet<unknown> = new Set([
  'topology.cinder.csi.openstack.org/zone',
  'topology.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/zone',
])

/** Every value of a zone key becomes that zone. */
function inZone(affinity: unknown, zone: string): unknown {
  if (Array.isArray(affinity)) return affinity.map((part) => inZone(part, zone))
  if (typeof affinity !== 'object' || affinity === null) return affinity
  const parts = affinity as Readonly<Record<string, unknown>>
  if (ZONE_KEYS.has(parts['key'])) return { ...parts, values: [zone] }
  return Object.fromEntries(Object.entries(parts).map(([key, part]) => [key, inZone(part, zone)]))
}
