import type { Change } from './collection.ts'
import type { Controllers } from './controllers.ts'
import type { Storage } from './storage.ts'
import { create, update } from './write.ts'
import type { Definition, KubeJson } from './types.ts'
import { valueAt } from './types.ts'

/** What the CSI driver does with the volume of a handle; the sidecars ask for nothing else here. */
export type SimulatedDriver = {
  /** False when it cannot be deleted now, as with snapshots. */
  deleteVolume(handle: string): boolean
}

const DRIVER = 'cinder.csi.openstack.org'
const PROVISIONER_FINALIZER = 'external-provisioner.volume.kubernetes.io/finalizer'
const ATTACHER_FINALIZER = 'external-attacher/cinder-csi-openstack-org'
/** Of the PersistentVolume controller. */
/** After Cinder refused to delete a volume; the real provisioner doubles it up to five minutes. */
const RETRY_MS = 60_000
const RESYNC_MS = 15_000
const LOST = 'Bound claim has lost its PersistentVolume. Data on the volume is lost!'

/**
 * The PersistentVolume controller, and the provisioner and attacher beside the Cinder CSI driver, as far as the
 * replacement of a PersistentVolume meets them. They act at once, where the real ones take up to a second; only a claim
 * that is Lost waits for a resync, or for a change of its own.
 */
export class VolumeControllers {
  readonly #storage: Storage
  readonly #controllers: Controllers
  readonly #driver: SimulatedDriver

  constructor(storage: Storage, controllers: Controllers, driver: SimulatedDriver) {
    this.#storage = storage
    this.#controllers = controllers
    this.#driver = driver
  }

  changed(def: Definition, object: KubeJson, type: Change['type']) {
    if (def.group === '' && def.kind === 'PersistentVolume') this.#volumeChanged(object, type)
    if (def.group === '' && def.kind === 'PersistentVolumeClaim') this.#claimChanged(object, type)
    if (def.kind === 'VolumeAttachment') this.#attachmentChanged(object, type)
  }

  #volumeChanged(pv: KubeJson, type: Change['type']) {
    if (type === 'DELETED') return this.#lose(pv.metadata.name)
    if (this.#phase(pv)) return
    if (this.#finalize(pv) || this.#detached(pv)) return
    this.#reclaim(pv)
  }

  #claimChanged(claim: KubeJson, type: Change['type']) {
    const pv = this.#volume(valueAt(claim, 'spec.volumeName'))
    if (pv === undefined) return
    if (type === 'DELETED') this.#volumeChanged(pv, 'MODIFIED')
    else this.#rebind(claim)
  }

