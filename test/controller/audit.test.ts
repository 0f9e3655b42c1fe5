import { describe, expect, it } from 'vitest'
import type { VolumeMigration } from '../../src/api/volume-migration.ts'
import { ConnectionError } from '../../src/http.ts'
import { createRegistry } from '../../src/metrics.ts'
import { AuditLines, full } from '../audit-lines.ts'
import { HOUR, MINUTE, Stage } from './stage.ts'

const RETYPE = 'update/retype'
const APPROVED_BY = { 'couchestor.io/approved-by': 'ada' }

/** A volume that the policy wants on the cold tier. */
function idle(spec: object = {}) {
  const stage = new Stage()
  stage.policy(spec)
  const volume = stage.claim({ name: 'idle' })
  return { stage, volume, lines: new AuditLines() }
}

function isOver({ status }: VolumeMigration): boolean {
  return status?.step === 'Succeeded' || status?.step === 'Failed'
}

const ended = (stage: Stage) => stage.moves('idle').some(isOver)
const intentOf = (stage: Stage) => stage.moves('idle')[0]?.status?.intent

it('a move leaves who moved what, from where to where, and what became of it', async () => {
  const { stage, volume, lines } = idle()
  stage.start({ auditSink: lines })
  expect(await stage.until(() => ended(stage), 2 * HOUR)).toBe(true)
  const [move] = stage.moves('idle')
  const hot = stage.cloud.volumeType('couchestor-hot').id
  const cold = stage.cloud.volumeType('couchestor-cold').id
  const { requestId = '' } = move?.status?.intent ?? {}
  expect(lines.calls(RETYPE)).toMatchObject([
    {
      id: requestId,
      requestId,
      initiator: { name: 'couchestor-controller', policy: { name: 'tiered', generation: 1 } },
      target: {
        typeURI: 'storage/volume',
        id: volume.id,
        claim: { namespace: 'default', name: 'idle', uid: stage.pvc('idle').metadata.uid },
        migration: { name: move?.metadata.name, uid: move?.metadata.uid },
      },
      from: { tier: 'hot', typeId: hot },
      to: { tier: 'cold', typeId: cold },
      outcome: 'success',
      reason: '202',
      cinderRequestId: move?.status?.call?.cinderRequestId,
      end: { outcome: 'success', reason: 'Verified' },
    },
  ])
  expect(move?.status?.call?.cinderRequestId).toMatch(/^req-/)
})

it('the object of a move and the annotations of its claim have their lines, own notes have none', async () => {
  const { stage, lines } = idle()
  stage.start({ auditSink: lines, timing: { keepMs: HOUR } })
  await stage.until(() => ended(stage), 2 * HOUR)
  await stage.clock.advance(10 * MINUTE)
  const seen = lines.calls().map((c) => `${c.action} ${c.target.typeURI} ${c.outcome}`)
  expect([...new Set(seen)].toSorted()).toEqual([
    'create data/volumemigrations.couchestor.io success',
    'update/annotate data/persistentvolumeclaims success',
    'update/retype storage/volume success',
  ])
  expect(lines.calls('update/annotate').at(-1)).toMatchObject({
    from: { annotations: { 'couchestor.io/tier': 'hot' } },
    to: { annotations: { 'couchestor.io/tier': 'cold' } },
  })
  const removed = await stage.until(() => stage.moves('idle').length === 0, 2 * HOUR, MINUTE)
  expect(removed).toBe(true)
  expect(lines.calls('delete')).toMatchObject([
    { target: { claim: { name: 'idle' } }, outcome: 'success' },
  ])
})

it('the first line comes after the saved intent and before Cinder is asked', async () => {
  const { stage, volume, lines } = idle()
  const order: string[] = []
  lines.before = (text) => {
    if (!text.includes(RETYPE) || !text.includes('pending')) return
    const saved = intentOf(stage)?.requestId ?? 'none'
    order.push(text.includes(saved) ? 'line after intent' : 'line without intent')
  }
  stage.start({
    auditSink: lines,
    gate: (request, send) => {
      if (request.body?.includes('os-retype')) order.push('call')
      return send()
    },
  })
  await stage.until(() => stage.retypes(volume) > 0, 2 * HOUR)
  expect(order).toEqual(['line after intent', 'call'])
})

it('who approved a move is its initiator', async () => {
  const { stage, lines } = idle({ mode: 'Approve' })
  stage.start({ auditSink: lines })
  await stage.until(() => stage.moves('idle')[0]?.status?.reason === 'AwaitingApproval', 2 * HOUR)
  const [move] = stage.moves('idle')
  stage.world.api.seed({
    ...move,
    metadata: { ...move?.metadata, annotations: APPROVED_BY, generation: 2 },
    spec: { ...move?.spec, approved: true },
  })
  expect(await stage.until(() => ended(stage), HOUR)).toBe(true)
  expect(lines.calls(RETYPE)).toMatchObject([{ initiator: { name: 'ada' } }])
  expect(lines.calls('create')).toMatchObject([{ initiator: { name: 'couchestor-controller' } }])
})

