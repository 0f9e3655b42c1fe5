import { describe, expect, it } from 'vitest'
import type { WorkloadObject } from '../../api/workload-objects.ts'
import { nextWorkloadStep } from './machine.ts'
import { noticeOf } from './notice.ts'
import { sightOf, writeOf } from './outcome.ts'
import type { WorkloadInput, WorkloadOutcome, WorkloadSight } from './outcome.ts'
import type { Stop } from './plan.ts'
import { refusal } from './refusal.ts'
import { answered, intended, recordOf } from './saved.ts'
import type { StopPhase, StopRecord, WorkloadAnswer } from './saved.ts'

const STOP: Stop = {
  workload: { kind: 'Deployment', namespace: 'shop', name: 'web', uid: 'u' },
  before: { replicas: 3 },
  after: { replicas: 0 },
  pods: [{ name: 'web-a', uid: 'p', labels: { app: 'web' } }],
  claims: ['data'],
}
const NEW = recordOf(STOP, { uid: 'move', deadline: 1000 })
const CALL = { requestId: 'r', at: 'now' }
const ACCEPTED: WorkloadAnswer = { kind: 'Accepted' }
const FORBIDDEN: WorkloadAnswer = { kind: 'Rejected', httpStatus: 403, message: 'no right' }

function asked(act: 'stop' | 'restore' | 'unmark', from: StopRecord = NEW): StopRecord {
  return intended(from, { act, resourceVersion: '1' }, CALL)
}

function inPhase(phase: StopPhase): StopRecord {
  return { ...answered(asked('stop'), ACCEPTED), phase }
}

function seen(
  replicas: number,
  {
    mark,
    pods = [],
    version = '2',
    refusals = [],
  }: {
    mark?: string
    pods?: string[]
    version?: string
    refusals?: Extract<WorkloadSight, { kind: 'Seen' }>['refusals']
  } = {},
): WorkloadSight {
  return {
    kind: 'Seen',
    workload: {
      uid: 'u',
      resourceVersion: version,
      terminating: false,
      scale: { replicas },
      ...(mark === undefined ? {} : { stoppedFor: mark }),
    },
    pods,
    refusals,
  }
}

function next(
  saved: StopRecord,
  sight: WorkloadSight | undefined,
  more: Partial<WorkloadInput> = {},
): WorkloadOutcome {
  const timing = { pollMs: 2000, verifyMs: 3000, mostAttempts: 2 }
  return nextWorkloadStep({ saved, sight, now: 0, quietUntil: 0, timing, ...more })
}

const DOWN = { mark: 'move' }
const UNREADABLE: WorkloadSight = { kind: 'Unreadable', why: 'no connection' }

