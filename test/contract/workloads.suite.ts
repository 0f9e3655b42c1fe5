import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WORKLOAD_RIGHTS } from '../../src/kube/workloads.ts'
import { plan } from '../../src/migration/workloads/plan.ts'
import { recordOf } from '../../src/migration/workloads/saved.ts'
import { eventually } from './pv-target.ts'
import { workloadSteps } from './workloads-steps.ts'
import type { WorkloadTarget } from './workloads-target.ts'

const fence = () => {}
const ACCEPTED = { kind: 'Accepted' }
const STOPPED_FOR = 'couchestor.io/stopped-for'
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
    const { path, made, read, settled, budget, started, healthy, set, facts, planned, run } =
      workloadSteps(use)

    beforeAll(async () => {
      opened = await open()
    })
    afterAll(async () => {
      await opened?.close()
    })

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
      await budget('db')
      // nobody runs the Pods: none of them is healthy
      expect(plan(await facts('data-db-1'))).toMatchObject({
        refusals: [{ reason: 'DisruptionBudget' }],
      })
      await started('db')
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

    it('has all rights that it needs', async () => {
      expect(await use().workloads.missing(WORKLOAD_RIGHTS)).toEqual([])
    })

    it('stops one replica after the other within its budget, and has all of them again', async () => {
      await made('StatefulSet', 'both', 2)
      await budget('both')
      let fewest = 2
      const observe = async () => {
        fewest = Math.min(fewest, await healthy('both'))
      }
      for (const ordinal of [1, 0]) {
        const claim = `data-both-${ordinal}`
        await started('both')
        const stop = await planned(claim)
        const record = recordOf(stop, { uid: `move-${ordinal}`, deadline: Infinity })
        const down = await run(record, (r) => r.phase === 'Stopped', { claim, observe })
        expect((await settled('both', 1)).map((p) => p.name)).toEqual([`both-${1 - ordinal}`])
        const other = plan(await facts(`data-both-${1 - ordinal}`, down.pods))
        expect(other).toMatchObject({
          refusals: [{ reason: 'WorkloadBusy' }, { reason: 'DisruptionBudget' }],
        })

        const end = await run(down, (r) => r.phase === 'Restored', {
          claim,
          observe,
          release: 'MoveEnded',
        })
        expect(end).toMatchObject({ reason: 'MoveEnded' })
        await settled('both', 2)
      }
      expect(fewest).toBe(1)
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

    // last: a kind that goes is still listed for a moment
    it('asks for ScaledObjects only where the cluster has them', async () => {
      const { api, namespace, workloads } = use()
      await made('Deployment', 'scaled', 1)
      const crd = `${CRD}/scaledobjects.keda.sh`
      const isForeign = (await api.get(crd)).status === 200
      const { scaledObjects } = await workloads.read(namespace)
      expect(scaledObjects).toEqual([])
      if (!isForeign) await api.post(CRD, SCALED_OBJECTS)
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
  })
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
