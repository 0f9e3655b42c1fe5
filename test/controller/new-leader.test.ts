import { expect, it } from 'vitest'
import type { HttpRequest, HttpResponse } from '../../src/http.ts'
import { createRegistry } from '../../src/metrics.ts'
import type { Gate } from '../life.ts'
import { answer } from './answer.ts'
import { answer as page } from './answers.ts'
import { keepPromises } from './promises.ts'
import { HOUR, MINUTE, Stage } from './stage.ts'

keepPromises()

const refusing =
  (refused: (request: HttpRequest) => boolean, status: number): Gate =>
  (request, send) =>
    refused(request) ? Promise.resolve(answer(status, 'refused for a test')) : send()

/** A leader has begun to move one volume of two when it dies; the next one meets `gate`. */
async function handedOver(gate: Gate, spec: object = {}) {
  const stage = new Stage()
  stage.policy({ migration: { maxConcurrent: 1 }, ...spec })
  const moving = stage.claim({ name: 'moving', sizeGiB: 10 })
  const first = stage.start({ identity: 'first' })
  await stage.until(
    () => stage.cloud.retyping().length > 0 && stage.policyStatus().managedClaims === 1,
  )
  first.life.kill()
  const registry = createRegistry()
  const second = stage.start({ identity: 'second', gate, registry })
  return { stage, moving, second, registry }
}

const isList =
  (path: string) =>
  ({ method, url }: HttpRequest) =>
    method === 'GET' && url.includes(path)

it.each<[string, string, number, string]>([
  ['the snapshots of Cinder', '/snapshots', 403, 'cinder'],
  ['the snapshots of Cinder', '/snapshots', 500, 'cinder'],
  ['the volume types of Cinder', '/types', 403, 'cinder'],
  ['VolumeAttachments', '/volumeattachments', 403, 'list-volumeattachments.storage.k8s.io'],
  ['PersistentVolumes', '/persistentvolumes', 403, 'list-persistentvolumes'],
  ['claims', '/persistentvolumeclaims', 500, 'list-persistentvolumeclaims'],
  ['StoragePolicies', '/storagepolicies', 403, 'list-storagepolicies.couchestor.io'],
  ['Pods', '/pods', 500, 'list-pods'],
  ['Nodes', '/nodes', 500, 'list-nodes'],
  ['checkpoints', '/tieringcheckpoints?', 403, 'checkpoints'],
  ['the ledger', '/tieringcheckpoints/moves-in-flight', 500, 'ledger'],
])(
  'a leader that may not read %s (%s answers %i) follows what runs, starts nothing, and exports it',
  async (_, path, status, step) => {
    let broken = true
    const refuse = refusing(isList(path), status)
    const { stage, moving, registry } = await handedOver((request, send) =>
      broken ? refuse(request, send) : send(),
    )
    const other = stage.claim({ name: 'other' })
    expect(await stage.until(() => stage.ends('moving')[0] === 'Succeeded/Verified', HOUR)).toBe(
      true,
    )
    expect(stage.tier(moving)).toBe('cold')
    await stage.clock.advance(10 * MINUTE)
    expect(stage.retypes(other)).toBe(0)
    expect(await registry.metrics()).toContain(`couchestor_leader_start_failing{step="${step}"} 1`)

    broken = false
    expect(await stage.until(() => stage.tier(other) === 'cold', 2 * HOUR)).toBe(true)
    expect(await registry.metrics()).toContain(`couchestor_leader_start_failing{step="${step}"} 0`)
    expect(await stage.until(() => stage.ledger().length === 0)).toBe(true)
  },
)

it.each<[string, string, number, string]>([
  ['the uid of kube-system', '/namespaces/kube-system', 500, 'cluster-id'],
  ['VolumeMigrations', '/volumemigrations', 403, 'list-volumemigrations.couchestor.io'],
])(
  'a leader that may not read %s follows nothing yet, and does not call a policy Ready meanwhile',
  async (_, path, status, step) => {
    let broken = true
    const refuse = refusing(isList(path), status)
    const { stage } = await handedOver((request, send) => (broken ? refuse(request, send) : send()))
    const isStarting = () => stage.condition('Ready')?.reason === 'Starting'
    expect(await stage.until(isStarting)).toBe(true)
    expect(stage.condition('Ready')?.message).toContain(step)
    broken = false
    expect(await stage.until(() => stage.ends('moving')[0] === 'Succeeded/Verified', HOUR)).toBe(
      true,
    )
    expect(await stage.until(() => stage.condition('Ready')?.reason === 'Ready', HOUR)).toBe(true)
  },
)

