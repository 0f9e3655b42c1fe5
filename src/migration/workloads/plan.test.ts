import { describe, expect, it } from 'vitest'
import type {
  BudgetObject,
  OwnerReference,
  PodObject,
  WorkloadKind,
  WorkloadObject,
  WorkloadsSeen,
} from '../../api/workload-objects.ts'
import { plan, refusalsNow } from './plan.ts'
import type { Plan, WorkloadFacts } from './plan.ts'

const ALLOWED = { 'couchestor.io/allow-restart': 'true' }

function ref(kind: string, name: string, apiVersion = 'apps/v1'): OwnerReference {
  return { apiVersion, kind, name, uid: `${kind} ${name}`, controller: true }
}

function workload(
  kind: WorkloadKind,
  name: string,
  replicas: number,
  { metadata, spec }: { metadata?: object; spec?: object } = {},
): WorkloadObject {
  return {
    kind,
    metadata: {
      namespace: 'shop',
      name,
      uid: `${kind} ${name}`,
      annotations: ALLOWED,
      ...metadata,
    },
    spec: { replicas, ...spec },
  }
}

function pod(
  name: string,
  owner: OwnerReference | undefined,
  claims: readonly string[],
  {
    annotations = {},
    ready = true,
    labels = { app: 'db' },
    ...rest
  }: {
    annotations?: Record<string, string>
    ready?: boolean
    labels?: Record<string, string>
    phase?: string
  } = {},
): PodObject {
  return {
    metadata: {
      namespace: 'shop',
      name,
      uid: `Pod ${name}`,
      labels,
      annotations,
      ...(owner && { ownerReferences: [owner] }),
    },
    spec: {
      volumes: [{}, ...claims.map((claimName) => ({ persistentVolumeClaim: { claimName } }))],
    },
    status: {
      phase: rest.phase ?? 'Running',
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
    },
  }
}

function facts(seen: Partial<WorkloadsSeen>, more: Partial<WorkloadFacts> = {}): WorkloadFacts {
  return {
    policy: { name: 'p', workloads: 'Restart', schedule: { open: true } },
    claim: { namespace: 'shop', name: 'data', owners: [] },
    stopped: [],
    ...more,
    seen: {
      namespace: { metadata: { name: 'shop' } },
      workloads: [],
      replicaSets: [],
      pods: [],
      budgets: [],
      autoscalers: [],
      scaledObjects: [],
      ...seen,
    },
  }
}

/** A Deployment whose Pods share the claim `data`. */
function deployment(change: Parameters<typeof workload>[3] & object = {}, replicas = 2) {
  return {
    workloads: [workload('Deployment', 'web', replicas, change)],
    replicaSets: [
      {
        metadata: {
          name: 'web-1',
          uid: 'ReplicaSet web-1',
          ownerReferences: [ref('Deployment', 'web')],
        },
        spec: { replicas },
      },
    ],
    pods: Array.from({ length: replicas }, (_, i) =>
      pod(`web-1-${i}`, ref('ReplicaSet', 'web-1'), ['data']),
    ),
  }
}

/** A StatefulSet of three whose Pods have a `data` and a `log` of their own. */
function set(
  change: Parameters<typeof workload>[3] & object = {},
  podChange: Parameters<typeof pod>[3] = {},
) {
  const claims = (i: number) => [`data-db-${i}`, `log-db-${i}`]
  return {
    workloads: [workload('StatefulSet', 'db', 3, change)],
    pods: [0, 1, 2].map((i) => pod(`db-${i}`, ref('StatefulSet', 'db'), claims(i), podChange)),
  }
}

function ofOrdinal(i: number, seen: Partial<WorkloadsSeen> = set()): WorkloadFacts {
  return facts(seen, { claim: { namespace: 'shop', name: `data-db-${i}`, owners: [] } })
}

function messages(of: Plan): readonly string[] {
  return of.kind === 'Stop' ? [] : of.refusals.map((r) => `${r.reason}: ${r.message}`)
}

