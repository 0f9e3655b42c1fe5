import { ANNOTATION } from '../api/names.ts'
import { SCALABLE } from '../api/workload-objects.ts'
import type {
  AutoscalerObject,
  BudgetObject,
  PodObject,
  ReplicaSetObject,
  Scale,
  ScaledObject,
  Unread,
  WorkloadKind,
  WorkloadObject,
  WorkloadsSeen,
} from '../api/workload-objects.ts'
import { messageOf, stable } from '../errors.ts'
import {
  DEPLOYMENT,
  HORIZONTAL_POD_AUTOSCALER,
  NAMESPACE,
  POD,
  POD_DISRUPTION_BUDGET,
  REPLICA_SET,
  SCALED_OBJECT,
  STATEFUL_SET,
} from './resources.ts'
import type { KubeClient, KubeObject, Resource } from './types.ts'
import { all, found, missing, write } from './uncached.ts'
import type { Fence, Right, WriteAnswer } from './uncached.ts'

const RESOURCE: Readonly<Record<WorkloadKind, Resource>> = {
  Deployment: DEPLOYMENT,
  StatefulSet: STATEFUL_SET,
}

/** Every right that stopping a workload needs, asked for before anything is touched. */
export const WORKLOAD_RIGHTS: readonly Right[] = [
  ...[DEPLOYMENT, STATEFUL_SET].flatMap((resource) =>
    ['get', 'list', 'patch'].map((verb) => ({ verb, resource })),
  ),
  ...[REPLICA_SET, POD, POD_DISRUPTION_BUDGET, HORIZONTAL_POD_AUTOSCALER, SCALED_OBJECT].map(
    (resource) => ({ verb: 'list', resource }),
  ),
  { verb: 'get', resource: NAMESPACE },
]

type WorkloadName = {
  readonly kind: WorkloadKind
  readonly namespace: string
  readonly name: string
}

/**
 * The API server as the stop of a workload needs it. Reads go to the server itself; writes never throw, and are refused
 * (404, 409, 422) when the object is another one, or in another version, than was meant.
 */
export interface Workloads {
  /** Everything that has a say in a namespace. Never throws: what cannot be read says why. */
  read(namespace: string): Promise<WorkloadsSeen>
  /** Throws when it cannot be read. */
  get(of: WorkloadName): Promise<WorkloadObject | undefined>
  /** Of all namespaces, those that carry the mark of a stop. Throws when they cannot be read. */
  marked(): Promise<readonly WorkloadObject[]>
  /** Every Pod of the namespace, also ended ones. Throws when they cannot be read. */
  pods(namespace: string): Promise<readonly PodObject[]>
  /** Those of `rights` that the role lacks, as they are shown: `patch deployments.apps`. */
  missing(rights: readonly Right[]): Promise<readonly string[]>
  /** Sets scale (as it is where that is undefined) and mark (off where it is undefined) in one write, and nothing else. */
  write(
    of: WorkloadName & {
      readonly uid: string
      readonly resourceVersion: string
      readonly scale?: Scale
      readonly stoppedFor: string | undefined
      readonly fence: Fence
    },
  ): Promise<WriteAnswer>
}

export function createWorkloads(client: KubeClient): Workloads {
  const pods = (namespace: string) => all<PodObject>(client, POD, namespace)
  return {
    read: async (namespace) => {
      const list = <T extends KubeObject>(resource: Resource) =>
        readable(all<T>(client, resource, namespace))
      // before all else: see WorkloadsSeen
      const workloads = await readable(allWorkloads(client, namespace))
      const [about, replicaSets, podsSeen, budgets, autoscalers, scaledObjects] = await Promise.all(
        [
          readable(client.get(NAMESPACE, namespace)),
          list<ReplicaSetObject>(REPLICA_SET),
          readable(pods(namespace)),
          list<BudgetObject>(POD_DISRUPTION_BUDGET),
          list<AutoscalerObject>(HORIZONTAL_POD_AUTOSCALER),
          readable(allScaledObjects(client, namespace)),
        ],
      )
      return {
        namespace: about,
        workloads,
        replicaSets,
        pods: podsSeen,
        budgets,
        autoscalers,
        scaledObjects,
      }
    },
    get: async ({ kind, namespace, name }) => {
      const object = await found(
        client.get<Omit<WorkloadObject, 'kind'>>(RESOURCE[kind], name, namespace),
      )
      return object && { ...object, kind }
    },
    marked: () =>
      allWorkloads(
        client,
        undefined,
        ({ metadata }) => metadata.annotations?.[ANNOTATION.stoppedFor] !== undefined,
      ),
    pods,
    missing: (rights) => missing(client, rights),
    write: ({ kind, namespace, name, uid, resourceVersion, scale, stoppedFor, fence }) => {
      const annotations = { [ANNOTATION.stoppedFor]: stoppedFor ?? null }
      const body = {
        metadata: { uid, resourceVersion, annotations },
        ...(scale === undefined ? {} : { spec: specOf(kind, scale) }),
      }
      return write(fence, (f) =>
        client.patch(RESOURCE[kind], name, body, { type: 'merge', namespace, ...f }),
      )
    },
  }
}

function specOf(kind: WorkloadKind, { replicas, start }: Scale): object {
  if (kind === 'Deployment') return { replicas }
  return { replicas, ordinals: start === undefined ? null : { start } }
}

async function allWorkloads(
  client: KubeClient,
  namespace?: string,
  isWanted?: (item: KubeObject) => boolean,
): Promise<readonly WorkloadObject[]> {
  const lists = await Promise.all(
    SCALABLE.map(async (kind) => {
      const items = await all<Omit<WorkloadObject, 'kind'>>(
        client,
        RESOURCE[kind],
        namespace,
        isWanted,
      )
      return items.map((item) => ({ ...item, kind }))
    }),
  )
  return lists.flat()
}

async function allScaledObjects(
  client: KubeClient,
  namespace: string,
): Promise<readonly ScaledObject[]> {
  return (await client.serves(SCALED_OBJECT))
    ? all<ScaledObject>(client, SCALED_OBJECT, namespace)
    : []
}

async function readable<T>(reading: Promise<T>): Promise<T | Unread> {
  try {
    return await reading
  } catch (e) {
    return { unread: stable(messageOf(e)) }
  }
}
