import { expect } from 'vitest'
import type { Scale, WorkloadKind, WorkloadObject } from '../../src/api/workload-objects.ts'
import { nextWorkloadStep } from '../../src/migration/workloads/machine.ts'
import type { WorkloadInput, WorkloadOutcome } from '../../src/migration/workloads/outcome.ts'
import { sightOf, writeOf } from '../../src/migration/workloads/outcome.ts'
import { plan, refusalsNow } from '../../src/migration/workloads/plan.ts'
import type { Stop, WorkloadFacts } from '../../src/migration/workloads/plan.ts'
import { answered, intended } from '../../src/migration/workloads/saved.ts'
import type { StopRecord } from '../../src/migration/workloads/saved.ts'
import { eventually } from './pv-target.ts'
import type { WorkloadTarget } from './workloads-target.ts'

const fence = () => {}
const PATH: Readonly<Record<WorkloadKind, string>> = {
  Deployment: 'deployments',
  StatefulSet: 'statefulsets',
}

/** What the suite does to a cluster, and what the controller would. */
export function workloadSteps(use: () => WorkloadTarget) {
  const path = (kind: WorkloadKind, workload = '') =>
    `/apis/apps/v1/namespaces/${use().namespace}/${PATH[kind]}/${workload}`.replace(/\/$/, '')

  /** With its Pods; ordinals are not waited for, since nobody runs them. */
  async function made(kind: WorkloadKind, workload: string, replicas: number) {
    const labels = { app: workload }
    const data = { name: 'shared', persistentVolumeClaim: { claimName: `shared-${workload}` } }
    const { status } = await use().api.post(path(kind), {
      metadata: { name: workload, annotations: { 'couchestor.io/allow-restart': 'true' } },
      spec: {
        replicas,
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            schedulerName: 'nobody',
            containers: [{ name: 'main', image: 'none' }],
            ...(kind === 'Deployment' ? { volumes: [data] } : {}),
          },
        },
        ...(kind === 'StatefulSet' ? { ...SET, serviceName: workload } : {}),
      },
    })
    expect(status).toBe(201)
    await settled(workload, replicas)
    return read(kind, workload)
  }

  async function read(kind: WorkloadKind, workload: string): Promise<WorkloadObject> {
    const { namespace, workloads } = use()
    const found = await workloads.get({ kind, namespace, name: workload })
    if (found === undefined) throw new Error(`no ${kind} ${workload}`)
    return found
  }

  /** Name and uid of its Pods, once there are so many. */
  async function settled(workload: string, count: number) {
    return eventually(use(), `${count} Pods of ${workload}`, async () => {
      const pods = (await use().workloads.pods(use().namespace))
        .filter((p) => p.metadata.labels?.['app'] === workload)
        .map((p) => ({ name: p.metadata.name, uid: p.metadata.uid }))
        .toSorted((a, b) => (a.name < b.name ? -1 : 1))
      return pods.length === count ? pods : undefined
    })
  }

  /** One Pod of the workload may be unavailable. */
  async function budget(workload: string): Promise<void> {
    const path = `/apis/policy/v1/namespaces/${use().namespace}/poddisruptionbudgets`
    const selector = { matchLabels: { app: workload } }
    const spec = { selector, maxUnavailable: 1 }
    const { status } = await use().api.post(path, { metadata: { name: workload }, spec })
    expect(status).toBe(201)
  }

  /** As a kubelet would show its Pods. */
  async function started(workload: string): Promise<void> {
    const { api, namespace, workloads } = use()
    for (const { metadata } of await workloads.pods(namespace))
      if (metadata.labels?.['app'] === workload)
        await api.patch(`/api/v1/namespaces/${namespace}/pods/${metadata.name}/status`, {
          status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
        })
  }

  async function healthy(workload: string): Promise<number> {
    const pods = await use().workloads.pods(use().namespace)
    return pods.filter(
      ({ metadata, status }) =>
        metadata.labels?.['app'] === workload &&
        metadata.deletionTimestamp === undefined &&
        status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True') === true,
    ).length
  }

  /** Writes it in the version that it has: its controllers write its status at any time. */
  async function set(
    kind: WorkloadKind,
    workload: string,
    change: { readonly scale?: Scale; readonly stoppedFor: string | undefined },
  ) {
    return eventually(use(), 'a write between two of its controllers', async () => {
      const { metadata } = await read(kind, workload)
      const { uid = '', resourceVersion = '' } = metadata
      const of = { kind, namespace: use().namespace, name: workload }
      const answer = await use().workloads.write({
        ...of,
        uid,
        resourceVersion,
        ...change,
        fence,
      })
      return answer.kind === 'Rejected' && answer.httpStatus === 409 ? undefined : answer
    })
  }

  async function facts(claim: string, stopped: Stop['pods'] = []): Promise<WorkloadFacts> {
    const { namespace, workloads } = use()
    return {
      policy: { name: 'p', workloads: 'Restart', schedule: { open: true } },
      claim: { namespace, name: claim, owners: [] },
      seen: await workloads.read(namespace),
      stopped,
    }
  }

  async function planned(claim: string): Promise<Stop> {
    const found = plan(await facts(claim))
    if (found.kind === 'Refused') throw new Error(JSON.stringify(found.refusals))
    return found.stop
  }

  /** As the controller does it: what is saved is saved before the call and after it. */
  async function run(
    given: StopRecord,
    until: (record: StopRecord) => boolean,
    options: {
      readonly claim: string
      readonly release?: 'MoveEnded'
      /** Called after every step. */
      readonly observe?: () => Promise<void>
    },
  ): Promise<StopRecord> {
    let saved = given
    let confirming: { readonly what: string; readonly since: number } | undefined
    let now = 0
    for (let step = 0; step < 2_000; step++) {
      await options.observe?.()
      if (until(saved)) return saved
      const outcome: WorkloadOutcome = nextWorkloadStep({
        saved,
        sight: await sight(saved, options.claim),
        now,
        quietUntil: 0,
        ...(options.release === undefined ? {} : { release: options.release }),
        ...(confirming === undefined
          ? {}
          : { confirming: { what: confirming.what, ms: now - confirming.since } }),
        timing: { pollMs: 200, verifyMs: 300, mostAttempts: 20 },
      } as WorkloadInput)
      if (outcome.kind === 'save') saved = outcome.saved
      if (outcome.kind === 'act') {
        saved = intended(saved, outcome.act, { requestId: `r${step}`, at: '' })
        const write = writeOf(saved, outcome.act)
        saved = answered(saved, await use().workloads.write({ ...write, fence }))
      }
      if (outcome.kind === 'rest') throw new Error(`rests as ${saved.phase}`)
      if (outcome.kind !== 'wait') continue
      const what = outcome.confirm
      if (what === undefined) confirming = undefined
      else if (confirming?.what !== what) confirming = { what, since: now }
      now += outcome.ms
      await use().pass(outcome.ms)
    }
    throw new Error(`came to no end: ${JSON.stringify(saved)}`)
  }

  async function sight(saved: StopRecord, claim: string): Promise<WorkloadInput['sight']> {
    const { workloads } = use()
    const workload = await workloads.get(saved.workload)
    const pods = await workloads.pods(saved.workload.namespace)
    const isAsked = saved.journal.some((e) => e.act === 'stop' && e.state !== 'None')
    const refusals = isAsked ? [] : refusalsNow(saved, await facts(claim))
    return sightOf(saved, workload, pods, refusals)
  }

  return { path, made, read, settled, budget, started, healthy, set, facts, planned, run }
}

const claimTemplate = (name: string) => ({
  metadata: { name },
  spec: {
    accessModes: ['ReadWriteOnce'],
    storageClassName: 'none',
    resources: { requests: { storage: '1Gi' } },
  },
})

/** Nobody runs the Pods, so that none of them would be waited for. */
const SET = {
  podManagementPolicy: 'Parallel',
  volumeClaimTemplates: [claimTemplate('data'), claimTemplate('log')],
}