it('who asked for a move by hand is a person, known or not', async () => {
  const { stage, lines } = idle({ mode: 'Approve' })
  stage.move('by-hand', { claim: { name: 'idle' }, from: 'hot', to: 'warm' })
  stage.start({ auditSink: lines })
  expect(await stage.until(() => ended(stage), HOUR)).toBe(true)
  expect(lines.calls(RETYPE)).toMatchObject([
    { initiator: { name: 'unknown', policy: { name: 'tiered' } } },
  ])
})

describe('a revert', () => {
  it('is what became of a call that succeeded', async () => {
    const { stage, volume, lines } = idle()
    stage.cloud.planRetype(volume.id, 'revertAfterCopy')
    stage.start({ auditSink: lines })
    await stage.until(() => ended(stage), 2 * HOUR)
    expect(lines.calls(RETYPE)[0]).toMatchObject({
      outcome: 'success',
      end: { outcome: 'failure', reason: 'Reverted' },
    })
  })
})

describe('while the disk is full, a claim whose PersistentVolume is being replaced', () => {
  /** Full from the first request on that matches. */
  function copied(at: (method: string, url: string) => boolean) {
    const stage = new Stage({ csi: true })
    stage.policy({ migration: { strategy: 'snapshot-restore' } })
    const volume = stage.claim({ name: 'data' })
    const lines = new AuditLines()
    let isFull = false
    stage.start({
      auditSink: lines,
      gate: (request, send) => {
        if (!isFull && at(request.method, request.url)) {
          isFull = true
          lines.before = full
        }
        return send()
      },
    })
    const phase = () => (stage.pvc('data')['status'] as { phase?: string }).phase
    const csi = () => {
      const pv = stage.object('/api/v1/persistentvolumes', volume.pv)
      return (pv?.['spec'] as { csi?: { volumeHandle?: string } } | undefined)?.csi
    }
    return { stage, volume, lines, phase, handle: () => csi()?.volumeHandle, full: () => isFull }
  }

  it('is not left without one', async () => {
    const isDeletion = (m: string, url: string) => m === 'DELETE' && url.includes('volumes/pvc')
    const { stage, lines, phase, handle, full: isFull } = copied(isDeletion)
    expect(await stage.until(isFull, HOUR, 100)).toBe(true)
    await stage.clock.advance(MINUTE)
    expect(phase()).toBe('Bound')
    expect(handle()).toMatch(/^parked-/)
    expect(stage.cloud.snapshots()).toEqual([])
    lines.before = () => {}
    const isSoaking = () => stage.ends('data')[0] === 'Soaking/Soaking'
    expect(await stage.until(isSoaking, HOUR)).toBe(true)
    const created = lines.calls('create').filter((c) => c.target.typeURI.includes('persistentvol'))
    expect(created.map((c) => c.outcome)).toEqual(['success', 'success'])
  })

  it('gets its volume back when a Pod needs it', async () => {
    const isSnapshot = (m: string, url: string) => m === 'POST' && url.endsWith('/snapshots')
    const { stage, volume, phase, handle, full: isFull } = copied(isSnapshot)
    expect(await stage.until(isFull, HOUR, 100)).toBe(true)
    stage.world.api.seed({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'data-0', namespace: 'default' },
      spec: {
        containers: [{ name: 'main', image: 'none' }],
        volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }],
      },
      status: { phase: 'Pending' },
    })
    expect(await stage.until(() => handle() === volume.id, 2 * MINUTE)).toBe(true)
    expect(await stage.until(() => phase() === 'Bound', MINUTE)).toBe(true)
  })
})