it('a leader that cannot start says so on the policy, and leaves its figures as they were', async () => {
  const { stage } = await handedOver(refusing(isList('/tieringcheckpoints?'), 403))
  await stage.until(() => stage.condition('Ready')?.status === 'False')
  expect(stage.condition('Ready')).toMatchObject({
    reason: 'Starting',
    message: expect.stringContaining('checkpoints') as string,
  })
  expect(stage.policyStatus().managedClaims).toBe(1)
})

it.each([403, 413, 422, 500])(
  'a running move whose object cannot be patched (%i) keeps nobody from starting',
  async (status) => {
    const stuckObject = ({ method, url }: HttpRequest) =>
      method === 'PATCH' && url.includes('/volumemigrations/moving-')
    let broken = true
    const refuse = refusing(stuckObject, status)
    const { stage, moving, registry } = await handedOver((request, send) =>
      broken ? refuse(request, send) : send(),
    )
    const other = stage.claim({ name: 'other' })
    expect(await stage.until(() => stage.tier(other) === 'cold', HOUR)).toBe(true)
    // with one place: the move that is over in Cinder holds it no more
    expect(stage.tier(moving)).toBe('cold')
    await stage.clock.advance(10 * MINUTE)
    expect(stage.ends('moving')[0]).toMatch(/^Retyping|^Requested/)
    expect(stage.events('moving')).toContain('WriteRefused')
    expect(await registry.metrics()).toContain(
      'couchestor_writes_refused{resource="volumemigrations/status"} 1',
    )
    broken = false
    expect(await stage.until(() => stage.ends('moving')[0] === 'Succeeded/Verified', HOUR)).toBe(
      true,
    )
    expect(stage.retypes(moving)).toBe(1)
  },
)

it.each<[string, HttpResponse, number]>([
  ['pages of a proxy', page(403), 8],
  ['an API server that has not read the roles yet', answer(403, 'not yet'), 2],
])(
  'a new leader takes no other id for its cluster from %s, and makes the call of the last one',
  async (_, refusal, times) => {
    const stage = new Stage()
    stage.policy()
    const moving = stage.claim({ name: 'moving', sizeGiB: 10 })
    // it dies between the intent and the call
    let isCalling = false
    const first = stage.start({
      gate: (request, send) => {
        if (!request.url.endsWith('/action')) return send()
        isCalling = true
        return new Promise(() => {})
      },
    })
    await stage.until(() => isCalling)
    first.life.kill()
    let asked = 0
    stage.start({
      identity: 'second',
      gate: (request, send) =>
        request.url.endsWith('/namespaces/kube-system') && asked++ < times
          ? Promise.resolve(refusal)
          : send(),
    })
    const isOver = () => /^(Succeeded|Failed)/.test(stage.ends('moving')[0] ?? '')
    expect(await stage.until(isOver, HOUR)).toBe(true)
    expect(stage.ends('moving')).toEqual(['Succeeded/Verified'])
    expect(stage.retypes(moving)).toBe(1)
  },
)

it('a role without namespaces, nodes and pods is no reason to wait for long', async () => {
  const denied = new Set(['namespaces', 'nodes', 'pods'])
  const allow = ({ resource }: { resource: string }) => !denied.has(resource)
  const stage = new Stage({ apiServer: { allow } })
  stage.policy()
  const volume = stage.claim({ name: 'data' })
  stage.start()
  expect(await stage.until(() => stage.retypes(volume) === 1, 2 * MINUTE)).toBe(true)
  expect(await stage.until(() => stage.ends('data')[0] === 'Succeeded/Verified', HOUR)).toBe(true)
})

it('a role that may read more than before makes no call of its own one of another cluster', async () => {
  const stage = new Stage()
  stage.policy()
  const moving = stage.claim({ name: 'moving', sizeGiB: 10 })
  // it dies between the intent and the call
  let isCalling = false
  const refuse = refusing(({ url }) => url.endsWith('/namespaces/kube-system'), 403)
  const first = stage.start({
    gate: (request, send) => {
      if (!request.url.endsWith('/action')) return refuse(request, send)
      isCalling = true
      return new Promise(() => {})
    },
  })
  expect(await stage.until(() => isCalling, HOUR)).toBe(true)
  first.life.kill()
  stage.start({ identity: 'second' })
  const isOver = () => /^(Succeeded|Failed)/.test(stage.ends('moving')[0] ?? '')
  expect(await stage.until(isOver, HOUR)).toBe(true)
  expect(stage.ends('moving')).toEqual(['Succeeded/Verified'])
  expect(stage.retypes(moving)).toBe(1)
})
