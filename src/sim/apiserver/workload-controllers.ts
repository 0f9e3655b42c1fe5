import type { Change } from './collection.ts'
import type { Controllers } from './controllers.ts'
import type { Storage } from './storage.ts'
import type { Definition, KubeJson, Meta } from './types.ts'
import { isObject, sameJson, valueAt } from './types.ts'
import type { WriteOptions } from './write.ts'
import { create, update } from './write.ts'

/** Whether a kubelet runs the Pods, or nobody does. */
export type PodsAre = 'Pending' | 'Ready'

const OPTIONS: WriteOptions = {
  fieldManager: 'kube-controller-manager',
  dryRun: false,
  subresource: '',
}

/**
 * The controllers of Deployments, ReplicaSets and StatefulSets as far as scaling meets them, and the garbage collector
 * for what these own. They act at once and one Pod at a time; there are no rollouts: a Deployment has one ReplicaSet.
 */
export class WorkloadControllers {
  readonly #storage: Storage
  readonly #controllers: Controllers
  readonly #podsAre: PodsAre
  /** uids of what is being brought to its count: a change by that comes back here. */
  readonly #busy = new Set<string>()

  constructor(storage: Storage, controllers: Controllers, podsAre: PodsAre) {
    this.#storage = storage
    this.#controllers = controllers
    this.#podsAre = podsAre
  }

  changed(def: Definition, object: KubeJson, type: Change['type']) {
    if (def.group === '' && def.kind === 'Pod') return this.#podChanged(object)
    if (def.group !== 'apps' || def.kind === 'DaemonSet') return
    if (type === 'DELETED') return this.#collect(object)
    if (def.kind === 'Deployment') this.#replicaSet(object)
    else this.#count(def, object)
  }

  #podChanged(pod: KubeJson) {
    const owner = controllerOf(pod)
    const def = owner && this.#storage.definition('apps', 'v1', `${owner.kind.toLowerCase()}s`)
    const object = def && this.#storage.get(def, pod.metadata.namespace, owner?.name ?? '')
    if (object?.metadata.uid === owner?.uid && def !== undefined && object !== undefined)
      this.#count(def, object)
  }

  #collect(owner: KubeJson) {
    for (const def of [this.#apps('replicasets'), this.#pods()])
      for (const object of this.#ownedBy(owner, def)) this.#controllers.deleteObject(def, object)
  }

  /** The Deployment's own, with its count. */
  #replicaSet(deployment: KubeJson) {
    if (deployment.metadata.deletionTimestamp !== undefined) return
    const def = this.#apps('replicasets')
    const { namespace, name } = deployment.metadata
    const replicas = countOf(deployment)
    const old = this.#ownedBy(deployment, def)[0]
    if (old === undefined) {
      const template = templateOf(deployment)
      const metadata = {
        ...meta(namespace, `${name}-${this.#storage.suffix()}`, deployment),
        labels: template.metadata.labels ?? {},
      }
      const spec = { replicas, selector: valueAt(deployment, 'spec.selector'), template }
      this.#create(def, { apiVersion: 'apps/v1', kind: 'ReplicaSet', metadata, spec })
    } else if (countOf(old) !== replicas)
      this.#update(def, old, { spec: { ...specOf(old), replicas } })
  }

  /** One Pod after the other, until there are as many as there should be. */
  #count(def: Definition, owner: KubeJson) {
    const { uid = '', namespace, name } = owner.metadata
    if (this.#busy.has(uid) || this.#isEnding(namespace)) return
    this.#busy.add(uid)
    try {
      for (;;) {
        const now = this.#storage.get(def, namespace, name)
        if (now?.metadata.uid !== uid || now.metadata.deletionTimestamp !== undefined) return
        if (!(def.kind === 'StatefulSet' ? this.#stepOfSet(now) : this.#stepOfReplicas(now))) break
      }
    } finally {
      this.#busy.delete(uid)
    }
    const now = this.#storage.get(def, namespace, name)
    if (now?.metadata.uid === uid) this.#status(def, now)
  }

  #isEnding(namespace: string | undefined): boolean {
    const def = this.#storage.definition('', 'v1', 'namespaces')!
    const found = this.#storage.get(def, undefined, namespace ?? '')
    return found?.metadata.deletionTimestamp !== undefined
  }

  /** False when there is nothing to do. */
  #stepOfReplicas(owner: KubeJson): boolean {
    const pods = this.#living(owner)
    const count = countOf(owner)
    if (pods.length === count) return false
    const { namespace, name } = owner.metadata
    if (pods.length > count) this.#controllers.deleteObject(this.#pods(), pods.at(-1)!)
    else this.#pod(owner, meta(namespace, `${name}-${this.#storage.suffix()}`, owner), [])
    return true
  }

  #stepOfSet(owner: KubeJson): boolean {
    const { namespace, name } = owner.metadata
    const start = Number(valueAt(owner, 'spec.ordinals.start') ?? 0)
    const wanted = Array.from({ length: countOf(owner) }, (_, i) => `${name}-${start + i}`)
    const pods = this.#ownedBy(owner, this.#pods())
    const missing = wanted.find((w) => pods.every((p) => p.metadata.name !== w))
    if (missing !== undefined) {
      const labels = {
        'statefulset.kubernetes.io/pod-name': missing,
        'apps.kubernetes.io/pod-index': missing.slice(name.length + 1),
      }
      const metadata = { ...meta(namespace, missing, owner), labels }
      this.#pod(owner, metadata, this.#claims(owner, missing))
      return true
    }
    const condemned = this.#living(owner)
      .filter((p) => !wanted.includes(p.metadata.name))
      .toSorted((a, b) => ordinalOf(b) - ordinalOf(a))[0]
    if (condemned === undefined) return false
    this.#controllers.deleteObject(this.#pods(), condemned)
    return true
  }

  #pod(owner: KubeJson, metadata: Meta, volumes: readonly unknown[]) {
    const template = templateOf(owner)
    const spec = isObject(template['spec']) ? template['spec'] : {}
    const own = Array.isArray(spec['volumes']) ? (spec['volumes'] as unknown[]) : []
    const pod = this.#create(this.#pods(), {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        ...metadata,
        labels: { ...template.metadata.labels, ...metadata.labels },
        annotations: template.metadata.annotations ?? {},
      },
      spec: { ...spec, volumes: [...own, ...volumes] },
    })
    if (this.#podsAre === 'Pending') return
    const conditions = [{ type: 'Ready', status: 'True' }]
    this.#update(this.#pods(), pod, { status: { phase: 'Running', conditions } }, 'status')
  }

  /** Volumes of the claims of its templates, which are made where they are missing, and never deleted. */
  #claims(owner: KubeJson, pod: string): unknown[] {
    const templates = valueAt(owner, 'spec.volumeClaimTemplates')
    if (!Array.isArray(templates)) return []
    const def = this.#storage.definition('', 'v1', 'persistentvolumeclaims')!
    const { namespace } = owner.metadata
    return (templates as KubeJson[]).map(({ metadata, spec }) => {
      const claimName = `${metadata.name}-${pod}`
      if (this.#storage.get(def, namespace, claimName) === undefined)
        this.#create(def, {
          apiVersion: 'v1',
          kind: 'PersistentVolumeClaim',
          metadata: { name: claimName, ...(namespace === undefined ? {} : { namespace }) },
          spec,
        })
      return { name: metadata.name, persistentVolumeClaim: { claimName } }
    })
  }

  #status(def: Definition, owner: KubeJson) {
    const pods = this.#living(owner)
    const status = {
      observedGeneration: owner.metadata.generation,
      replicas: pods.length,
      readyReplicas: pods.filter(isReady).length,
    }
    if (sameJson(owner['status'], status)) return
    this.#update(def, owner, { status }, 'status')
    const above = controllerOf(owner)
    const deployments = this.#apps('deployments')
    const deployment = above && this.#storage.get(deployments, owner.metadata.namespace, above.name)
    if (deployment === undefined || deployment.metadata.uid !== above?.uid) return
    const shown = { ...status, observedGeneration: deployment.metadata.generation }
    if (!sameJson(deployment['status'], shown))
      this.#update(deployments, deployment, { status: shown }, 'status')
  }

  #living(owner: KubeJson): KubeJson[] {
    return this.#ownedBy(owner, this.#pods()).filter(
      (p) => p.metadata.deletionTimestamp === undefined && !hasEnded(p),
    )
  }

  #ownedBy({ metadata: { namespace, uid } }: KubeJson, def: Definition): KubeJson[] {
    return this.#storage
      .collection(def)
      .list()
      .map((s) => s.object)
      .filter((o) => o.metadata.namespace === namespace && controllerOf(o)?.uid === uid)
  }

  #create(def: Definition, object: KubeJson): KubeJson {
    const { namespace } = object.metadata
    return create(this.#storage, this.#controllers, def, namespace, object, OPTIONS)
  }

  #update(
    def: Definition,
    { metadata: { namespace, name } }: KubeJson,
    change: Readonly<Record<string, unknown>>,
    subresource: WriteOptions['subresource'] = '',
  ) {
    const old = this.#storage.get(def, namespace, name)
    if (old === undefined) return
    const { resourceVersion: _version, ...metadata } = old.metadata
    const next = { ...old, ...change, metadata }
    update(this.#storage, this.#controllers, def, old, next, { ...OPTIONS, subresource })
  }

  #pods(): Definition {
    return this.#storage.definition('', 'v1', 'pods')!
  }

  #apps(plural: string): Definition {
    return this.#storage.definition('apps', 'v1', plural)!
  }
}

