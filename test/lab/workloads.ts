import { ApiClient } from '../contract/apiserver-client.ts'
import { labTarget } from '../contract/target-apiserver.ts'
import { ANNOTATION, FIELD_MANAGER } from '../../src/api/names.ts'
import { theLab } from './env.ts'
import { eventually } from './eventually.ts'
import { kubectl } from './kubectl.ts'
import { isReady, runPods } from './pod-runner.ts'
import type { RunPod } from './pod-runner.ts'
import { createWatches } from './watches.ts'

export type WorkloadKind = 'Deployment' | 'StatefulSet'

type Workload = {
  readonly metadata: {
    readonly uid: string
    readonly generation: number
    readonly annotations?: Readonly<Record<string, string>>
  }
  readonly spec: { readonly replicas: number; readonly ordinals?: { readonly start: number } }
}

export type OwnerEvent = {
  readonly reason: string
  readonly message: string
  /** The same again adds to it. */
  readonly count: number
}

/** How many Pods of an app could be used, from the moment at which all of them could be for the first time. */
export interface Availability {
  readonly fewest: number
  /** Names of the Pods that ceased to be ready, in order. */
  readonly lost: readonly string[]
}

/** Deployments and StatefulSets of one namespace, whose owner lets moves stop them, and whose Pods run. */
export interface Workloads {
  /** Its Pods use the claims `data-NAME-ORDINAL`, which it makes itself. */
  statefulSet(name: string, policy: string, replicas: number): Promise<void>
  deployment(name: string, claim: string): Promise<void>
  /** One Pod of the app may be unavailable. */
  budget(app: string): Promise<void>
  workload(kind: WorkloadKind, name: string): Promise<Workload>
  /** Names of the Pods that are ready, sorted. */
  ready(app: string): Promise<readonly string[]>
  readyWhen(app: string, names: readonly string[]): Promise<void>
  availability(app: string, replicas: number): Promise<Availability>
  /** Calls back for each change of the workload, with what it is now. */
  watch(kind: WorkloadKind, name: string, on: (workload: Workload) => void): Promise<void>
  /** As GitOps: what is not so many replicas from ordinal 0 is set back at once. Resolves to how often that was. */
  setsBack(name: string, replicas: number): Promise<() => number>
  /** CoucheStor's events on that very object, oldest first. */
  events(kind: WorkloadKind, name: string): Promise<readonly OwnerEvent[]>
  /** Names of the records of stopped workloads. */
  stops(): Promise<readonly string[]>
  /** Before the namespace goes, whose Pods would come again. */
  down(): Promise<void>
}

const CHECKPOINTS = '/apis/couchestor.io/v1alpha1/tieringcheckpoints'
const PATH = { Deployment: 'deployments', StatefulSet: 'statefulsets' } as const