function reasons(of: Plan): readonly string[] {
  return of.kind === 'Stop' ? [] : of.refusals.map((r) => r.reason)
}

describe('the plan of a stop', () => {
  it('scales a Deployment to 0, and names every Pod and claim that it frees', () => {
    expect(plan(facts(deployment()))).toMatchObject({
      kind: 'Stop',
      stop: {
        workload: { kind: 'Deployment', namespace: 'shop', name: 'web', uid: 'Deployment web' },
        before: { replicas: 2 },
        after: { replicas: 0 },
        pods: [{ name: 'web-1-0' }, { name: 'web-1-1' }],
        claims: ['data'],
      },
    })
  })

  it.each([
    [2, { replicas: 2 }, ['db-2'], ['data-db-2', 'log-db-2']],
    [0, { replicas: 2, start: 1 }, ['db-0'], ['data-db-0', 'log-db-0']],
    [1, { replicas: 1 }, ['db-1', 'db-2'], ['data-db-1', 'data-db-2', 'log-db-1', 'log-db-2']],
  ])('of ordinal %i of a StatefulSet of three', (ordinal, after, names, claims) => {
    const found = plan(ofOrdinal(ordinal))

    expect(found).toMatchObject({ stop: { before: { replicas: 3 }, after, claims } })
    expect(found.kind === 'Stop' && found.stop.pods.map((p) => p.name)).toEqual(names)
  })

  it('counts ordinals from where the StatefulSet begins', () => {
    const seen = set({ spec: { replicas: 2, ordinals: { start: 1 } } })
    const pods = seen.pods.slice(1)

    expect(plan(ofOrdinal(1, { ...seen, pods }))).toMatchObject({
      stop: { before: { replicas: 2, start: 1 }, after: { replicas: 1, start: 2 } },
    })
    expect(plan(ofOrdinal(2, { ...seen, pods }))).toMatchObject({
      stop: { after: { replicas: 1, start: 1 } },
    })
  })

  it('of a StatefulSet of one scales it to 0', () => {
    const seen = set({ spec: { replicas: 1 } })
    const found = plan(ofOrdinal(0, { ...seen, pods: seen.pods.slice(0, 1) }))

    expect(found).toMatchObject({ stop: { after: { replicas: 0 } } })
  })

  it('does not promise a claim that another workload uses too', () => {
    const seen = deployment()
    const [first, second] = seen.pods
    const shared = {
      ...second!,
      spec: {
        volumes: [...first!.spec.volumes!, { persistentVolumeClaim: { claimName: 'logs' } }],
      },
    }
    const other = pod('other', undefined, ['logs'])

    expect(plan(facts({ ...seen, pods: [first!, shared, other] }))).toMatchObject({
      stop: { claims: ['data'] },
    })
  })

  it('follows an opt-in of the namespace, unless the workload says something else', () => {
    const namespace = { metadata: { name: 'shop', annotations: ALLOWED } }
    const bare = deployment({ metadata: { annotations: {} } })

    expect(plan(facts({ ...bare, namespace })).kind).toBe('Stop')
    for (const value of ['false', 'True', ''])
      expect(
        messages(
          plan(
            facts({
              ...deployment({
                metadata: { annotations: { 'couchestor.io/allow-restart': value } },
              }),
              namespace,
            }),
          ),
        ),
      ).toEqual([
        `RestartNotAllowed: Deployment shop/web is annotated couchestor.io/allow-restart: "${value}"; only "true" allows that Deployment shop/web is stopped for a move`,
      ])
  })
})

const VM = { apiVersion: 'kubevirt.io/v1', kind: 'VirtualMachineInstance', name: 'vm', uid: 'v' }
const policy = { name: 'p', workloads: 'Restart', schedule: { open: true } } as const

