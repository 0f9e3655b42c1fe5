import { describe, expect, it } from 'vitest'
import { createRegistry } from '../../src/metrics.ts'
import type { Registry } from '../../src/metrics.ts'
import { AuditLines, full } from '../audit-lines.ts'
import { HOUR, MINUTE } from './stage.ts'
import { WorkloadStage } from './workload-stage.ts'

const RESTART = { migration: { workloads: 'Restart' } }

/** Seconds for which a workload should have been up again; undefined while none is late. */
async function overdueIn(registry: Registry): Promise<string | undefined> {
  const page = await registry.metrics()
  return /couchestor_workload_restore_overdue_seconds\{policy="tiered"\} (\d+)/.exec(page)?.[1]
}

describe('an idle volume that its Deployment never detaches', () => {
  it('moves while the Deployment is stopped, which is back with all its replicas then', async () => {
    const stage = new WorkloadStage()
    stage.policy(RESTART)
    const [volume] = await stage.deployment('web', { claims: ['data'], replicas: 3 })
    stage.cloud.write(volume!.id, 'orders')
    stage.start()
    expect(await stage.until(() => stage.replicas('web') === 0)).toBe(true)
    expect(await stage.until(() => stage.ends('data')[0] === 'Succeeded/Verified')).toBe(true)
    expect(await stage.until(() => stage.replicas('web') === 3)).toBe(true)
    expect(stage.tier(volume!)).toBe('cold')
    expect(stage.cloud.data(volume!.id)).toBe('orders')
    expect(stage.mark('web')).toBeUndefined()
    expect(await stage.until(() => stage.stops().length === 0)).toBe(true)
    expect(stage.eventsOn('Deployment', 'web')).toEqual([
      'WorkloadStopping',
      'WorkloadStopped',
      'WorkloadRestoring',
      'WorkloadRestored',
    ])
  })

  it('has its replicas back although the audit cannot be written any more', async () => {
    const stage = new WorkloadStage()
    stage.policy(RESTART)
    await stage.deployment('web', { claims: ['data'], replicas: 3 })
    const lines = new AuditLines()
    stage.start({ auditSink: lines })
    expect(await stage.until(() => stage.replicas('web') === 0)).toBe(true)
    lines.before = full
    expect(await stage.until(() => stage.replicas('web') === 3, HOUR)).toBe(true)
  })

  it('is moved together with the other volumes of its Pod, in one stop', async () => {
    const stage = new WorkloadStage()
    stage.policy(RESTART)
    const volumes = await stage.deployment('web', { claims: ['data', 'log'] })
    stage.start()
    const areCold = () => volumes.every((v) => stage.tier(v) === 'cold')
    expect(await stage.until(() => areCold() && stage.replicas('web') === 1)).toBe(true)
    expect(
      stage.eventsOn('Deployment', 'web').filter((r) => r === 'WorkloadStopping'),
    ).toHaveLength(1)
  })

  it('moves when a person asks for it by hand', async () => {
    const stage = new WorkloadStage()
    stage.policy({ ...RESTART, mode: 'Approve' })
    const [volume] = await stage.deployment('web', { claims: ['data'] })
    stage.move('by-hand', { claim: { name: 'data' }, to: 'warm' })
    stage.start()
    expect(await stage.until(() => stage.tier(volume!) === 'warm')).toBe(true)
    expect(await stage.until(() => stage.replicas('web') === 1)).toBe(true)
  })

  it('gets a copy while the Deployment is stopped, which is back when the copy soaks', async () => {
    const stage = new WorkloadStage()
    stage.policy({ migration: { workloads: 'Restart', strategy: 'snapshot-restore' } })
    const [volume] = await stage.deployment('web', { claims: ['data'], replicas: 2 })
    stage.cloud.write(volume!.id, 'orders')
    stage.start()
    expect(await stage.until(() => stage.ends('data')[0] === 'Soaking/Soaking')).toBe(true)
    expect(await stage.until(() => stage.replicas('web') === 2)).toBe(true)
    const { copyVolumeId = '' } = stage.moves('data')[0]?.status?.replacement ?? {}
    expect(stage.cloud.data(copyVolumeId)).toBe('orders')
    const isInUse = () => stage.cloud.volume(copyVolumeId)?.status === 'in-use'
    expect(await stage.until(isInUse)).toBe(true)
    expect(stage.ends('data')).toEqual(['Soaking/Soaking'])
  })
})

