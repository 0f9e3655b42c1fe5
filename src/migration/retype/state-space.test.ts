import { describe, expect, it } from 'vitest'
import type { CallOutcome } from '../../api/volume-migration.ts'
import { explore } from '../explore.fixture.ts'
import type { Exploration } from '../explore.fixture.ts'
import { nextRetypeStep } from './machine.ts'
import { events } from './state-space.fixture.ts'
import type { Machine } from './state-space.fixture.ts'
import { isFinished, MOST_ATTEMPTS, WORLDS } from './world.fixture.ts'
import type { State } from './world.fixture.ts'

/** Of each world, until something is wrong in one. */
function* search(machine: Machine): Generator<Exploration<State>> {
  for (const start of WORLDS) yield explore(start, (at) => events(machine, at), rule, isFinished)
}

function isSound(machine: Machine): boolean {
  for (const { broken, deadEnd } of search(machine))
    if (broken !== undefined || deadEnd !== undefined) return false
  return true
}

function rule({ mutations, lie, status }: State): string | undefined {
  if (mutations > 1) return 'Cinder was made to retype the volume twice'
  if (status.attempt > MOST_ATTEMPTS) return 'the call is repeated without end'
  return lie
}

/** What the machine says when an answer with that status is taken for another one. */
function answeredBy(
  input: Parameters<Machine>[0],
  httpStatus: number,
  taken: Pick<CallOutcome, 'httpStatus' | 'quota'>,
): ReturnType<Machine> {
  const { call } = input.status
  if (call?.httpStatus !== httpStatus) return nextRetypeStep(input)
  return nextRetypeStep({ ...input, status: { ...input.status, call: { ...call, ...taken } } })
}

describe('every state that a move by retype can come into', () => {
  it(
    'has one retype at most, a way to an end, and no end that is not so',
    { timeout: 120_000 },
    () => {
      for (const { states, broken, deadEnd } of search(nextRetypeStep)) {
        // 8406, 46354 and 111443 when this was written
        process.stdout.write(`${states} states of a move by retype\n`)
        expect(broken).toBeUndefined()
        expect(deadEnd).toBeUndefined()
        expect(states).toBeGreaterThan(8_000)
      }
    },
  )

  it.each<[string, Machine]>([
    [
      'a machine that does not wait until no call can be on its way',
      (input) => nextRetypeStep({ ...input, quietUntil: input.now }),
    ],
    [
      'a machine that takes an unanswered call for one that was not sent',
      (input) =>
        input.status.call?.kind === 'Unknown'
          ? nextRetypeStep({
              ...input,
              status: { ...input.status, call: { ...input.status.call, kind: 'NotSent' } },
            })
          : nextRetypeStep(input),
    ],
    [
      'a machine that reads once and believes',
      (input) => {
        const next = nextRetypeStep(input)
        return input.status.step === 'Retyping' && next.kind === 'goto' && next.step === 'Verifying'
          ? { ...next, step: 'Waiting', reason: 'NotSent' }
          : next
      },
    ],
    [
      'a machine that takes one read for two that agree',
      (input) =>
        nextRetypeStep({
          ...input,
          confirming: input.confirming && { ...input.confirming, ms: Infinity },
        }),
    ],
    [
      'a machine that repeats a call whatever has become of the volume',
      (input) =>
        input.sight?.kind === 'Seen' && input.status.step === 'Requested'
          ? nextRetypeStep({ ...input, sight: { ...input.sight, updatedAt: 'before' } })
          : nextRetypeStep(input),
    ],
    [
      'a machine that follows no retype of which it has no answer',
      (input) =>
        input.sight?.kind === 'Seen' && input.status.step === 'Requested'
          ? nextRetypeStep({ ...input, sight: { ...input.sight, status: 'available' } })
          : nextRetypeStep(input),
    ],
    [
      'a machine that gives up what it is stuck at',
      (input) => {
        const next = nextRetypeStep(input)
        return next.kind === 'goto' && next.step === 'Stuck' ? { ...next, step: 'Failed' } : next
      },
    ],
    [
      'a machine that tries again what Cinder has put back',
      (input) => {
        const next = nextRetypeStep(input)
        return next.kind === 'goto' && next.reason === 'Reverted'
          ? { ...next, step: 'Waiting' }
          : next
      },
    ],
    [
      'a machine that repeats without end what never leaves',
      (input) => nextRetypeStep({ ...input, timing: { ...input.timing, mostAttempts: Infinity } }),
    ],
    [
      'a machine that is never too late',
      (input) =>
        nextRetypeStep({
          ...input,
          now: 1000,
          quietUntil: input.quietUntil - input.now + 1000,
        }),
    ],
    [
      'a machine that asks again what Cinder has refused',
      (input) => {
        const next = nextRetypeStep(input)
        return next.kind === 'goto' && next.step === 'Failed' && next.reason === 'Rejected'
          ? { ...next, step: 'Waiting' }
          : next
      },
    ],
    [
      'a machine that waits for the end of what is broken',
      (input) =>
        input.sight?.kind === 'Seen' && input.sight.status === 'error'
          ? nextRetypeStep({ ...input, sight: { ...input.sight, status: 'retyping' } })
          : nextRetypeStep(input),
    ],
    [
      'a machine that takes a broken volume for one that was put back',
      (input) =>
        input.sight?.kind === 'Seen' && input.sight.status === 'error'
          ? nextRetypeStep({ ...input, sight: { ...input.sight, status: 'available' } })
          : nextRetypeStep(input),
    ],
    [
      'a machine that gives up a broken volume',
      (input) => {
        const next = nextRetypeStep(input)
        return next.kind === 'goto' && next.reason === 'VolumeError'
          ? { ...next, step: 'Failed' }
          : next
      },
    ],
    [
      'a machine that keeps its hands off a volume that is only busy',
      (input) => {
        const next = nextRetypeStep(input)
        const isBusy = input.sight?.kind === 'Seen' && input.sight.status === 'backing-up'
        return isBusy && next.kind === 'wait'
          ? { kind: 'goto', step: 'Stuck', reason: 'VolumeError', message: '' }
          : next
      },
    ],
    [
      'a machine that takes the refusal of a busy volume for the last word',
      (input) =>
        input.sight?.kind === 'Seen' && input.status.call?.kind === 'Rejected'
          ? nextRetypeStep({ ...input, sight: { ...input.sight, status: 'available' } })
          : nextRetypeStep(input),
    ],
    [
      'a machine that gives up what is busy before the call',
      (input) =>
        input.status.reason === 'Busy'
          ? { kind: 'goto', step: 'Failed', reason: 'OutcomeUnknown', message: '' }
          : nextRetypeStep(input),
    ],
    [
      'a machine that takes a conflict for a limit of calls',
      (input) => answeredBy(input, 409, { httpStatus: 429 }),
    ],
    [
      'a machine that takes a lack of quota for a limit of calls',
      (input) => answeredBy(input, 413, { quota: false }),
    ],
    [
      'a machine that takes a limit of calls for a lack of quota',
      (input) => answeredBy(input, 413, { quota: true }),
    ],
    [
      'a machine that takes a lack of quota for a refusal',
      (input) => answeredBy(input, 413, { httpStatus: 400, quota: false }),
    ],
    [
      'a machine that never leaves a step',
      (input) => {
        const next = nextRetypeStep(input)
        return input.status.step === 'Verifying' ? { kind: 'wait', ms: 1 } : next
      },
    ],
  ])('would show what is wrong with %s', { timeout: 60_000 }, (_, machine) => {
    expect(isSound(machine)).toBe(false)
  })
})
