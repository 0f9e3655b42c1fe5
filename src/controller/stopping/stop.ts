import * as z from 'zod'
import { STOPS, stopRecord } from '../../api/tiering-checkpoint.ts'
import type { TieringCheckpoint } from '../../api/tiering-checkpoint.ts'
import { SCALABLE } from '../../api/workload-objects.ts'
import type { Clock } from '../../clock.ts'
import type { Initiator } from '../../audit/change.ts'
import type { StopRecord } from '../../migration/workloads/saved.ts'
import { RecordStore } from '../moving/record-store.ts'
import type { ReadRecord, RecordClient } from '../moving/record-store.ts'

/** All that the stop of a workload goes by. It belongs to no namespace, and so outlives the move that needs it. */
export type WorkloadStop = {
  readonly move: {
    readonly namespace: string
    readonly name: string
    readonly uid: string
    /** Name of its claim. */
    readonly claim: string
    readonly policy: string
    /** Tiers. */
    readonly from?: string | undefined
    readonly to: string
    /** Who is behind it, for the audit. */
    readonly initiator: Initiator
  }
  /** `leaseTransitions` of the leader that follows it now. */
  readonly epoch: number
  readonly saved: StopRecord
  /** uids of the moves whose copies are given up, since something else wants the workload up. */
  readonly yields?: readonly string[]
}

const text = z.string().min(1)
const scale = z.object({ replicas: z.int().min(0), start: z.int().min(0).optional() })
const act = z.enum(['stop', 'restore', 'unmark'])
const Saved = z.strictObject({
  workload: z.object({ kind: z.enum(SCALABLE), namespace: text, name: text, uid: text }),
  before: scale,
  after: scale,
  pods: z.array(
    z.object({ name: text, uid: z.string(), labels: z.record(z.string(), z.string()) }),
  ),
  claims: z.array(text),
  moveUid: text,
  phase: z.enum(['Stopping', 'Stopped', 'Restoring', 'Restored', 'FoughtBack']),
  journal: z.array(
    z.object({
      act,
      state: z.enum(['Asked', 'Done', 'None']),
      attempts: z.int(),
      open: z.literal(true).optional(),
      requestId: z.string(),
      at: z.string(),
    }),
  ),
  intent: z.object({ act, resourceVersion: z.string() }).optional(),
  answer: z
    .object({
      kind: z.enum(['Accepted', 'Rejected', 'NotSent', 'Unknown']),
      httpStatus: z.number().optional(),
      message: z.string().optional(),
    })
    .optional(),
  deadline: z.number(),
  reason: z.string().optional(),
  message: z.string().optional(),
})
const Record = z.strictObject({
  move: z.object({
    namespace: text,
    name: text,
    uid: text,
    claim: text,
    policy: z.string(),
    from: z.string().optional(),
    to: z.string(),
    initiator: z.looseObject({ kind: z.enum(['controller', 'person']) }),
  }),
  epoch: z.number(),
  saved: Saved,
  yields: z.array(z.string()).optional(),
})

function readStop({ spec }: TieringCheckpoint): ReadRecord<WorkloadStop> {
  const read = Record.safeParse(spec.stop)
  if (!read.success) {
    const [issue] = read.error.issues
    const path = ['spec', 'stop', ...(issue?.path ?? [])].join('.')
    return { ok: false, why: `${path}: ${issue?.message ?? 'cannot be read'}` }
  }
  const { move, saved } = read.data
  if (saved.moveUid !== move.uid || saved.workload.namespace !== move.namespace)
    return { ok: false, why: 'spec.stop.saved is of another move than spec.stop.move' }
  return { ok: true, record: read.data as unknown as WorkloadStop }
}

const KIND = { policy: STOPS, field: 'stop', nameOf: stopRecord, read: readStop } as const

/** The records of workloads that are stopped for moves. */
export class Stops extends RecordStore<WorkloadStop> {
  constructor(
    client: RecordClient,
    fence: () => void,
    clock: Clock,
    onOpen?: (moveUid: string) => void,
  ) {
    super(KIND, client, fence, clock, onOpen)
  }

  /** That the claim is part of. */
  ofClaim({ namespace, name }: { readonly namespace: string; readonly name: string }) {
    return this.all().find(
      ({ move, saved }) =>
        move.namespace === namespace && (move.claim === name || saved.claims.includes(name)),
    )
  }

  /** Puts the stop that the claim (`namespace/name`) is part of into the queue of its follower. */
  followClaim(key: string): void {
    const [namespace = '', name = ''] = key.split('/')
    const stop = this.ofClaim({ namespace, name })
    if (stop !== undefined) this.follow(stop.move.uid)
  }

  /** That the move, whose volume is copied, has to give way to. */
  isYielding(moveUid: string): boolean {
    return this.all().some(({ yields = [] }) => yields.includes(moveUid))
  }
}
