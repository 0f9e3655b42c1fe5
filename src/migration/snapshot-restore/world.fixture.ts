import type { ReclaimPolicy } from './manifest.ts'
import type { Agreed } from './outcome.ts'
import { answered } from './saved.ts'
import type { Origin, ReplaceAct, ReplaceAnswer, Saved, Shape } from './saved.ts'

/** What may go wrong, or be done by others, a few times in one run: all of it together is too much to search. */
export type Trouble =
  | 'calls'
  | 'crash'
  | 'refusal'
  | 'pod'
  | 'stranger'
  | 'claim'
  | 'wish'
  | 'cinder'
  | 'snapshot'
  | 'handle'
  | 'policy'
  | 'twin'

export type Finalizer = 'protection' | 'provisioner' | 'attacher' | 'own'

export type Volume = {
  readonly status: 'creating' | 'available' | 'in-use' | 'retyping' | 'deleting' | 'error'
  /** Version of the data on it. */
  readonly data: number
  readonly type: 'from' | 'to'
  /** Its `updated_at`. */
  readonly changes: number
}

export type State = {
  readonly world: {
    readonly policy: ReclaimPolicy
    readonly troubles: readonly Trouble[]
    /** Somebody else has a volume and a snapshot with the derived names. */
    readonly namesakes: boolean
  }
  readonly left: number
  readonly saved: Omit<Saved, 'origin'>
  readonly wish?: 'cancel' | 'yield' | 'rollback'
  readonly claim: boolean
  readonly pv?: {
    readonly uid: number
    readonly shape: Shape
    readonly policy: ReclaimPolicy
    readonly finalizers: readonly Finalizer[]
    readonly terminating: boolean
    readonly bound: boolean
  }
  /** What an administrator has made of the reclaim policy. */
  readonly wanted?: ReclaimPolicy
  /** PersistentVolumes of that name so far. */
  readonly pvs: number
  readonly source?: Volume
  readonly copy?: Volume
  readonly snapshot?: {
    readonly status: 'creating' | 'available' | 'deleting' | 'error'
    readonly data: number
  }
  readonly userSnapshot: boolean
  /** Made a second time for this move, by a leader that had been suspended. */
  readonly twin?: 'copy' | 'snapshot'
  /** Cinder does not list it for a moment. */
  readonly hidden?: 'snapshot' | 'copy'
  /** Another PersistentVolume that stands for the source. */
  readonly otherPv: boolean
  /** A VolumeAttachment that nobody serves. */
  readonly parkedAttachment: boolean
  readonly pod?: { readonly on?: 'source' | 'copy'; readonly wrote: boolean }
  /** Attached past Kubernetes. */
  readonly stranger: boolean
  /** Newest data that the claim must read. */
  readonly newest: number
  /** The act whose intent is saved, and which the process is about to perform. */
  readonly sending?: ReplaceAct
  /** Calls on their way whose answer nobody waits for. */
  readonly flying: readonly ReplaceAct[]
  readonly quiet: boolean
  readonly confirming?: { readonly what: Agreed; readonly isLong: boolean }
  readonly late: boolean
  readonly soaked: boolean
  /** Mutations that Cinder has begun, by act. */
  readonly begun: Readonly<Partial<Record<ReplaceAct['act'], number>>>
  readonly lie?: string
}

const ORIGIN = {
  strategy: 'snapshot-restore',
  clusterId: 'here',
  projectId: 'project',
  moveUid: 'u',
  claim: { namespace: 'shop', name: 'data', uid: 'claim' },
  volume: {
    id: 'source',
    typeId: 'from',
    sizeGiB: 1,
    availabilityZone: 'nova',
    bootable: false,
    encrypted: false,
    metadata: {},
  },
  toTypeId: 'to',
  migrationPolicy: 'on-demand',
} as const satisfies Omit<Origin, 'manifest'>

const START: State = {
  world: { policy: 'Delete', troubles: [], namesakes: false },
  left: 2,
  saved: { phase: 'Holding', journal: [], deadline: 1000 },
  claim: true,
  pv: {
    uid: 0,
    shape: 'original',
    policy: 'Delete',
    finalizers: ['protection', 'provisioner'],
    terminating: false,
    bound: true,
  },
  pvs: 0,
  source: { status: 'available', data: 0, type: 'from', changes: 0 },
  userSnapshot: false,
  otherPv: false,
  parkedAttachment: false,
  stranger: false,
  newest: 0,
  flying: [],
  quiet: true,
  late: false,
  soaked: false,
  begun: {},
}

function world(
  left: number,
  policy: ReclaimPolicy,
  troubles: readonly Trouble[],
  namesakes = false,
): State {
  const pv = { ...START.pv!, policy }
  const finalizers = START.pv!.finalizers.filter((f) => policy === 'Delete' || f !== 'provisioner')
  return { ...START, world: { policy, troubles, namesakes }, left, pv: { ...pv, finalizers } }
}

const EVERYTHING = [
  'calls',
  'crash',
  'refusal',
  'pod',
  'stranger',
  'claim',
  'wish',
  'cinder',
  'snapshot',
  'handle',
] as const satisfies readonly Trouble[]

/** The small ones first: each trouble by itself shows most of what may be wrong. */
export const WORLDS: readonly State[] = [
  world(1, 'Retain', EVERYTHING, true),
  world(1, 'Delete', EVERYTHING),
  world(2, 'Delete', ['twin', 'claim']),
  world(2, 'Delete', ['calls']),
  world(2, 'Retain', ['claim', 'crash']),
  world(2, 'Delete', ['claim', 'pod']),
  world(2, 'Delete', ['wish', 'pod']),
  world(2, 'Delete', ['policy', 'claim', 'wish', 'crash']),
]

/** Of calls that make something. */
export const MOST_ATTEMPTS = 2

export const isFinished = ({ saved: { phase } }: State): boolean =>
  phase === 'Succeeded' || phase === 'Failed'

export function savedAnswer(at: State, answer: ReplaceAnswer): State {
  const { sending: _sending, ...rest } = at
  const { origin: _origin, ...saved } = answered({ ...at.saved, origin: FULL }, answer)
  return { ...rest, saved }
}

export const FULL: Origin = {
  ...ORIGIN,
  manifest: { metadata: { name: 'pvc-1' }, spec: { persistentVolumeReclaimPolicy: 'Delete' } },
}

export function originOf({ world: { policy } }: State): Origin {
  return {
    ...FULL,
    manifest: { ...FULL.manifest, spec: { persistentVolumeReclaimPolicy: policy } },
  }
}