type Owner = { readonly kind: string; readonly name: string; readonly uid: string }

function controllerOf({ metadata }: KubeJson): Owner | undefined {
  const owners = metadata['ownerReferences']
  if (!Array.isArray(owners)) return undefined
  return (owners as (Owner & { controller?: boolean })[]).find((o) => o.controller === true)
}

function meta(namespace: string | undefined, name: string, owner: KubeJson): Meta {
  const { kind, apiVersion } = owner
  const reference = { apiVersion, kind, name: owner.metadata.name, uid: owner.metadata.uid }
  const ownerReferences = [{ ...reference, controller: true, blockOwnerDeletion: true }]
  return { name, ...(namespace === undefined ? {} : { namespace }), ownerReferences }
}

function specOf(object: KubeJson): object {
  return isObject(object['spec']) ? object['spec'] : {}
}

function countOf(object: KubeJson): number {
  return Number(valueAt(object, 'spec.replicas') ?? 1)
}

function templateOf(owner: KubeJson): KubeJson {
  const template = valueAt(owner, 'spec.template')
  const { metadata, ...rest } = (isObject(template) ? template : {}) as Partial<KubeJson>
  return { ...rest, metadata: metadata ?? {} } as KubeJson
}

function ordinalOf({ metadata: { name } }: KubeJson): number {
  return Number(/\d+$/.exec(name)?.[0])
}

function hasEnded(pod: KubeJson): boolean {
  const phase = valueAt(pod, 'status.phase')
  return phase === 'Succeeded' || phase === 'Failed'
}

function isReady(pod: KubeJson): boolean {
  const conditions = valueAt(pod, 'status.conditions')
  return (
    Array.isArray(conditions) &&
    conditions.some((c) => valueAt(c, 'type') === 'Ready' && valueAt(c, 'status') === 'True')
  )
}