describe('a workload that is stopped for a move', () => {
  it('is read before anything is done to it', () => {
    expect(next(NEW, undefined)).toEqual({ kind: 'look' })
  })

  it('is scaled in the version in which everything allowed it', () => {
    expect(next(NEW, seen(3))).toEqual({ kind: 'act', act: { act: 'stop', resourceVersion: '2' } })
    expect(writeOf(NEW, { act: 'stop', resourceVersion: '2' })).toEqual({
      ...STOP.workload,
      resourceVersion: '2',
      scale: { replicas: 0 },
      stoppedFor: 'move',
    })
  })

  it('is not stopped when something speaks against it by now, and says what', () => {
    const refusals = [refusal('DisruptionBudget', 'the budget does not allow it')]

    expect(next(NEW, seen(3, { refusals }))).toMatchObject({
      saved: {
        phase: 'Restored',
        reason: 'NeverStopped',
        message: 'Deployment shop/web was not stopped: the budget does not allow it',
      },
    })
  })

  it('is waited for until its Pods are gone', () => {
    const saved = asked('stop')

    expect(next(saved, seen(0, { ...DOWN, pods: ['web-a'] }))).toMatchObject({
      kind: 'wait',
      why: 'waiting until Pod web-a is gone',
    })
    expect(next(saved, seen(0, DOWN))).toMatchObject({ saved: { phase: 'Stopped' } })
  })

  it.each<[string, Partial<WorkloadInput>, string]>([
    ['the move has ended', { release: 'MoveEnded' }, 'MoveEnded'],
    ['the move was cancelled', { release: 'Cancelled' }, 'Cancelled'],
    ['there is no such move any more', { release: 'MoveGone' }, 'MoveGone'],
    ['the deadline has passed', { now: 1000 }, 'DeadlinePassed'],
  ])('is restored when %s, also before its Pods are gone', (_, more, reason) => {
    const pods = ['web-a']
    const expected = { saved: { phase: 'Restoring', reason } }

    expect(next(inPhase('Stopped'), seen(0, DOWN), more)).toMatchObject(expected)
    expect(next(asked('stop'), seen(0, { ...DOWN, pods }), more)).toMatchObject(expected)
  })

  it('is restored by one write that takes the mark off, and a second read confirms it', () => {
    const saved: StopRecord = { ...inPhase('Restoring'), reason: 'MoveEnded' }
    expect(next(saved, seen(0, DOWN))).toEqual({
      kind: 'act',
      act: { act: 'restore', resourceVersion: '2' },
    })
    expect(writeOf(saved, { act: 'restore', resourceVersion: '2' })).toMatchObject({
      scale: { replicas: 3 },
      stoppedFor: undefined,
    })

    const done = answered(asked('restore', saved), ACCEPTED)
    expect(next(done, seen(3))).toMatchObject({ kind: 'wait', confirm: 'restored' })
    expect(next(done, seen(3), { confirming: { what: 'restored', ms: 3000 } })).toMatchObject({
      saved: {
        phase: 'Restored',
        reason: 'MoveEnded',
        message: 'Deployment shop/web is back to 3 replicas',
      },
    })
  })

  it('that cannot be restored is tried again for as long as it takes, and reported', () => {
    const saved = answered(asked('restore', inPhase('Restoring')), FORBIDDEN)

    expect(next(saved, seen(0, DOWN))).toEqual({
      kind: 'wait',
      ms: 3000,
      why: 'restore was not accepted and is tried again: no right',
      confirm: 'again',
      overdue: true,
    })
    expect(next(saved, UNREADABLE)).toMatchObject({ why: 'no connection', overdue: true })
    const confirming = { what: 'again', ms: 3000 } as const
    expect(next(saved, seen(0, DOWN), { confirming })).toMatchObject({ act: { act: 'restore' } })
  })

  it('is not reported as long as its move needs it', () => {
    for (const sight of [UNREADABLE, seen(0, DOWN)])
      expect(next(inPhase('Stopped'), sight)).not.toHaveProperty('overdue')
    expect(next(inPhase('Stopped'), UNREADABLE, { release: 'MoveEnded' })).toMatchObject({
      overdue: true,
    })
  })

  it.each<[string, WorkloadSight]>([
    ['back to its former count', seen(3, DOWN)],
    ['to another count', seen(5, DOWN)],
    ['and replaced', seen(3)],
    ['to the same, and its mark was taken off', seen(0)],
  ])('fights back when somebody sets it %s', (_, sight) => {
    for (const phase of ['Stopping', 'Stopped', 'Restoring'] as const)
      expect(next(inPhase(phase), sight)).toMatchObject({
        saved: { phase: 'FoughtBack', reason: 'WorkloadFoughtBack' },
      })
  })

  it('that has fought back loses our mark and nothing else', () => {
    const saved = inPhase('FoughtBack')

    expect(next(saved, seen(3, DOWN))).toMatchObject({ act: { act: 'unmark' } })
    expect(writeOf(saved, { act: 'unmark', resourceVersion: '2' })).not.toHaveProperty('scale')
    expect(next(saved, seen(3))).toEqual({ kind: 'rest' })
  })

  it('that was deleted or made again has nothing to restore, after a second read', () => {
    const gone = { kind: 'Seen', workload: undefined, pods: [], refusals: [] } as const
    const again = {
      ...gone,
      workload: { uid: 'v', resourceVersion: '9', terminating: false, scale: { replicas: 3 } },
    } as const
    for (const sight of [gone, again]) {
      expect(next(inPhase('Stopped'), sight)).toMatchObject({ kind: 'wait', confirm: 'gone' })
      const confirming = { what: 'gone', ms: 3000 } as const
      expect(next(inPhase('Stopped'), sight, { confirming })).toMatchObject({
        saved: { phase: 'Restored', reason: 'WorkloadGone' },
      })
    }
  })
})