describe('a workload is not touched', () => {
  const untouched = async (stage: WorkloadStage, ms = 20 * MINUTE) => {
    const { resourceVersion, generation } = stage.workload('Deployment', 'web').metadata
    await stage.passes(ms)
    expect(stage.workload('Deployment', 'web').metadata).toMatchObject({
      resourceVersion,
      generation,
    })
    expect(stage.stops()).toEqual([])
  }
  const message = (stage: WorkloadStage) => stage.moves('data')[0]?.status?.message

  it('where its owner has not allowed it, and the move says how to', async () => {
    const stage = new WorkloadStage()
    stage.policy(RESTART)
    await stage.deployment('web', { claims: ['data'], annotations: {} })
    stage.start()
    await untouched(stage)
    expect(stage.ends('data')).toEqual(['Waiting/Attached'])
    expect(message(stage)).toContain('couchestor.io/allow-restart')
  })

  it('where the policy waits for detach, though its owner allows it', async () => {
    const stage = new WorkloadStage()
    stage.policy()
    await stage.deployment('web', { claims: ['data'] })
    stage.start()
    await untouched(stage)
    expect(stage.staying()).toMatchObject({ Attached: 1 })
  })

  it('outside the schedule, not even for a move that is made by hand', async () => {
    const stage = new WorkloadStage()
    const migration = { workloads: 'Restart', schedule: '30 10 * * *' }
    stage.policy({ migration })
    const [volume] = await stage.deployment('web', { claims: ['data'] })
    stage.move('by-hand', { claim: { name: 'data' }, to: 'warm' })
    stage.start()
    await untouched(stage)
    expect(message(stage)).toContain('it opens at 2026-01-20T10:30:00.000Z')
    expect(await stage.until(() => stage.tier(volume!) === 'warm', HOUR)).toBe(true)
    expect(stage.clock.now()).toBeGreaterThan(Date.UTC(2026, 0, 20, 10, 30))
  })

  it('where it runs the controller, which nobody would bring back', async () => {
    const stage = new WorkloadStage()
    stage.policy(RESTART)
    await stage.deployment('web', { claims: ['data'], replicas: 2 })
    stage.start({ pod: stage.pods('web')[1]!.metadata.name })
    await untouched(stage)
    expect(message(stage)).toContain('runs the controller itself')
  })

  it('where the role lacks a right that its stop and its return need', async () => {
    const stage = new WorkloadStage({
      allow: ({ verb, resource }) => !(verb === 'patch' && resource === 'deployments'),
    })
    stage.policy(RESTART)
    await stage.deployment('web', { claims: ['data'] })
    stage.start()
    await untouched(stage)
    expect(stage.ends('data')).toEqual(['Waiting/MissingPermission'])
    expect(message(stage)).toContain('patch deployments.apps')
  })

  it('as long as as many moves run as the policy allows', async () => {
    const stage = new WorkloadStage()
    stage.policy({ migration: { workloads: 'Restart', maxConcurrent: 1 } })
    await stage.deployment('web', { claims: ['data'] })
    await stage.deployment('api', { claims: ['other'] })
    stage.start()
    let both = 0
    const down = (name: string) => stage.replicas(name) === 0
    const isDone = () => {
      if (down('web') && down('api')) both++
      return [...stage.ends('data'), ...stage.ends('other')].join() === DONE_BOTH
    }
    expect(await stage.until(isDone)).toBe(true)
    expect(both).toBe(0)
  })
})

