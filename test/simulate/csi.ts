import type { KubeJson } from '../../src/sim/apiserver/types.ts'
import type { World } from '../../src/sim/world.ts'
import type { ClaimTruth, Cluster } from './cluster.ts'

const PVS = '/api/v1/persistentvolumes'
const ATTACHMENTS = '/apis/storage.k8s.io/v1/volumeattachments'
const DRIVER = 'cinder.csi.openstack.org'
const ATTACHER_FINALIZER = 'external-attacher/cinder-csi-openstack-org'
/** Begins the handle of a held PersistentVolume; the rest is the volume that it is about. */
const HELD = 'parked-'

type Spec = {
  readonly csi?: { readonly driver: string; readonly volumeHandle: string }
  readonly source?: { readonly persistentVolumeName?: string }
  readonly attacher?: string
}

/**
 * The attach/detach controller and the attacher, in a world whose API server has the sidecars: what is attached is what the
 * PersistentVolume says now.
 */
export class Csi {
  readonly #world: World
  readonly #cluster: Cluster

  constructor(world: World, cluster: Cluster) {
    this.#world = world
    this.#cluster = cluster
  }

  /** The volume that the PersistentVolume is about, held or not; undefined when it is not there. */
  volumeIdOf(pv: string): string | undefined {
    const handle = this.#csiOf(pv)?.volumeHandle
    return handle?.startsWith(HELD) === true ? handle.slice(HELD.length) : handle
  }

  /** The claim can be used: Bound, and its PersistentVolume is one that the driver serves. */
  isServed(truth: Pick<ClaimTruth, 'pv' | 'name' | 'namespace' | 'uid'>): boolean {
    const { phase } = (this.#cluster.claimObject(truth)?.['status'] ?? {}) as { phase?: string }
    return phase === 'Bound' && this.#csiOf(truth.pv)?.driver === DRIVER
  }

  attach({ pv }: ClaimTruth, nodeName: string): boolean {
    const object = this.#cluster.object(PVS, pv)
    const csi = this.#csiOf(pv)
    if (object === undefined || csi === undefined) return false
    const name = `csi-${csi.volumeHandle}`
    const known = this.#cluster.object(ATTACHMENTS, name)
    const { finalizers = [], deletionTimestamp } = object.metadata
    if (known === undefined) {
      if (csi.driver === DRIVER && deletionTimestamp === undefined)
        this.#world.api.seed(withFinalizer(object, [...finalizers, ATTACHER_FINALIZER]))
      this.#world.api.seed({
        apiVersion: 'storage.k8s.io/v1',
        kind: 'VolumeAttachment',
        metadata: { name },
        spec: { attacher: csi.driver, nodeName, source: { persistentVolumeName: pv } },
        status: { attached: false },
      })
      return false
    }
    if (this.#world.cloud.seams.volume(csi.volumeHandle)?.status === 'in-use') return true
    if (csi.driver !== DRIVER || deletionTimestamp !== undefined) return false
    try {
      this.#world.cloud.seams.attach(csi.volumeHandle, `server-${nodeName}`)
    } catch {
      return false
    }
    this.#world.api.seed({ ...known, status: { attached: true } })
    return true
  }

  /** False as long as Cinder does not let go. */
  async detach(pv: string): Promise<boolean> {
    for (const attachment of this.#attachmentsOf(pv)) {
      const { name } = attachment.metadata
      const id = name.slice('csi-'.length)
      const volume = this.#world.cloud.seams.volume(id)
      const { attached } = (attachment['status'] ?? {}) as { attached?: boolean }
      if (volume !== undefined && attached === true)
        try {
          if (volume.status !== 'available' && volume.status !== 'in-use') return false
          this.#world.cloud.seams.detach(id)
        } catch {
          return false
        }
      await this.#cluster.request('DELETE', `${ATTACHMENTS}/${name}`)
    }
    return true
  }

  /** Of claims that are gone. True when nothing is left to do. */
  async reclaim({ pv }: ClaimTruth): Promise<boolean> {
    await this.detach(pv)
    return this.#cluster.object(PVS, pv) === undefined
  }

  #csiOf(pv: string) {
    return ((this.#cluster.object(PVS, pv)?.['spec'] ?? {}) as Spec).csi
  }

  #attachmentsOf(pv: string): KubeJson[] {
    return Array.from(this.#cluster.objects(ATTACHMENTS).values()).filter(
      (a) => (a['spec'] as Spec).source?.persistentVolumeName === pv,
    )
  }
}

function withFinalizer(object: KubeJson, finalizers: readonly string[]): KubeJson {
  return { ...object, metadata: { ...object.metadata, finalizers: [...new Set(finalizers)] } }
}
