import type { Controllers } from './controllers.ts'
import { forbidden, preconditionFailed } from './status.ts'
import type { Storage } from './storage.ts'
import type { Definition, KubeJson } from './types.ts'
import { isObject, valueAt } from './types.ts'
import { remove } from './write.ts'

export type DeleteOptions = {
  readonly uid?: string
  readonly resourceVersion?: string
  readonly gracePeriodSeconds?: number
  readonly dryRun: boolean
}

export function deleteOptions(body: unknown, query: URLSearchParams): DeleteOptions {
  const given = isObject(body) ? body : {}
  const { uid, resourceVersion } = isObject(given['preconditions']) ? given['preconditions'] : {}
  const grace = query.get('gracePeriodSeconds') ?? given['gracePeriodSeconds']
  return {
    ...(typeof uid === 'string' ? { uid } : {}),
    ...(typeof resourceVersion === 'string' ? { resourceVersion } : {}),
    ...(grace === undefined || grace === null ? {} : { gracePeriodSeconds: Number(grace) }),
    dryRun: query.has('dryRun') || given['dryRun'] !== undefined,
  }
}

const PERMANENT = ['default', 'kube-system', 'kube-public']

export type Deleted = { readonly object: KubeJson; readonly gone: boolean }

/** Deletes, or marks for deletion when finalizers or a grace period hold it. Throws 409 on a failed precondition. */
export function deleteObject(
  storage: Storage,
  controllers: Controllers,
  def: Definition,
  old: KubeJson,
  options: DeleteOptions,
): Deleted {
  checkPreconditions(def, old, options)
  if (def.kind === 'Namespace' && PERMANENT.includes(old.metadata.name))
    throw forbidden(def, old.metadata.name, 'this namespace may not be deleted')
  const grace = graceOf(def, old, options)
  const held = (old.metadata.finalizers ?? []).length > 0 || grace > 0 || def.kind === 'Namespace'
  if (options.dryRun) return { object: old, gone: !held }
  if (!held) {
    const marked = def.kind === 'Pod' ? terminating(storage, old, 0) : old
    remove(storage, controllers, def, marked)
    return { object: marked, gone: true }
  }
  if (old.metadata.deletionTimestamp !== undefined && !shortens(old, grace))
    return { object: old, gone: false }
  const marked = storage.commit(def, 'MODIFIED', phased(def, terminating(storage, old, grace)))
  controllers.changed(def, marked, 'MODIFIED')
  return { object: marked, gone: false }
}

function checkPreconditions(def: Definition, old: KubeJson, options: DeleteOptions) {
  const { name, uid, resourceVersion } = old.metadata
  if (options.uid !== undefined && options.uid !== uid)
    throw preconditionFailed(
      def,
      name,
      `the UID in the precondition (${options.uid}) does not match the UID in record (${uid}). The object might have been deleted and then recreated`,
    )
  if (options.resourceVersion !== undefined && options.resourceVersion !== resourceVersion)
    throw preconditionFailed(
      def,
      name,
      `the ResourceVersion in the precondition (${options.resourceVersion}) does not match the ResourceVersion in record (${resourceVersion}). The object might have been modified`,
    )
}

/** Only a Pod that runs on a node ends gracefully. */
function graceOf(def: Definition, old: KubeJson, { gracePeriodSeconds }: DeleteOptions): number {
  if (def.kind !== 'Pod' || valueAt(old, 'spec.nodeName') === undefined) return 0
  const phase = valueAt(old, 'status.phase')
  if (phase === 'Succeeded' || phase === 'Failed') return 0
  return gracePeriodSeconds ?? Number(valueAt(old, 'spec.terminationGracePeriodSeconds') ?? 30)
}

function shortens(old: KubeJson, grace: number): boolean {
  return grace < (old.metadata.deletionGracePeriodSeconds ?? 0)
}

function terminating(storage: Storage, old: KubeJson, grace: number): KubeJson {
  const { generation, deletionTimestamp } = old.metadata
  return {
    ...old,
    metadata: {
      ...old.metadata,
      deletionTimestamp: storage.timestamp(grace),
      deletionGracePeriodSeconds: grace,
      ...(generation === undefined || deletionTimestamp !== undefined
        ? {}
        : { generation: generation + 1 }),
    },
  }
}

function phased(def: Definition, object: KubeJson): KubeJson {
  return def.kind === 'Namespace' ? { ...object, status: { phase: 'Terminating' } } : object
}