const UNDER_WAY: ReadonlySet<string> = new Set(['Retyping', 'Holding', 'Copying'])
const DONE_BOTH = 'Succeeded/Verified,Succeeded/Verified'

describe('a StatefulSet of two of which one may be unavailable', () => {
  async function made(cloud: ConstructorParameters<typeof WorkloadStage>[1] = {}) {
    const stage = new WorkloadStage({}, cloud)
    const volumes = await stage.statefulSet('db', 2)
    await stage.budget('db')
    volumes.forEach((v, i) => stage.cloud.write(v.id, `rows ${i}`))
    const kept = () => volumes.forEach((v, i) => expect(stage.cloud.data(v.id)).toBe(`rows ${i}`))
    return { stage, volumes, kept }
  }

  it('has both volumes moved, one replica at a time', async () => {
    const { stage, volumes, kept } = await made()
    stage.policy(RESTART)
    stage.start()
    let fewest = 2
    const isDone = () => {
      fewest = Math.min(fewest, stage.pods('db').length)
      return volumes.every((v) => stage.tier(v) === 'cold') && stage.pods('db').length === 2
    }
    expect(await stage.until(isDone, 2 * HOUR)).toBe(true)
    expect(fewest).toBe(1)
    expect(await stage.until(() => stage.stops().length === 0)).toBe(true)
    const { replicas, ordinals } = stage.workload('StatefulSet', 'db').spec
    expect({ replicas, start: ordinals?.start ?? 0 }).toEqual({ replicas: 2, start: 0 })
    expect(stage.mark('db', 'StatefulSet')).toBeUndefined()
    kept()
  })

  it('has no replica announced that does not stop', async () => {
    const { stage, volumes } = await made()
    stage.policy(RESTART)
    // both at once, as a person orders them
    for (const i of [0, 1]) stage.move(`data-${i}`, { claim: { name: `data-db-${i}` }, to: 'cold' })
    stage.start()
    const isDone = () => volumes.every((v) => stage.tier(v) === 'cold')
    expect(await stage.until(isDone, 2 * MINUTE)).toBe(true)
    expect(stage.eventsOn('StatefulSet', 'db')).not.toContain('WorkloadNotStopped')
  })

  it('has the second one stopped soon after the first is back, however long that took', async () => {
    const { stage } = await made({ latencies: { schedule: 15 * MINUTE } })
    stage.policy(RESTART)
    for (const i of [0, 1]) stage.move(`data-${i}`, { claim: { name: `data-db-${i}` }, to: 'cold' })
    stage.start()
    const isDown = () => stage.replicas('db', 'StatefulSet') === 1
    expect(await stage.until(isDown)).toBe(true)
    expect(await stage.until(() => !isDown() && stage.pods('db').length === 2)).toBe(true)
    expect(await stage.until(isDown, MINUTE)).toBe(true)
  })

  it.each([
    ['cinder-retype', /Succeeded\/Verified|WorkloadFoughtBack/],
    // though the Pod that needs the claim again is seen first
    ['snapshot-restore', /Failed\/WorkloadFoughtBack/],
  ])(
    'is left alone once something sets its replicas back (%s), and nothing is lost',
    async (strategy, end) => {
      const { stage, kept } = await made()
      stage.policy({ migration: { workloads: 'Restart', strategy } })
      stage.start()
      let fights = 0
      // a loop that looks every few seconds, while the move of the first volume is under way
      const isFought = () => {
        const { spec } = stage.workload('StatefulSet', 'db')
        const isScaled = spec.replicas !== 2 || (spec.ordinals?.start ?? 0) !== 0
        const isUnderWay = stage.moves().some((m) => UNDER_WAY.has(m.status?.step ?? ''))
        if (!isScaled || !isUnderWay) return false
        fights++
        void stage.scaleBack('db')
        return false
      }
      await stage.until(isFought, 30 * MINUTE, 2_000)
      expect(fights).toBeGreaterThan(0)
      expect(fights).toBeLessThanOrEqual(2)
      expect(stage.pods('db')).toHaveLength(2)
      expect(stage.eventsOn('StatefulSet', 'db')).toContain('WorkloadFoughtBack')
      expect(stage.cloud.volumeCount()).toBe(2)
      const ends = [...stage.ends('data-db-0'), ...stage.ends('data-db-1')]
      expect(ends.join()).toMatch(end)
      kept()
    },
  )
})