describe('a stop whose answer is lost', () => {
  const lost = answered(asked('stop'), { kind: 'Unknown', message: 'reset' })

  it('may still arrive as long as nobody has written the workload', () => {
    expect(next(lost, seen(3, { version: '1' }), { quietUntil: 500 })).toMatchObject({ ms: 500 })
    expect(next(lost, seen(3, { version: '1' }))).toMatchObject({
      saved: { phase: 'Stopping', journal: [{ state: 'None' }] },
    })
  })

  it('is not repeated once somebody has: it may have been carried out before', () => {
    expect(next(lost, seen(3))).toMatchObject({ saved: { reason: 'NeverStopped' } })
  })

  it('is known by its mark', () => {
    expect(next(lost, seen(0, DOWN))).toMatchObject({ saved: { phase: 'Stopped' } })
  })

  it('is not taken for one that somebody else has stopped', () => {
    expect(next(lost, seen(0))).toMatchObject({ saved: { phase: 'FoughtBack' } })
  })
})

describe('what a read shows', () => {
  const workload: WorkloadObject = {
    kind: 'StatefulSet',
    metadata: {
      name: 'db',
      uid: 'u',
      resourceVersion: '7',
      annotations: { 'couchestor.io/stopped-for': 'move' },
    },
    spec: { replicas: 1, ordinals: { start: 1 } },
  }

  it('is the scale with its first ordinal, the mark, and every Pod that is still in the way', () => {
    const claim = (claimName: string) => ({ persistentVolumeClaim: { claimName } })
    const pods = [
      { metadata: { name: 'web-a', uid: 'p' }, spec: {}, status: { phase: 'Failed' } },
      { metadata: { name: 'debug', uid: 'd' }, spec: { volumes: [claim('data')] } },
      { metadata: { name: 'other', uid: 'o' }, spec: { volumes: [claim('else')] } },
    ]

    expect(sightOf(NEW, workload, pods, [])).toEqual({
      kind: 'Seen',
      workload: {
        uid: 'u',
        resourceVersion: '7',
        terminating: false,
        scale: { replicas: 1, start: 1 },
        stoppedFor: 'move',
      },
      pods: ['web-a', 'debug'],
      refusals: [],
    })
  })
})

describe('the owner of the Pods', () => {
  it('hears of everything from the first notice to the last', () => {
    const records: StopRecord[] = [
      NEW,
      asked('stop'),
      inPhase('Stopped'),
      inPhase('Restoring'),
      { ...inPhase('Restored'), message: 'Deployment shop/web is back to 3 replicas' },
    ]
    const notices = records.map((r, i) => noticeOf(records[i - 1], r, 'the move of claim data'))

    expect(notices.map((n) => n?.message)).toEqual([
      'Deployment shop/web is scaled to 0 replicas for the move of claim data; web-a will stop',
      undefined,
      'web-a stopped; the move of claim data can begin',
      'Deployment shop/web is scaled back to 3 replicas',
      'Deployment shop/web is back to 3 replicas',
    ])
  })

  it('is warned when the workload fights back', () => {
    const before = inPhase('Stopped')
    const outcome = next(before, seen(3, DOWN))
    if (outcome.kind !== 'save') throw new Error(outcome.kind)

    expect(noticeOf(before, outcome.saved, 'the move')).toEqual({
      type: 'Warning',
      message:
        'Deployment shop/web was stopped (0 replicas instead of 3 replicas) and now has 3 replicas: somebody else has set that. It is left as it is; suspend what sets its replicas, or leave spec.replicas out of Git',
    })
  })
})