describe('a workload is left alone', () => {
  it.each<[string, WorkloadFacts, string]>([
    [
      'as long as the policy waits for a detach',
      facts(deployment(), { policy: { ...policy, workloads: 'WaitForDetach' } }),
      'RestartNotAllowed: policy p has spec.migration.workloads: WaitForDetach; set it to Restart',
    ],
    [
      'outside of the schedule',
      facts(deployment(), { policy: { ...policy, schedule: { open: false } } }),
      'OutsideSchedule: the schedule of policy p is closed',
    ],
    [
      'without an opt-in',
      facts(deployment({ metadata: { annotations: {} } })),
      'RestartNotAllowed: Deployment shop/web may not be stopped for a move; to allow it, annotate it or its namespace couchestor.io/allow-restart: "true"',
    ],
    ['that uses nothing', facts({}), 'NotUsed: no Pod uses claim shop/data'],
    [
      'whose Pods have ended',
      facts({ pods: [pod('a', undefined, ['data'], { phase: 'Succeeded' })] }),
      'NotUsed: no Pod uses claim shop/data',
    ],
    [
      'that is a bare Pod',
      facts({ pods: [pod('a', undefined, ['data'])] }),
      'WorkloadUnsupported: Pod a has no owner',
    ],
    ...(['DaemonSet', 'Job'] as const).map((kind): [string, WorkloadFacts, string] => [
      `that is a ${kind}`,
      facts({ pods: [pod('a', ref(kind, 'x'), ['data'])] }),
      `WorkloadUnsupported: Pod a belongs to ${kind} x`,
    ]),
    [
      'that is a virtual machine',
      facts({ pods: [pod('a', { ...VM, controller: true }, ['data'])] }),
      'WorkloadOwned: Pod a belongs to VirtualMachineInstance vm',
    ],
    [
      'that is a StatefulSet of somebody else',
      facts({
        ...set(),
        pods: [pod('db-0', ref('StatefulSet', 'db', 'apps.kruise.io/v1beta1'), ['data'])],
      }),
      'WorkloadOwned: Pod db-0 belongs to StatefulSet db, which is no Deployment or StatefulSet',
    ],
    [
      'that belongs to an operator',
      facts(deployment({ metadata: { ownerReferences: [{ ...VM, kind: 'Shop' }] } })),
      'WorkloadOwned: Deployment shop/web belongs to Shop vm (ownerReferences)',
    ],
    [
      'whose ReplicaSet has no Deployment',
      facts({
        ...deployment(),
        replicaSets: [{ metadata: { name: 'web-1', uid: 'ReplicaSet web-1' }, spec: {} }],
      }),
      'WorkloadUnsupported: Pod web-1-0 belongs to ReplicaSet web-1 without a Deployment',
    ],
    [
      'where several use the claim',
      facts({
        ...deployment(),
        workloads: [...deployment().workloads, workload('StatefulSet', 'db', 1)],
        pods: [...deployment().pods, pod('db-0', ref('StatefulSet', 'db'), ['data'])],
      }),
      'WorkloadUnsupported: the claim is used by 2 workloads (Deployment web, StatefulSet db)',
    ],
    [
      'whose claims go with its Pods',
      ofOrdinal(
        2,
        set({ spec: { persistentVolumeClaimRetentionPolicy: { whenScaled: 'Delete' } } }),
      ),
      'ClaimsDeleted: StatefulSet shop/db has spec.persistentVolumeClaimRetentionPolicy.whenScaled: Delete, by which scaling down deletes claims; set it to Retain',
    ],
    [
      'whose claim goes with its Pod',
      facts(deployment(), {
        claim: { namespace: 'shop', name: 'data', owners: [ref('Pod', 'web-1-0', 'v1')] },
      }),
      'ClaimsDeleted: claim shop/data is deleted with Pod web-1-0',
    ],
    [
      'whose claim belongs to a virtual machine',
      facts(deployment(), {
        claim: { namespace: 'shop', name: 'data', owners: [{ ...VM, kind: 'DataVolume' }] },
      }),
      'WorkloadOwned: claim shop/data belongs to DataVolume vm',
    ],
    ...(['true', '4h'] as const).map((value): [string, WorkloadFacts, string] => [
      `of which Karpenter must not disrupt a Pod (${value})`,
      ofOrdinal(2, set({}, { annotations: { 'karpenter.sh/do-not-disrupt': value } })),
      `DoNotDisrupt: Pod db-2 is annotated karpenter.sh/do-not-disrupt: "${value}"`,
    ]),
    [
      'of which the autoscaler of the cluster must not evict a Pod',
      ofOrdinal(
        2,
        set({}, { annotations: { 'cluster-autoscaler.kubernetes.io/safe-to-evict': 'false' } }),
      ),
      'DoNotDisrupt: Pod db-2 is annotated cluster-autoscaler.kubernetes.io/safe-to-evict: "false"',
    ],
    [
      'that another move has stopped',
      facts(
        deployment({ metadata: { annotations: { ...ALLOWED, 'couchestor.io/stopped-for': 'm' } } }),
      ),
      'WorkloadBusy: Deployment shop/web is annotated couchestor.io/stopped-for: "m"',
    ],
    [
      'that is being deleted',
      facts(deployment({ metadata: { annotations: ALLOWED, deletionTimestamp: 'now' } })),
      'WorkloadBusy: Deployment shop/web is being deleted',
    ],
    [
      'whose rollout is paused, and would be complete afterwards',
      facts(deployment({ spec: { paused: true } })),
      'WorkloadBusy: Deployment shop/web has spec.paused: true',
    ],
    [
      'that is scaled to 0 already',
      facts({ ...deployment(), workloads: deployment({}, 0).workloads }),
      'NotUsed: Deployment web has spec.replicas: 0',
    ],
    [
      'that is just being scaled down',
      ofOrdinal(2, set({ spec: { replicas: 2 } })),
      'WorkloadBusy: StatefulSet db has Pods outside of its ordinals 0 to 1',
    ],
  ])('%s', (_, given, message) => {
    const all = messages(plan(given))

    expect(all).toHaveLength(1)
    expect(all[0]).toContain(message)
  })

  it.each([
    'namespace',
    'workloads',
    'replicaSets',
    'pods',
    'budgets',
    'autoscalers',
    'scaledObjects',
  ])('when the %s cannot be read', (what) => {
    expect(messages(plan(facts({ ...deployment(), [what]: { unread: 'forbidden' } })))).toEqual([
      expect.stringMatching(/^WorkloadUnknown: .* cannot be read: forbidden$/),
    ])
  })

  it('for every reason at once, so that nobody fixes them one by one', () => {
    const given = facts(deployment({ metadata: { annotations: {} } }), {
      policy: { name: 'p', workloads: 'WaitForDetach', schedule: { open: false } },
    })

    expect(messages(plan(given))).toHaveLength(3)
  })
})