describe('a workload that is down', () => {
  it('is brought back by the next leader when the first one dies', async () => {
    const stage = new WorkloadStage()
    stage.policy(RESTART)
    const [volume] = await stage.deployment('web', { claims: ['data'], replicas: 3 })
    const first = stage.start()
    expect(await stage.until(() => stage.replicas('web') === 0)).toBe(true)
    first.life.kill()
    stage.start({ identity: 'second' })
    expect(await stage.until(() => stage.replicas('web') === 3)).toBe(true)
    expect(await stage.until(() => stage.tier(volume!) === 'cold')).toBe(true)
    expect(stage.mark('web')).toBeUndefined()
  })

  it('is brought back when its move is deleted', async () => {
    const stage = new WorkloadStage()
    stage.policy(RESTART)
    await stage.deployment('web', { claims: ['data'], replicas: 2 })
    stage.start()
    expect(await stage.until(() => stage.replicas('web') === 0)).toBe(true)
    stage.policy({ ...RESTART, paused: true })
    const { name } = stage.moves('data')[0]!.metadata
    await stage.remove(`/apis/couchestor.io/v1alpha1/namespaces/default/volumemigrations/${name}`)
    expect(await stage.until(() => stage.replicas('web') === 2, 2 * MINUTE)).toBe(true)
    expect(await stage.until(() => stage.stops().length === 0)).toBe(true)
  })

  it('is brought back when its move waits for something else', async () => {
    const stage = new WorkloadStage()
    stage.policy(RESTART)
    await stage.deployment('web', { claims: ['data'], replicas: 2 })
    stage.start()
    expect(await stage.until(() => stage.replicas('web') === 0)).toBe(true)
    stage.policy({ ...RESTART, paused: true })
    expect(await stage.until(() => stage.replicas('web') === 2, 10 * MINUTE)).toBe(true)
  })

  it('is reported by a metric for as long as the API server refuses to restore it', async () => {
    const stage = new WorkloadStage()
    stage.policy(RESTART)
    await stage.deployment('web', { claims: ['data'] })
    const registry = createRegistry()
    stage.start({ registry })
    expect(await stage.until(() => stage.replicas('web') === 0)).toBe(true)
    const restore = stage.world.api.fail({
      match: { verb: 'patch', resource: 'deployments' },
      fault: { kind: 'status', code: 403 },
      times: Infinity,
    })
    const ended = () => stage.ends('data')[0] === 'Succeeded/Verified'
    expect(await stage.until(ended)).toBe(true)
    await stage.passes(10 * MINUTE)
    const overdue = () => overdueIn(registry)
    expect(Number(await overdue())).toBeGreaterThan(500)
    restore()
    expect(await stage.until(() => stage.replicas('web') === 1, 5 * MINUTE)).toBe(true)
    await stage.passes(MINUTE)
    expect(await overdue()).toBeUndefined()
  })

  it.each([
    ['the leader that stopped it', false],
    ['the next one', true],
  ])('is reported by a metric while %s cannot save that it comes back', async (_, isNext) => {
    const stage = new WorkloadStage()
    stage.policy(RESTART)
    await stage.deployment('web', { claims: ['data'] })
    let registry = createRegistry()
    const first = stage.start({ registry })
    expect(await stage.until(() => stage.replicas('web') === 0)).toBe(true)
    expect(await stage.until(() => stage.ends('data')[0]?.startsWith('Retyping') === true)).toBe(
      true,
    )
    const save = stage.world.api.fail({
      match: {
        verb: 'patch',
        resource: 'tieringcheckpoints',
        name: stage.stops()[0]!.metadata.name,
      },
      fault: { kind: 'status', code: 403 },
      times: Infinity,
    })
    if (isNext) {
      first.life.kill()
      registry = createRegistry()
      stage.start({ registry, identity: 'second' })
    }
    const ended = () => stage.ends('data')[0] === 'Succeeded/Verified'
    expect(await stage.until(ended)).toBe(true)
    await stage.passes(10 * MINUTE)
    const overdue = () => overdueIn(registry)
    expect(Number(await overdue())).toBeGreaterThan(500)
    save()
    expect(await stage.until(() => stage.replicas('web') === 1, 5 * MINUTE)).toBe(true)
  })

  it('is not mixed up by a copy of its record, which is reported and left alone', async () => {
    const stage = new WorkloadStage()
    stage.policy(RESTART)
    await stage.deployment('web', { claims: ['data'], replicas: 3 })
    const first = stage.start()
    expect(await stage.until(() => stage.replicas('web') === 0)).toBe(true)
    const [record] = stage.stops()
    const { name } = record!.metadata
    stage.world.api.seed({ ...record!, metadata: { name: `${name}-kept` } })
    const isOver = () => stage.stops().every((s) => s.metadata.name !== name)
    expect(await stage.until(() => stage.replicas('web') === 3 && isOver())).toBe(true)
    first.life.kill()
    const registry = createRegistry()
    stage.start({ identity: 'second', registry })
    await stage.passes(10 * MINUTE)
    expect(stage.eventsOn('Deployment', 'web')).not.toContain('WorkloadFoughtBack')
    expect(await registry.metrics()).toMatch(/couchestor_workload_stops_unreadable 1\n/)
    expect(stage.replicas('web')).toBe(3)
  })

  it('is reported when its record is gone, until somebody has brought it back', async () => {
    const stage = new WorkloadStage()
    stage.policy(RESTART)
    await stage.deployment('web', { claims: ['data'], replicas: 3 })
    const first = stage.start()
    expect(await stage.until(() => stage.replicas('web') === 0)).toBe(true)
    first.life.kill()
    for (const { metadata } of stage.stops())
      await stage.remove(`/apis/couchestor.io/v1alpha1/tieringcheckpoints/${metadata.name}`)
    const registry = createRegistry()
    stage.start({ identity: 'second', registry })
    await stage.passes(2 * HOUR)
    const reported = async () =>
      /couchestor_workload_stops_unreadable (\d)\n/.exec(await registry.metrics())?.[1]
    expect(await reported()).toBe('1')
    // of a Deployment that runs, the annotation was copied
    await stage.deployment('copied', {
      claims: ['other'],
      annotations: { 'couchestor.io/stopped-for': 'a' },
    })
    await stage.passes(2 * HOUR)
    expect(await reported()).toBe('1')
    await stage.send('PATCH', '/apis/apps/v1/namespaces/default/deployments/web', {
      metadata: { annotations: { 'couchestor.io/stopped-for': null } },
      spec: { replicas: 3 },
    })
    await stage.passes(2 * HOUR)
    expect(await reported()).toBe('0')
  })

  it('is not taken for one without a record while it is stopped', async () => {
    const stage = new WorkloadStage()
    stage.policy(RESTART)
    const [volume] = await stage.deployment('web', { claims: ['data'] })
    const registry = createRegistry()
    stage.start({ registry, configYaml: 'tasks: {workloads: {every: 10m}}' })
    stage.cloud.planRetype(volume!.id, 'stuck')
    expect(await stage.until(() => stage.replicas('web') === 0)).toBe(true)
    await stage.passes(40 * MINUTE)
    expect(stage.replicas('web')).toBe(0)
    expect(await registry.metrics()).toMatch(/couchestor_workload_stops_unreadable 0\n/)
  })
})