  /** True when it was written, which comes back as another change. */
  #phase(pv: KubeJson): boolean {
    const phase = this.#claimOf(pv) === undefined ? 'Released' : 'Bound'
    if (valueAt(pv, 'spec.claimRef.uid') === undefined || valueAt(pv, 'status.phase') === phase)
      return false
    this.#write('persistentvolumes', { ...pv, status: { phase } }, 'status')
    if (phase === 'Bound') {
      const { clock } = this.#storage
      clock.setTimer(RESYNC_MS, () => {
        const claim = this.#claimOf(pv)
        if (claim !== undefined) this.#rebind(claim)
      })
    }
    return true
  }

  #lose(name: string) {
    const claims = this.#storage.collection(this.#core('persistentvolumeclaims'))
    for (const { object } of claims.list())
      if (valueAt(object, 'spec.volumeName') === name && phaseOf(object) === 'Bound') {
        this.#write(
          'persistentvolumeclaims',
          { ...object, status: { ...statusOf(object), phase: 'Lost' } },
          'status',
        )
        this.#warn(object, 'ClaimLost', LOST)
      }
  }

  #rebind(claim: KubeJson) {
    const now = this.#storage.get(
      this.#core('persistentvolumeclaims'),
      claim.metadata.namespace,
      claim.metadata.name,
    )
    if (now === undefined || phaseOf(now) !== 'Lost') return
    const pv = this.#volume(valueAt(now, 'spec.volumeName'))
    if (pv === undefined || valueAt(pv, 'spec.claimRef.uid') !== now.metadata.uid) return
    const status = { ...statusOf(now), phase: 'Bound' }
    this.#write('persistentvolumeclaims', { ...now, status }, 'status')
  }

  /** The provisioner's finalizer follows the reclaim policy of what is served by the driver. */
  #finalize(pv: KubeJson): boolean {
    if (valueAt(pv, 'spec.csi.driver') !== DRIVER) return false
    const finalizers = pv.metadata.finalizers ?? []
    const has = finalizers.includes(PROVISIONER_FINALIZER)
    const isDelete = valueAt(pv, 'spec.persistentVolumeReclaimPolicy') === 'Delete'
    if (isDelete && !has && pv.metadata.deletionTimestamp === undefined)
      this.#finalizers(pv, [...finalizers, PROVISIONER_FINALIZER])
    else if (!isDelete && has) this.#dropped(pv, PROVISIONER_FINALIZER)
    else return false
    return true
  }

  /** By its name alone an attachment keeps the volume, regardless of who serves it. */
  #reclaim(pv: KubeJson) {
    if (valueAt(pv, 'spec.csi.driver') !== DRIVER || phaseOf(pv) !== 'Released') return
    if (valueAt(pv, 'spec.persistentVolumeReclaimPolicy') !== 'Delete') return
    if (!(pv.metadata.finalizers ?? []).includes(PROVISIONER_FINALIZER)) return
    const attached = this.#attachments(pv.metadata.name)[0]
    if (attached !== undefined)
      return this.#warn(
        pv,
        'VolumeFailedDelete',
        `persistentvolume ${pv.metadata.name} is still attached to node ${String(valueAt(attached, 'spec.nodeName'))}`,
      )
    if (!this.#driver.deleteVolume(String(valueAt(pv, 'spec.csi.volumeHandle')))) {
      this.#storage.clock.setTimer(RETRY_MS, () => {
        const now = this.#volume(pv.metadata.name)
        if (now !== undefined && now.metadata.uid === pv.metadata.uid) this.#reclaim(now)
      })
      return
    }
    if (pv.metadata.deletionTimestamp === undefined)
      this.#controllers.deleteObject(this.#core('persistentvolumes'), pv)
    const left = this.#volume(pv.metadata.name)
    if (left !== undefined) this.#dropped(left, PROVISIONER_FINALIZER)
  }

  #attachmentChanged(attachment: KubeJson, type: Change['type']) {
    const pv = this.#volume(valueAt(attachment, 'spec.source.persistentVolumeName'))
    if (pv === undefined || valueAt(pv, 'spec.csi.driver') !== DRIVER) return
    if (type === 'DELETED') return this.#volumeChanged(pv, 'MODIFIED')
    if (valueAt(attachment, 'spec.attacher') !== DRIVER) return
    if (valueAt(attachment, 'status') !== undefined) return
    const { deletionTimestamp, finalizers = [], name } = pv.metadata
    if (deletionTimestamp !== undefined) {
      const message = `PersistentVolume "${name}" is marked for deletion`
      const status = { attached: false, attachError: { message } }
      return this.#write('volumeattachments', { ...attachment, status }, 'status')
    }
    if (!finalizers.includes(ATTACHER_FINALIZER))
      this.#finalizers(pv, [...finalizers, ATTACHER_FINALIZER])
    this.#write('volumeattachments', { ...attachment, status: { attached: true } }, 'status')
  }

  /** The attacher takes its finalizer off what is being deleted, and only when there is no attachment at all. */
  #detached(pv: KubeJson): boolean {
    const { deletionTimestamp, finalizers = [], name } = pv.metadata
    if (deletionTimestamp === undefined || !finalizers.includes(ATTACHER_FINALIZER)) return false
    if (this.#attachments(name).length > 0) return false
    this.#dropped(pv, ATTACHER_FINALIZER)
    return true
  }

  #attachments(persistentVolume: string): KubeJson[] {
    return this.#storage
      .collection(this.#definition('volumeattachments'))
      .list()
      .map((s) => s.object)
      .filter((a) => valueAt(a, 'spec.source.persistentVolumeName') === persistentVolume)
  }

  #claimOf(pv: KubeJson): KubeJson | undefined {
    const namespace = valueAt(pv, 'spec.claimRef.namespace')
    const name = valueAt(pv, 'spec.claimRef.name')
    if (typeof namespace !== 'string' || typeof name !== 'string') return undefined
    const claim = this.#storage.get(this.#core('persistentvolumeclaims'), namespace, name)
    return claim?.metadata.uid === valueAt(pv, 'spec.claimRef.uid') ? claim : undefined
  }

  #volume(name: unknown): KubeJson | undefined {
    return typeof name === 'string'
      ? this.#storage.get(this.#core('persistentvolumes'), undefined, name)
      : undefined
  }

  #finalizers(pv: KubeJson, finalizers: readonly string[]) {
    this.#write('persistentvolumes', { ...pv, metadata: { ...pv.metadata, finalizers } }, '')
  }

  #dropped(pv: KubeJson, finalizer: string) {
    this.#controllers.dropFinalizer(this.#core('persistentvolumes'), pv, finalizer)
  }

  #write(plural: string, object: KubeJson, subresource: '' | 'status') {
    const def = this.#definition(plural)
    const { namespace, name } = object.metadata
    const old = this.#storage.get(def, namespace, name)
    if (old === undefined) return
    const { resourceVersion: _version, ...metadata } = object.metadata
    update(
      this.#storage,
      this.#controllers,
      def,
      old,
      { ...object, metadata },
      {
        fieldManager: 'kube-controller-manager',
        dryRun: false,
        subresource,
      },
    )
  }

  #warn(about: KubeJson, reason: string, message: string) {
    const { namespace = 'default', name, uid } = about.metadata
    const { kind, apiVersion } = about
    const involvedObject = {
      kind,
      apiVersion,
      name,
      uid,
      ...(about.metadata.namespace === undefined ? {} : { namespace }),
    }
    const event = {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { namespace, name: `${name}.${this.#storage.suffix()}` },
      involvedObject,
      reason,
      message,
      type: 'Warning',
    }
    create(this.#storage, this.#controllers, this.#core('events'), namespace, event, {
      fieldManager: 'kube-controller-manager',
      dryRun: false,
      subresource: '',
    })
  }

  #core(plural: string): Definition {
    return this.#storage.definition('', 'v1', plural)!
  }

  #definition(plural: string): Definition {
    return this.#storage.definition('storage.k8s.io', 'v1', plural) ?? this.#core(plural)
  }
}

function phaseOf(object: KubeJson): unknown {
  return valueAt(object, 'status.phase')
}

function statusOf(object: KubeJson): object {
  return (object['status'] as object | undefined) ?? {}
}