describe('an autoscaler', () => {
  const hpa = (kind: string, name: string, minReplicas?: number) => ({
    metadata: { name: 'hpa' },
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind, name },
      ...(minReplicas === undefined ? {} : { minReplicas }),
    },
  })
  const scaled = (annotations: Record<string, string>, target = { name: 'web' }) => ({
    metadata: { name: 'so', annotations },
    spec: { scaleTargetRef: target },
  })
  const PAUSED = { 'autoscaling.keda.sh/paused': 'true' }

  it.each<[string, Partial<WorkloadsSeen>, boolean]>([
    ['that pauses at 0', { autoscalers: [hpa('Deployment', 'web')] }, true],
    ['that may go down to 0', { autoscalers: [hpa('Deployment', 'web', 0)] }, false],
    ['of another kind', { autoscalers: [hpa('StatefulSet', 'web', 0)] }, true],
    ['of another workload', { autoscalers: [hpa('Deployment', 'other', 0)] }, true],
    ['of KEDA', { scaledObjects: [scaled({})] }, false],
    ['of KEDA that is paused', { scaledObjects: [scaled(PAUSED)] }, true],
    [
      'of KEDA that holds a count',
      { scaledObjects: [scaled({ ...PAUSED, 'autoscaling.keda.sh/paused-replicas': '2' })] },
      false,
    ],
    [
      'of KEDA that only scales out no more',
      { scaledObjects: [scaled({ 'autoscaling.keda.sh/paused-scale-out': 'true' })] },
      false,
    ],
    ['of KEDA for another', { scaledObjects: [scaled({}, { name: 'other' })] }, true],
  ])('%s', (_, seen, isAllowed) => {
    const found = plan(facts({ ...deployment(), ...seen }))

    expect(reasons(found)).toEqual(isAllowed ? [] : ['Autoscaled'])
  })

  it('would scale back a StatefulSet that is not stopped as a whole', () => {
    const autoscalers = [hpa('StatefulSet', 'db', 1)]

    expect(messages(plan(ofOrdinal(2, { ...set(), autoscalers })))[0]).toContain(
      'HorizontalPodAutoscaler hpa would scale it back from 2',
    )
  })
})