export async function createWorkloads(namespace: string): Promise<Workloads> {
  const target = labTarget(theLab())
  const api = new ApiClient(target.http, target.url)
  const watches = createWatches()
  const stopPods = await runPods(namespace)
  const all = (kind: WorkloadKind) => `/apis/apps/v1/namespaces/${namespace}/${PATH[kind]}`
  const pods = `/api/v1/namespaces/${namespace}/pods`
  const create = async (path: string, object: object) => {
    const { status, body } = await api.post(path, object)
    if (status !== 201) throw new Error(`${path}: ${JSON.stringify(body)}`)
  }
  const workload: Workloads['workload'] = async (kind, name) =>
    (await api.get(`${all(kind)}/${name}`)).body
  const ready: Workloads['ready'] = async (app) => {
    const { body } = await api.get(`${pods}?labelSelector=app%3D${app}`)
    const found: readonly RunPod[] = body.items
    return found
      .filter(isReady)
      .map((p) => p.metadata.name)
      .toSorted()
  }
  const watch: Workloads['watch'] = (kind, name, on) =>
    watches.open<Workload>(all(kind), { fieldSelector: `metadata.name=${name}` }, ({ object }) =>
      on(object),
    )

  const stops: Workloads['stops'] = async () => {
    const { body } = await api.get(CHECKPOINTS)
    const names: string[] = body.items.map((c: { metadata: { name: string } }) => c.metadata.name)
    return names.filter((name) => name.startsWith('workload-stop-'))
  }

  return {
    workload,
    ready,
    watch,
    statefulSet: (name, policy, replicas) =>
      create(all('StatefulSet'), {
        metadata: metadata(name),
        spec: {
          ...podsOf(name),
          replicas,
          serviceName: name,
          volumeClaimTemplates: [
            {
              metadata: { name: 'data', annotations: { [ANNOTATION.policy]: policy } },
              spec: {
                storageClassName: 'couchestor-hot',
                accessModes: ['ReadWriteOnce'],
                resources: { requests: { storage: '1Gi' } },
              },
            },
          ],
        },
      }),
    deployment: (name, claimName) =>
      create(all('Deployment'), {
        metadata: metadata(name),
        spec: podsOf(name, [{ name: 'data', persistentVolumeClaim: { claimName } }]),
      }),
    budget: (app) =>
      create(`/apis/policy/v1/namespaces/${namespace}/poddisruptionbudgets`, {
        metadata: { name: app },
        spec: { selector: { matchLabels: { app } }, maxUnavailable: 1 },
      }),
    readyWhen: async (app, names) => {
      await eventually(`Pods ${names.join()} of ${app} are ready`, async () => {
        return (await ready(app)).join() === names.join()
      })
    },
    availability: async (app, replicas) => {
      const usable = new Set<string>()
      const seen = { fewest: replicas, lost: [] as string[] }
      let hasBegun = false
      await watches.open<RunPod>(pods, { labelSelector: `app=${app}` }, ({ type, object }) => {
        const { name } = object.metadata
        if (type !== 'DELETED' && isReady(object)) usable.add(name)
        else if (usable.delete(name) && hasBegun) seen.lost.push(name)
        hasBegun ||= usable.size === replicas
        if (hasBegun) seen.fewest = Math.min(seen.fewest, usable.size)
      })
      return seen
    },
    setsBack: async (name, replicas) => {
      const path = `${all('StatefulSet')}/${name}`
      const changes = new Set<number>()
      await watch('StatefulSet', name, ({ metadata: { generation }, spec }) => {
        if (spec.replicas === replicas && spec.ordinals === undefined) return
        // its status is written as well
        if (changes.has(generation)) return
        changes.add(generation)
        void api.patch(path, { spec: { replicas, ordinals: null } })
      })
      return () => changes.size
    },
    events: async (kind, name) => {
      const { uid } = (await workload(kind, name)).metadata
      const { body } = await api.get(`/api/v1/namespaces/${namespace}/events`)
      type Event = OwnerEvent & {
        readonly metadata: { readonly name: string }
        readonly source?: { readonly component?: string }
        readonly involvedObject: { readonly uid?: string }
      }
      const found: readonly Event[] = body.items
      // names end with the time in ms, in hex: firstTimestamp alone has whole seconds
      const at = (e: Event) => Number.parseInt(e.metadata.name.split('.').at(-2) ?? '', 16) || 0
      return found
        .filter((e) => e.involvedObject.uid === uid && e.source?.component === FIELD_MANAGER)
        .toSorted((a, b) => at(a) - at(b))
    },
    stops,
    down: async () => {
      for (const kind of ['statefulsets', 'deployments'])
        await kubectl(['-n', namespace, 'delete', kind, '--all', '--timeout=110s'])
      for (const name of await stops()) await api.delete(`${CHECKPOINTS}/${name}`)
      await eventually(
        'the Pods are gone',
        async () => (await api.get(pods)).body.items.length === 0,
      )
      await stopPods()
      await watches.close()
      await target.close()
    },
  }
}

const metadata = (name: string) => ({ name, annotations: { [ANNOTATION.allowRestart]: 'true' } })

function podsOf(app: string, volumes?: readonly object[]): object {
  const labels = { app }
  return {
    selector: { matchLabels: labels },
    template: {
      metadata: { labels },
      spec: {
        // the kubelet of the lab taints its nodes, and leaves Pods of other images alone
        nodeSelector: { 'kubernetes.io/hostname': 'lab-node' },
        tolerations: [{ operator: 'Exists' }],
        containers: [
          { name: 'c', image: 'none', volumeMounts: [{ name: 'data', mountPath: '/data' }] },
        ],
        ...(volumes === undefined ? {} : { volumes }),
      },
    },
  }
}