describe('while the disk is full', () => {
  it('nothing is asked of Cinder and no move is made; once there is room moves go on', async () => {
    const { stage, volume, lines } = idle()
    const registry = createRegistry()
    lines.before = full
    stage.start({ auditSink: lines, registry })
    await stage.clock.advance(2 * HOUR)
    expect({ retypes: stage.retypes(volume), moves: stage.moves().length }).toEqual({
      retypes: 0,
      moves: 0,
    })
    expect(await registry.metrics()).toContain('couchestor_audit_unavailable 1')
    expect(stage.condition('Ready')).toMatchObject({ status: 'False', reason: 'AuditUnavailable' })
    lines.before = () => {}
    expect(await stage.until(() => ended(stage), 5 * MINUTE)).toBe(true)
    expect(await registry.metrics()).toContain('couchestor_audit_unavailable 0')
    expect(await stage.until(() => stage.condition('Ready')?.status === 'True')).toBe(true)
  })

  it('a move that was made before waits and says why', async () => {
    const { stage, volume, lines } = idle()
    stage.move('by-hand', { claim: { name: 'idle' }, from: 'hot', to: 'warm' })
    lines.before = full
    stage.start({ auditSink: lines })
    await stage.clock.advance(HOUR)
    expect(stage.ends('idle')).toEqual(['Waiting/AuditUnavailable'])
    expect(stage.moves('idle')[0]?.status?.message).toContain('ENOSPC')
    expect(stage.retypes(volume)).toBe(0)
    expect(stage.ledger()).toEqual([])
    lines.before = () => {}
    expect(await stage.until(() => ended(stage), 5 * MINUTE)).toBe(true)
    expect(stage.ends('idle')).toEqual(['Succeeded/Verified'])
  })

  it('one that can take everything but the line of the call uses up no attempts', async () => {
    const { stage, volume, lines } = idle()
    let refused = 0
    lines.before = (text) => {
      if (!text.includes(RETYPE) || !text.includes('pending')) return
      refused++
      full()
    }
    stage.start({ auditSink: lines })
    await stage.clock.advance(HOUR)
    expect(refused).toBeGreaterThan(10)
    expect(stage.retypes(volume)).toBe(0)
    expect(stage.moves('idle').map((m) => m.status?.step)).toEqual(['Waiting'])
    lines.before = () => {}
    expect(await stage.until(() => ended(stage), 5 * MINUTE)).toBe(true)
    expect(stage.moves('idle')[0]?.status).toMatchObject({
      step: 'Succeeded',
      intent: { attempt: 1 },
    })
  })

  it('the volume in flight is followed to its end, and its lines are written later', async () => {
    const { stage, volume, lines } = idle()
    stage.start({ auditSink: lines })
    await stage.until(() => stage.retypes(volume) > 0, 2 * HOUR, 500)
    expect(ended(stage)).toBe(false)
    lines.before = full
    expect(await stage.until(() => ended(stage), HOUR)).toBe(true)
    expect(stage.ends('idle')).toEqual(['Succeeded/Verified'])
    expect(lines.calls(RETYPE)[0]?.end).toBeUndefined()
    lines.before = () => {}
    await stage.clock.advance(MINUTE)
    expect(lines.calls(RETYPE)[0]).toMatchObject({
      outcome: 'success',
      end: { outcome: 'success', reason: 'Verified' },
    })
  })
})

describe('a leader that is killed', () => {
  it('between the first line and the call leaves a call without outcome; the next one says that nothing began', async () => {
    const { stage, lines } = idle()
    const first = stage.start({ auditSink: lines })
    lines.before = (text) => {
      if (text.includes(RETYPE)) first.life.kill()
    }
    await stage.until(() => first.life.dead, 2 * HOUR)
    const id = intentOf(stage)?.requestId ?? ''
    expect(lines.lines(RETYPE)).toEqual([`${id} pending`])
    lines.before = () => {}
    stage.start({ auditSink: lines, identity: 'second' })
    expect(await stage.until(() => ended(stage), HOUR)).toBe(true)
    const [lost, again] = lines.calls(RETYPE)
    expect(lost).toMatchObject({
      id,
      outcome: undefined,
      end: { outcome: 'failure', reason: 'NotSent' },
    })
    expect(again).toMatchObject({ outcome: 'success', end: { reason: 'Verified' } })
    expect(again?.id).not.toBe(id)
  })

  it('between the call and its outcome leaves it unknown; the next one says what became of the volume', async () => {
    const { stage, volume, lines } = idle()
    const first = stage.start({ auditSink: lines })
    lines.before = (text) => {
      if (!text.includes(RETYPE) || !text.includes('"success"')) return
      first.life.kill()
      full()
    }
    await stage.until(() => first.life.dead, 2 * HOUR)
    const id = intentOf(stage)?.requestId ?? ''
    expect(lines.lines(RETYPE)).toEqual([`${id} pending`])
    lines.before = () => {}
    stage.start({ auditSink: lines, identity: 'second' })
    expect(await stage.until(() => ended(stage), HOUR)).toBe(true)
    expect(stage.retypes(volume)).toBe(1)
    expect(lines.calls(RETYPE)).toMatchObject([
      { id, outcome: undefined, end: { outcome: 'success', reason: 'Verified' } },
    ])
  })
})

it('a call that gets no answer is unknown, and so is nothing else', async () => {
  const { stage, lines } = idle()
  let lost = false
  stage.start({
    auditSink: lines,
    gate: async (request, send) => {
      if (lost || !request.body?.includes('os-retype')) return send()
      lost = true
      await send()
      throw new ConnectionError('reset', 'the connection was lost')
    },
  })
  expect(await stage.until(() => ended(stage), 2 * HOUR)).toBe(true)
  expect(lines.calls(RETYPE)).toMatchObject([
    { outcome: 'unknown', end: { outcome: 'success', reason: 'Verified' } },
  ])
})

it('a volume that changes while the line is written is left alone', async () => {
  const { stage, volume, lines } = idle()
  const row = stage.cloud.volume(volume.id)
  const warm = stage.cloud.volumeType('couchestor-warm').id
  let isAsked = false
  lines.before = (text) => {
    if (isAsked || !text.includes(`"action":"${RETYPE}"`) || row === undefined) return
    isAsked = true
    // somebody has moved it by hand while the disk was slow
    row.typeId = warm
    row.updatedAt = stage.clock.now()
  }
  stage.start({ auditSink: lines })
  expect(await stage.until(() => isAsked, 2 * HOUR)).toBe(true)
  await stage.clock.advance(MINUTE)
  expect(stage.retypes(volume)).toBe(0)
  expect(lines.calls(RETYPE)).toMatchObject([{ outcome: 'failure', reason: 'NotSent' }])
})