describe('a PodDisruptionBudget', () => {
  const SELECTOR = { matchLabels: { app: 'db' } }
  const budget = (spec: BudgetObject['spec']): BudgetObject => ({
    metadata: { name: 'pdb' },
    spec: { selector: SELECTOR, ...spec },
  })
  const decided = (spec: BudgetObject['spec'], ordinal = 2, seen: Partial<WorkloadsSeen> = set()) =>
    plan(ofOrdinal(ordinal, { ...seen, budgets: [budget(spec)] }))

  it.each<[string, BudgetObject['spec'], number, boolean]>([
    ['with maxUnavailable: 1', { maxUnavailable: 1 }, 2, true],
    ['with maxUnavailable: 1, for two at once', { maxUnavailable: 1 }, 1, false],
    ['with maxUnavailable: 2, for two at once', { maxUnavailable: 2 }, 1, true],
    ['with maxUnavailable: 0', { maxUnavailable: 0 }, 2, false],
    ['with maxUnavailable: 10%, rounded up', { maxUnavailable: '10%' }, 2, true],
    ['with maxUnavailable: 0%', { maxUnavailable: '0%' }, 2, false],
    ['with minAvailable: 2', { minAvailable: 2 }, 2, true],
    ['with minAvailable: 3', { minAvailable: 3 }, 2, false],
    ['with minAvailable: 66%, rounded up', { minAvailable: '66%' }, 2, true],
    ['with minAvailable: 67%, rounded up', { minAvailable: '67%' }, 2, false],
    ['with neither', {}, 2, false],
    ['that nobody can read', { maxUnavailable: 'one' }, 2, false],
    ['of other Pods', { maxUnavailable: 0, selector: { matchLabels: { app: 'x' } } }, 2, true],
    ['of every Pod', { maxUnavailable: 0, selector: {} }, 2, false],
    [
      'of Pods by an expression',
      {
        maxUnavailable: 0,
        selector: { matchExpressions: [{ key: 'app', operator: 'In', values: ['db', 'x'] }] },
      },
      2,
      false,
    ],
  ])('%s', (_, spec, ordinal, isAllowed) => {
    const found = decided(spec, ordinal)

    expect(reasons(found)).toEqual(isAllowed ? [] : ['DisruptionBudget'])
  })

  it('without a selector covers no Pod', () => {
    const budgets = [{ metadata: { name: 'pdb' }, spec: { maxUnavailable: 0 } }]

    expect(plan(ofOrdinal(2, { ...set(), budgets })).kind).toBe('Stop')
  })

  it('counts unhealthy Pods as unavailable, and one that stops itself only once', () => {
    const seen = set()
    const unhealthy = (ordinal: number, change: Partial<PodObject>) => ({
      ...seen,
      pods: seen.pods.map((p, i) => (i === ordinal ? { ...p, ...change } : p)),
    })
    const status = { phase: 'Running', conditions: [{ type: 'Ready', status: 'False' }] }
    const metadata = { ...seen.pods[0]!.metadata, deletionTimestamp: 'now' }
    const of = (now: Partial<WorkloadsSeen>) => decided({ maxUnavailable: 1 }, 2, now)

    expect(messages(of(unhealthy(0, { status })))[0]).toContain(
      'needs 2 healthy Pods (maxUnavailable: 1), and 1 would be left of 2',
    )
    expect(of(unhealthy(0, { metadata })).kind).toBe('Refused')
    expect(of(unhealthy(2, { status })).kind).toBe('Stop')
  })

  it('counts missing Pods as unavailable, and those that another move has stopped', () => {
    const seen = set()
    const missing = decided({ maxUnavailable: 1 }, 2, { ...seen, pods: seen.pods.slice(1) })
    const stopped = (labels: Record<string, string>) =>
      plan({
        ...ofOrdinal(2, { ...seen, budgets: [budget({ maxUnavailable: 1 })] }),
        stopped: [{ uid: 'gone', labels }],
      })

    expect(missing.kind).toBe('Refused')
    expect(stopped({ app: 'db' }).kind).toBe('Refused')
    expect(stopped({ app: 'x' }).kind).toBe('Stop')
  })

  it('does not count a Pod as running that another move is about to stop', () => {
    const seen = set()
    const about = (uid: string) =>
      plan({
        ...ofOrdinal(2, { ...seen, budgets: [budget({ minAvailable: 2 })] }),
        stopped: [{ uid, labels: { app: 'db' } }],
      })

    expect(messages(about('Pod db-0'))[0]).toContain(
      'needs 2 healthy Pods (minAvailable: 2), and 1 would be left of 2',
    )
    expect(about('another').kind).toBe('Stop')
  })

  it('over Pods whose count nobody knows allows nothing that depends on it', () => {
    const seen = set()
    const pods = [...seen.pods, pod('x', { ...VM, controller: true }, [])]

    expect(messages(decided({ maxUnavailable: 1 }, 2, { ...seen, pods }))[0]).toContain(
      'also covers Pod x of VirtualMachineInstance vm, whose count is not known',
    )
    expect(decided({ minAvailable: 3 }, 2, { ...seen, pods }).kind).toBe('Stop')
  })
})

