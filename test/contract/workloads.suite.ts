import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Scale, WorkloadKind, WorkloadObject } from '../../src/api/workload-objects.ts'
import { WORKLOAD_RIGHTS } from '../../src/kube/workloads.ts'
import { nextWorkloadStep } from '../../src/migration/workloads/machine.ts'
import type { WorkloadInput, WorkloadOutcome } from '../../src/migration/workloads/outcome.ts'
import { sightOf, writeOf } from '../../src/migration/workloads/outcome.ts'
import { plan, refusalsNow } from '../../src/migration/workloads/plan.ts'
import type { Stop, WorkloadFacts } from '../../src/migration/workloads/plan.ts'
import { answered, intended, recordOf } from '../../src/migration/workloads/saved.ts'
import type { StopRecord } from '../../src/migration/workloads/saved.ts'
import { eventually } from './pv-target.ts'
import type { WorkloadTarget } from './workloads-target.ts'

const fence = () => {}
const ACCEPTED = { kind: 'Accepted' }
const STOPPED_FOR = 'couchestor.io/stopped-for'
const PATH: Readonly<Record<WorkloadKind, string>> = {
  Deployment: 'deployments',
  StatefulSet: 'statefulsets',
}
const CRD = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'

/** What the stop of a workload relies on: the same on real parts and stand-ins. */
export function workloadContract(
  name: string,
  open: () => Promise<WorkloadTarget>,
  block: typeof describe.skip = describe,
): void {
  block(`stopping a workload on ${name}`, () => {
    let opened: WorkloadTarget | undefined
    const use = () => opened!
    const path = (kind: WorkloadKind, workload = '') =>
      `/apis/apps/v1/namespaces/${use().namespace}/${PATH[kind]}/${workload}`.replace(/\/$/, '')

    beforeAll(async () => {
      opened = await open()
    })
    afterAll(async () => {
      await opened?.close()
    })

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

    async function facts(claim: string): Promise<WorkloadFacts> {
      const { namespace, workloads } = use()
      return {
        policy: { name: 'p', workloads: 'Restart', schedule: { open: true } },
        claim: { namespace, name: claim, owners: [] },
        seen: await workloads.read(namespace),
        stopped: [],
      }
    }

    async function planned(claim: string): Promise<Stop> {
      const found = plan(await facts(claim))
      if (found.kind === 'Refused') throw new Error(JSON.stringify(found.refusals))
      return found.stop
    }

    it('scales a Deployment to 0 with our mark and back without it, and changes nothing else', async () => {
      const before = await made('Deployment', 'web', 3)
      const pods = await settled('web', 3)

      const off = { scale: { replicas: 0 }, stoppedFor: 'move-1' }
      expect(await set('Deployment', 'web', off)).toEqual(ACCEPTED)
      await settled('web', 0)
      const stopped = await read('Deployment', 'web')
      expect(stopped.metadata.annotations?.[STOPPED_FOR]).toBe('move-1')
      expect(stopped.spec).toEqual({ ...before.spec, replicas: 0 })

      const back = { scale: { replicas: 3 }, stoppedFor: undefined }
      expect(await set('Deployment', 'web', back)).toEqual(ACCEPTED)
      const uids = (await settled('web', 3)).map((p) => p.uid)
      expect(uids.some((uid) => pods.some((p) => p.uid === uid))).toBe(false)
      const after = await read('Deployment', 'web')
      expect(after.metadata.annotations).not.toHaveProperty([STOPPED_FOR])
      expect(after.spec).toEqual(before.spec)
    })

    it('refuses a write that names another uid or an older version, and changes nothing', async () => {
      await made('Deployment', 'refused', 1)
      await settled('refused', 1)
      const { namespace, workloads } = use()
      const of = { kind: 'Deployment', namespace, name: 'refused' } as const
      const change = { scale: { replicas: 0 }, stoppedFor: 'move-1', fence }
      const { metadata } = await read('Deployment', 'refused')
      const { uid = '', resourceVersion = '' } = metadata
      const other = '00000000-0000-4000-8000-000000000000'

      for (const named of [
        { uid: other, resourceVersion },
        { uid, resourceVersion: '1' },
      ]) {
        const answer = await workloads.write({ ...of, ...named, ...change })
        expect(answer.kind).toBe('Rejected')
        expect([409, 422]).toContain('httpStatus' in answer ? answer.httpStatus : 0)
      }
      const gone = { ...of, name: 'nothing', uid, resourceVersion }
      expect(await workloads.write({ ...gone, ...change })).toMatchObject({ httpStatus: 404 })
      const after = await read('Deployment', 'refused')
      expect(after.spec.replicas).toBe(1)
      expect(after.metadata.annotations).not.toHaveProperty([STOPPED_FOR])
    })

    it('stops the top ordinal of a StatefulSet alone', async () => {
      await made('StatefulSet', 'top', 3)
      const pods = await settled('top', 3)

      await set('StatefulSet', 'top', { scale: { replicas: 2 }, stoppedFor: 'move-1' })
      expect(await settled('top', 2)).toEqual(pods.slice(0, 2))
      await set('StatefulSet', 'top', { scale: { replicas: 3 }, stoppedFor: undefined })
      expect((await settled('top', 3)).slice(0, 2)).toEqual(pods.slice(0, 2))
    })

    it('stops ordinal 0 alone by a later start and one replica less, and takes the field off again', async () => {
      const before = await made('StatefulSet', 'first', 3)
      const pods = await settled('first', 3)

      const off = { scale: { replicas: 2, start: 1 }, stoppedFor: 'move-1' }
      expect(await set('StatefulSet', 'first', off)).toEqual(ACCEPTED)
      expect(await settled('first', 2)).toEqual(pods.slice(1))
      expect((await read('StatefulSet', 'first')).spec.ordinals).toEqual({ start: 1 })

      await set('StatefulSet', 'first', { scale: { replicas: 3 }, stoppedFor: undefined })
      expect((await settled('first', 3)).slice(1)).toEqual(pods.slice(1))
      expect((await read('StatefulSet', 'first')).spec).toEqual(before.spec)
    })

    it('takes the mark off and leaves the scale alone', async () => {
      await made('StatefulSet', 'mark', 2)
      await set('StatefulSet', 'mark', { scale: { replicas: 1 }, stoppedFor: 'move-1' })
      const pods = await settled('mark', 1)

      expect(await set('StatefulSet', 'mark', { stoppedFor: undefined })).toEqual(ACCEPTED)
      const after = await read('StatefulSet', 'mark')
      expect(after.spec.replicas).toBe(1)
      expect(after.metadata.annotations).not.toHaveProperty([STOPPED_FOR])
      expect(await settled('mark', 1)).toEqual(pods)
    })

    it('reads Pods with their owners, budgets and autoscalers, and plans by them', async () => {
      const { api, namespace } = use()
      await made('StatefulSet', 'db', 2)
      expect(await planned('data-db-1')).toMatchObject({
        before: { replicas: 2 },
        after: { replicas: 1 },
        pods: [{ name: 'db-1' }],
        claims: ['data-db-1', 'log-db-1'],
      })
      const budget = { selector: { matchLabels: { app: 'db' } }, maxUnavailable: 1 }
      await api.post(`/apis/policy/v1/namespaces/${namespace}/poddisruptionbudgets`, {
        metadata: { name: 'db' },
        spec: budget,
      })
      // nobody runs the Pods: none of them is healthy
      expect(plan(await facts('data-db-1'))).toMatchObject({
        refusals: [{ reason: 'DisruptionBudget' }],
      })
      for (const pod of ['db-0', 'db-1'])
        await api.patch(`/api/v1/namespaces/${namespace}/pods/${pod}/status`, {
          status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
        })
      expect((await planned('data-db-1')).pods).toHaveLength(1)
      const target = { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'db' }
      const hpas = `/apis/autoscaling/v2/namespaces/${namespace}/horizontalpodautoscalers`
      await api.post(hpas, {
        metadata: { name: 'db' },
        spec: { scaleTargetRef: target, maxReplicas: 3 },
      })
      expect(plan(await facts('data-db-1'))).toMatchObject({ refusals: [{ reason: 'Autoscaled' }] })
      await api.delete(`${hpas}/db`)
    })

    it('asks for ScaledObjects only where the cluster has them', async () => {
      const { api, namespace, workloads } = use()
      await made('Deployment', 'scaled', 1)
      const crd = `${CRD}/scaledobjects.keda.sh`
      const isForeign = (await api.get(crd)).status === 200
      if (!isForeign) {
        expect((await workloads.read(namespace)).scaledObjects).toEqual([])
        await api.post(CRD, SCALED_OBJECTS)
      }
      const objects = `/apis/keda.sh/v1alpha1/namespaces/${namespace}/scaledobjects`
      await eventually(use(), 'the new kind', async () => (await api.get(objects)).status === 200)
      await api.post(objects, {
        apiVersion: 'keda.sh/v1alpha1',
        kind: 'ScaledObject',
        metadata: { name: 'scaled' },
        spec: { scaleTargetRef: { name: 'scaled' }, triggers: [] },
      })

      const found = await eventually(use(), 'the refusal', async () => {
        const now = plan(await facts('shared-scaled'))
        return now.kind === 'Refused' ? now.refusals : undefined
      })
      expect(found.map((r) => r.reason)).toEqual(['Autoscaled'])
      await api.delete(`${objects}/scaled`)
      if (!isForeign) await api.delete(crd)
    })

    it('has all rights that it needs', async () => {
      expect(await use().workloads.missing(WORKLOAD_RIGHTS)).toEqual([])
    })

    /** As the controller does it: what is saved is saved before the call and after it. */
    async function run(
      given: StopRecord,
      until: (record: StopRecord) => boolean,
      options: { readonly claim: string; readonly release?: 'MoveEnded' },
    ): Promise<StopRecord> {
      let saved = given
      let confirming: { readonly what: string; readonly since: number } | undefined
      let now = 0
      for (let step = 0; step < 2_000; step++) {
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

    it('stops one replica after the other, and has all of them again', async () => {
      await made('StatefulSet', 'both', 2)
      for (const ordinal of [1, 0]) {
        const claim = `data-both-${ordinal}`
        const stop = await planned(claim)
        const record = recordOf(stop, { uid: `move-${ordinal}`, deadline: Infinity })
        const down = await run(record, (r) => r.phase === 'Stopped', { claim })
        expect((await settled('both', 1)).map((p) => p.name)).toEqual([`both-${1 - ordinal}`])

        const end = await run(down, (r) => r.phase === 'Restored', { claim, release: 'MoveEnded' })
        expect(end).toMatchObject({ reason: 'MoveEnded' })
        await settled('both', 2)
      }
      expect((await read('StatefulSet', 'both')).spec.ordinals).toBeUndefined()
    })

    it('leaves a workload alone whose replicas a loop sets back, and takes its mark off', async () => {
      await made('Deployment', 'loop', 2)
      const claim = 'shared-loop'
      const record = recordOf(await planned(claim), { uid: 'move-2', deadline: Infinity })
      const down = await run(record, (r) => r.phase === 'Stopped', { claim })
      await use().api.patch(path('Deployment', 'loop'), { spec: { replicas: 2 } })

      const end = await run(down, (r) => r.phase === 'FoughtBack', { claim })
      expect(end.message).toContain('suspend what sets its replicas')
      await run(end, (r) => r.journal.some((e) => e.act === 'unmark' && e.state === 'Done'), {
        claim,
      })
      const after = await read('Deployment', 'loop')
      expect(after.spec.replicas).toBe(2)
      expect(after.metadata.annotations).not.toHaveProperty([STOPPED_FOR])
    })
  })
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

const SCALED_OBJECTS = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'scaledobjects.keda.sh' },
  spec: {
    group: 'keda.sh',
    scope: 'Namespaced',
    names: {
      kind: 'ScaledObject',
      listKind: 'ScaledObjectList',
      plural: 'scaledobjects',
      singular: 'scaledobject',
    },
    versions: [
      {
        name: 'v1alpha1',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
        },
      },
    ],
  },
}
