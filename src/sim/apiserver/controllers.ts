import type { Change } from './collection.ts'
import type { CustomResourceDefinition } from './custom-resource.ts'
import type { Storage } from './storage.ts'
import type { Definition, KubeJson } from './types.ts'
import { keyOf, valueAt } from './types.ts'

const CLAIM_FINALIZER = 'kubernetes.io/pvc-protection'
const VOLUME_FINALIZER = 'kubernetes.io/pv-protection'

/**
 * The few controllers without which deletion never ends: namespace contents, protection of claims and volumes in use,
 * and CustomResourceDefinitions. They act at once, where the real ones take a moment.
 */
export class Controllers {
  readonly #storage: Storage
  /** Set by the server: deletes one object as a client would. */
  deleteObject: (def: Definition, object: KubeJson) => void = () => {}
  /** Set by the server: removes one finalizer, which may remove the object. */
  dropFinalizer: (def: Definition, object: KubeJson, finalizer: string) => void = () => {}
  /** Set by the server where the controllers of volumes run. */
  volumes: { changed(def: Definition, object: KubeJson, type: Change['type']): void } | undefined
  /** Set by the server where the controllers of workloads run. */
  workloads: { changed(def: Definition, object: KubeJson, type: Change['type']): void } | undefined

  constructor(storage: Storage) {
    this.#storage = storage
  }

  changed(def: Definition, object: KubeJson, type: Change['type']) {
    if (def.group === 'apiextensions.k8s.io') this.#definitionChanged(object, type)
    if (def.group === '') this.#coreChanged(def, object, type)
    this.volumes?.changed(def, object, type)
    this.workloads?.changed(def, object, type)
    if (type === 'DELETED' && object.metadata.namespace !== undefined)
      this.#endNamespace(object.metadata.namespace)
  }

  #coreChanged(def: Definition, object: KubeJson, type: Change['type']) {
    if (def.kind === 'PersistentVolumeClaim' && type !== 'DELETED') this.#releaseClaim(def, object)
    if (def.kind === 'PersistentVolume' && type !== 'DELETED') this.#releaseVolume(def, object)
    if (def.kind === 'Pod') this.#releaseClaimsOf(object)
    if (
      def.kind === 'Namespace' &&
      object.metadata.deletionTimestamp !== undefined &&
      type !== 'DELETED'
    )
      this.#emptyNamespace(object.metadata.name)
  }

  #definitionChanged(object: KubeJson, type: Change['type']) {
    const crd = object as unknown as CustomResourceDefinition
    if (type === 'DELETED') this.#storage.forget(crd)
    else this.#storage.defineCustom(crd)
  }

  #releaseClaim(def: Definition, claim: KubeJson) {
    if (!isEnding(claim, CLAIM_FINALIZER) || this.#isUsed(claim)) return
    this.dropFinalizer(def, claim, CLAIM_FINALIZER)
  }

  #releaseVolume(def: Definition, volume: KubeJson) {
    if (!isEnding(volume, VOLUME_FINALIZER) || valueAt(volume, 'status.phase') === 'Bound') return
    this.dropFinalizer(def, volume, VOLUME_FINALIZER)
  }

  #isUsed(claim: KubeJson): boolean {
    const pods = this.#storage.collection(this.#core('pods'))
    for (const { object } of pods.values())
      if (object.metadata.namespace === claim.metadata.namespace && isRunning(object))
        if (claimNames(object).includes(claim.metadata.name)) return true
    return false
  }

  #releaseClaimsOf(pod: KubeJson) {
    const def = this.#core('persistentvolumeclaims')
    for (const name of claimNames(pod)) {
      const claim = this.#storage.get(def, pod.metadata.namespace, name)
      if (claim !== undefined) this.#releaseClaim(def, claim)
    }
  }

  #emptyNamespace(name: string) {
    for (const def of this.#storage.definitions().filter((d) => d.namespaced))
      for (const { object } of this.#storage.collection(def).list())
        if (object.metadata.namespace === name) this.deleteObject(def, object)
    this.#endNamespace(name)
  }

  #endNamespace(name: string) {
    const def = this.#core('namespaces')
    const namespace = this.#storage.get(def, undefined, name)
    if (namespace?.metadata.deletionTimestamp === undefined) return
    const left = this.#storage
      .definitions()
      .filter((d) => d.namespaced)
      .some((d) =>
        this.#storage
          .collection(d)
          .list()
          .some((s) => s.key.startsWith(keyOf(name, ''))),
      )
    if (!left) this.#storage.commit(def, 'DELETED', namespace)
  }

  #core(plural: string): Definition {
    return this.#storage.definition('', 'v1', plural)!
  }
}

function isEnding(object: KubeJson, finalizer: string): boolean {
  const { deletionTimestamp, finalizers } = object.metadata
  return deletionTimestamp !== undefined && (finalizers ?? []).includes(finalizer)
}

function isRunning(pod: KubeJson): boolean {
  const phase = valueAt(pod, 'status.phase')
  return phase !== 'Succeeded' && phase !== 'Failed'
}

function claimNames(pod: KubeJson): string[] {
  const volumes = valueAt(pod, 'spec.volumes')
  if (!Array.isArray(volumes)) return []
  return volumes.flatMap((v) => {
    const name = valueAt(v, 'persistentVolumeClaim.claimName')
    return typeof name === 'string' ? [name] : []
  })
}