describe('what was planned', () => {
  const stopOf = (given: WorkloadFacts) => {
    const found = plan(given)
    if (found.kind === 'Refused') throw new Error(messages(found).join())
    return found.stop
  }

  it('is still right as long as nothing has changed', () => {
    expect(refusalsNow(stopOf(ofOrdinal(2)), ofOrdinal(2))).toEqual([])
  })

  it.each([
    [
      'the scale',
      ofOrdinal(3, {
        ...set({ spec: { replicas: 4 } }),
        pods: [...set().pods, pod('db-3', ref('StatefulSet', 'db'), ['data-db-3'])],
      }),
    ],
    [
      'a Pod',
      ofOrdinal(2, {
        ...set(),
        pods: set().pods.map((p, i) =>
          i === 2 ? { ...p, metadata: { ...p.metadata, uid: 'new' } } : p,
        ),
      }),
    ],
  ])('is not when %s has changed', (_, now) => {
    expect(refusalsNow(stopOf(ofOrdinal(2)), now)).toMatchObject([{ reason: 'WorkloadBusy' }])
  })

  it('is not when something speaks against it by now', () => {
    const now = ofOrdinal(2, { ...set(), budgets: { unread: 'down' } })

    expect(refusalsNow(stopOf(ofOrdinal(2)), now)).toMatchObject([{ reason: 'WorkloadUnknown' }])
  })
})
