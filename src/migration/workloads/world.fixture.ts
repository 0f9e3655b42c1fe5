import type { Scale } from '../../api/workload-objects.ts'
import type { Agreed } from './outcome.ts'
import { answered } from './saved.ts'
import type { StopRecord, WorkloadAct, WorkloadAnswer } from './saved.ts'

/** What may go wrong, or be done by others, a few times in one run. */
export type Trouble = 'calls' | 'crash' | 'refusal' | 'scale' | 'object' | 'status' | 'budget'

export type Workload = {
  readonly uid: number
  /** Its resourceVersion. */
  readonly version: number
  readonly scale: Scale
  readonly marked: boolean
  /** Who has set the scale that it has. */
  readonly by: 'owner' | 'us' | 'other'
}

type Shape = Pick<StopRecord, 'workload' | 'before' | 'after' | 'pods' | 'claims'>

export type State = {
  readonly shape: keyof typeof SHAPES
  readonly troubles: readonly Trouble[]
  readonly left: number
  readonly saved: Omit<StopRecord, keyof Shape>
  readonly workload?: Workload
  /** Of the Pods that stop. */
  readonly pods: 'run' | 'end' | 'gone'
  /** A budget does not allow the stop now. */
  readonly refused: boolean
  readonly released: boolean
  readonly late: boolean
  /** The call whose intent is saved, and which the process is about to make. */
  readonly sending?: WorkloadAct
  /** Calls on their way whose answer nobody waits for. */
  readonly flying: readonly WorkloadAct[]
  readonly quiet: boolean
  readonly confirming?: { readonly what: Agreed; readonly isLong: boolean }
  /** How often it was stopped. */
  readonly stops: number
  readonly lie?: string
}

const REF = { namespace: 'shop', name: 'db', uid: '1' }
const PODS = [{ name: 'db-0', uid: 'p', labels: {} }]
const REST = { pods: PODS, claims: ['data'] }

const SHAPES = {
  deployment: {
    ...REST,
    workload: { ...REF, kind: 'Deployment' },
    before: { replicas: 3 },
    after: { replicas: 0 },
  },
  top: {
    ...REST,
    workload: { ...REF, kind: 'StatefulSet' },
    before: { replicas: 2 },
    after: { replicas: 1 },
  },
  first: {
    ...REST,
    workload: { ...REF, kind: 'StatefulSet' },
    before: { replicas: 2, start: 0 },
    after: { replicas: 1, start: 1 },
  },
} as const satisfies Record<string, Shape>

/** What no state changes is kept apart from the states. */
export function shapeOf({ shape }: Pick<State, 'shape'>): Shape {
  return SHAPES[shape]
}

export function recordOf(at: State): StopRecord {
  return { ...at.saved, ...shapeOf(at) }
}

export function withRecord(at: State, record: StopRecord): State {
  const { workload: _w, before: _b, after: _a, pods: _p, claims: _c, ...rest } = record
  const { message: _message, journal, ...saved } = rest
  const counted = journal
    .map((e) => ({ ...e, attempts: Math.min(e.attempts, MOST_ATTEMPTS + 1) }))
    .toSorted((a, b) => (a.act < b.act ? -1 : 1))
  return { ...at, saved: { ...saved, journal: counted } }
}

export const MOST_ATTEMPTS = 2
export const DEADLINE = 1000

function world(shape: State['shape'], left: number, troubles: readonly Trouble[]): State {
  return {
    shape,
    troubles,
    left,
    saved: { moveUid: 'move', phase: 'Stopping', journal: [], deadline: DEADLINE },
    workload: { uid: 1, version: 1, scale: SHAPES[shape].before, marked: false, by: 'owner' },
    pods: 'run',
    refused: false,
    released: false,
    late: false,
    flying: [],
    quiet: true,
    stops: 0,
  }
}

const EVERYTHING = [
  'calls',
  'crash',
  'refusal',
  'scale',
  'object',
  'status',
  'budget',
] as const satisfies readonly Trouble[]

/** The small ones first: each trouble by itself shows most of what may be wrong. */
export const WORLDS: readonly State[] = [
  world('deployment', 2, EVERYTHING),
  world('first', 2, EVERYTHING),
  world('top', 3, ['calls', 'crash', 'status']),
  world('deployment', 3, ['crash', 'scale']),
  world('deployment', 3, ['calls', 'scale', 'object']),
]

export function isFinished({ saved: { phase }, workload }: State): boolean {
  return phase === 'Restored' || (phase === 'FoughtBack' && workload?.marked !== true)
}

export function savedAnswer(at: State, answer: WorkloadAnswer): State {
  const { sending: _sending, ...rest } = at
  return withRecord(rest, answered(recordOf(at), answer))
}
