import { nextWorkloadStep } from './machine.ts'
import type { WorkloadInput, WorkloadOutcome, WorkloadSight } from './outcome.ts'
import type { StopRecord } from './saved.ts'
import type { Machine } from './state-space.fixture.ts'

type Sight = Extract<WorkloadSight, { kind: 'Seen' }>

/** The machine, shown something else than there is. */
function sightAs(change: (sight: Sight, input: WorkloadInput) => Partial<Sight>): Machine {
  return (input) => {
    const { sight } = input
    if (sight?.kind !== 'Seen') return nextWorkloadStep(input)
    return nextWorkloadStep({ ...input, sight: { ...sight, ...change(sight, input) } })
  }
}

function workloadAs(
  change: (of: NonNullable<Sight['workload']>, input: WorkloadInput) => object,
): Machine {
  return sightAs(({ workload }, input) =>
    workload === undefined ? {} : { workload: { ...workload, ...change(workload, input) } },
  )
}

function savedAs(change: (saved: StopRecord) => Partial<StopRecord>): Machine {
  return (input) =>
    nextWorkloadStep({ ...input, saved: { ...input.saved, ...change(input.saved) } })
}

function instead(
  change: (next: WorkloadOutcome, input: WorkloadInput) => WorkloadOutcome,
): Machine {
  return (input) => change(nextWorkloadStep(input), input)
}

function isDown({ saved, sight }: WorkloadInput): boolean {
  return sight?.kind === 'Seen' && sight.workload?.scale.replicas === saved.after.replicas
}

/** Machines that have to be found. */
export const BROKEN: readonly (readonly [string, Machine])[] = [
  [
    'does not wait until no call can be on its way',
    (input) => nextWorkloadStep({ ...input, quietUntil: input.now }),
  ],
  [
    'takes an unanswered call for one that changed nothing',
    savedAs(({ journal }) => ({
      journal: journal.map((e) => (e.state === 'Asked' ? { ...e, state: 'None' } : e)),
    })),
  ],
  [
    'takes every workload at that count for one that it has stopped',
    workloadAs((_, input) => (isDown(input) ? { stoppedFor: 'move' } : {})),
  ],
  [
    'does not see that somebody has scaled it',
    workloadAs(({ stoppedFor }, { saved }) =>
      stoppedFor === undefined ? {} : { scale: saved.after },
    ),
  ],
  [
    'stops what has been scaled since the plan',
    workloadAs((_, { saved }) => (saved.phase === 'Stopping' ? { scale: saved.before } : {})),
  ],
  ['does not ask whether a budget forbids it', sightAs(() => ({ refusals: [] }))],
  ['does not wait for the Pods', sightAs(() => ({ pods: [] }))],
  [
    'takes one of the same name for the same',
    workloadAs((_, { saved }) => ({ uid: saved.workload.uid })),
  ],
  [
    'takes an API server that does not answer for a deleted workload',
    (input) =>
      nextWorkloadStep(
        input.sight?.kind === 'Unreadable'
          ? {
              ...input,
              sight: { kind: 'Seen', workload: undefined, pods: [], refusals: [] },
              confirming: { what: 'gone', ms: Infinity },
            }
          : input,
      ),
  ],
  [
    'stops it again when a loop sets it back',
    instead((next, input) =>
      next.kind === 'save' &&
      next.saved.phase === 'FoughtBack' &&
      input.sight?.kind === 'Seen' &&
      input.sight.workload !== undefined
        ? { kind: 'act', act: { act: 'stop', ...input.sight.workload } }
        : next,
    ),
  ],
  [
    'restores whatever it finds',
    instead((next, input) =>
      next.kind === 'save' &&
      next.saved.phase === 'FoughtBack' &&
      input.sight?.kind === 'Seen' &&
      input.sight.workload !== undefined
        ? { kind: 'act', act: { act: 'restore', ...input.sight.workload } }
        : next,
    ),
  ],
  [
    'forgets the workload when the move ends',
    instead((next) =>
      next.kind === 'save' && next.saved.phase === 'Restoring'
        ? { kind: 'save', saved: { ...next.saved, phase: 'Restored' } }
        : next,
    ),
  ],
  [
    'waits for the move for ever',
    ({ release: _release, ...input }) =>
      nextWorkloadStep({ ...input, saved: { ...input.saved, deadline: Infinity } }),
  ],
  [
    'gives a restore up that was refused',
    instead((next, { saved }) =>
      saved.phase === 'Restoring' && saved.answer?.kind === 'Rejected'
        ? { kind: 'save', saved: { ...saved, phase: 'Restored' } }
        : next,
    ),
  ],
  [
    'stops although the move has ended',
    ({ release, ...input }) =>
      nextWorkloadStep(
        input.saved.phase === 'Stopping' || release === undefined ? input : { ...input, release },
      ),
  ],
  [
    'tries a stop without end',
    (input) => nextWorkloadStep({ ...input, timing: { ...input.timing, mostAttempts: Infinity } }),
  ],
  [
    'says nothing of a workload that stays down',
    instead((next) => {
      if (next.kind !== 'wait') return next
      const { overdue: _overdue, ...rest } = next
      return rest
    }),
  ],
  [
    'leaves its mark',
    instead((next) => (next.kind === 'act' && next.act.act === 'unmark' ? { kind: 'rest' } : next)),
  ],
]
