import type { CallOutcome, VolumeMigrationStatus } from '../../api/volume-migration.ts'
import type { Confirmation } from '../strategy.ts'

/** A call on its way. `sender`: the term whose process waits for the answer; 0 when that process is gone. */
export type Call = { readonly sender: number }

/** An answer that the process of that term has in hand and has not saved yet. */
export type Answer = { readonly sender: number; readonly call: Omit<CallOutcome, 'at'> }

export const REFUSALS = {
  nothing: [],
  some: [{ httpStatus: 400 }, { httpStatus: 429 }],
  all: [
    { httpStatus: 400 },
    { httpStatus: 409 },
    { httpStatus: 413 },
    { httpStatus: 413, quota: true },
    { httpStatus: 429 },
  ],
} satisfies Readonly<Record<string, readonly Pick<CallOutcome, 'httpStatus' | 'quota'>[]>>

export type State = {
  /** How many leaders there may be, and what may go wrong beside: all of it together is too much to search. */
  readonly world: {
    readonly terms: number
    /** What Cinder may refuse although it could do it. */
    readonly refuses: keyof typeof REFUSALS
    /** Others keep the volume busy, and a retype may fail when the volume has its new type already. */
    readonly isRough: boolean
  }
  readonly status: Pick<VolumeMigrationStatus, 'step' | 'reason' | 'verifiedOnceAt'> & {
    readonly call?: Omit<CallOutcome, 'at'>
    readonly attempt: number
    /** Term of the leader that holds the move. */
    readonly epoch: number
  }
  readonly cinder: {
    readonly status: 'available' | 'retyping' | 'error' | 'backing-up'
    readonly type: 'old' | 'new' | 'third'
    readonly there: boolean
    /** Its `updated_at` differs from that of the intent. */
    readonly changed: boolean
    /** While it copies, one read finds what is not so: the end of the copy, or a reader that lags behind its start. */
    readonly shows?: 'the end' | 'the past'
    readonly hasShown: boolean
  }
  /** Term of the present leader. A process that lost its lease may still have a call or an answer. */
  readonly term: number
  readonly flying: readonly Call[]
  readonly answers: readonly Answer[]
  /** The process has saved an intent, passed its fence, and not sent yet. */
  readonly sending: readonly number[]
  readonly confirming?: { readonly what: Confirmation; readonly isLong: boolean }
  /** No call of before can be on its way any more. */
  readonly quiet: boolean
  readonly late: boolean
  /** Retypes that Cinder has begun for this move. */
  readonly mutations: number
  /** What was saved and was not so. */
  readonly lie?: string
}

const START: State = {
  world: { terms: 3, refuses: 'nothing', isRough: false },
  status: { step: 'Waiting', attempt: 0, epoch: 0 },
  cinder: { status: 'available', type: 'old', there: true, changed: false, hasShown: false },
  term: 1,
  flying: [],
  answers: [],
  sending: [],
  quiet: false,
  late: false,
  mutations: 0,
}

/** The small one first: it shows most of what may be wrong. */
export const WORLDS: readonly State[] = [
  { ...START, world: { terms: 1, refuses: 'all', isRough: true } },
  { ...START, world: { terms: 2, refuses: 'some', isRough: false } },
  START,
]

export const MOST_ATTEMPTS = 3
export const isFinished = ({ status }: State): boolean =>
  status.step === 'Succeeded' || status.step === 'Failed'
