import type { ReclaimPolicy } from './manifest.ts'
import { nameOf } from './names.ts'
import type { Agreed } from './outcome.ts'
import { answered } from './saved.ts'
import type { Maker, Origin, ReplaceAct, ReplaceAnswer, Saved, Shape } from './saved.ts'

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
  | 'etcd'

export type Finalizer = 'protection' | 'provisioner' | 'attacher' | 'own'

export type Volume = {
  readonly status:
    | 'creating'
    | 'available'
    | 'in-use'
    | 'retyping'
    | 'backing-up'
    | 'deleting'
    | 'error'
    | 'error_restoring'
  /** Version of the data on it. */
  readonly data: number
  readonly type: 'from' | 'to'
  /** Its `updated_at`. */
  readonly changes: number
  /** It says that the claim may have been on it. */
  readonly takenOver?: true
}

/** What a move by backup gives the claim. */
export type RestoredVolume = Volume & {
  /** It says that it was restored from the backup of the move. */
  readonly isOfBackup: boolean
  /** It has its own metadata, and not those of what was backed up. */
  readonly isMarked: boolean
}

export type VolumeId = 'source' | 'copy' | 'restored'

export type State = {
  readonly world: {
    readonly policy: ReclaimPolicy
    readonly troubles: readonly Trouble[]
    /** Somebody else has a volume and a snapshot with the derived names. */
    readonly namesakes: boolean
    readonly via?: 'backup'
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
  readonly backup?: {
    /** `stuck`: cinder-backup has died, and does not come back. */
    readonly status: 'creating' | 'stuck' | 'available' | 'restoring' | 'deleting' | 'error'
    readonly data: number
  }
  readonly restored?: RestoredVolume
  readonly userSnapshot: boolean
  /** Made a second time for this move, by a leader that had been suspended. */
  readonly twin?: 'copy' | 'snapshot' | 'backup' | 'restored'
  /** Cinder does not list it for a moment. */
  readonly hidden?: 'snapshot' | 'copy' | 'backup' | 'restored'
  /** What is in a backup of etcd, from before the claim may have the copy; `restored` = the cluster was put back to it. */
  readonly etcd?: Pick<State, 'saved' | 'pv'> | 'restored'
  /** Another PersistentVolume that stands for the source. */
  readonly otherPv: boolean
  /** A VolumeAttachment that nobody serves. */
  readonly parkedAttachment: boolean
  readonly pod?: { readonly on?: VolumeId; readonly wrote: boolean }
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

export const FULL: Origin = {
  ...ORIGIN,
  manifest: { metadata: { name: 'pvc-1' }, spec: { persistentVolumeReclaimPolicy: 'Delete' } },
}

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
  via?: 'backup',
): State {
  const pv = { ...START.pv!, policy }
  const finalizers = START.pv!.finalizers.filter((f) => policy === 'Delete' || f !== 'provisioner')
  const kind = { policy, troubles, namesakes, ...(via && { via }) }
  return { ...START, world: kind, left, pv: { ...pv, finalizers } }
}

/** Held, and with its clone: what comes before is as it is in other worlds. */
function cloned(at: State): State {
  const done = (act: Maker, id: string) =>
    ({
      act,
      state: 'Done',
      attempts: 1,
      requestId: 'r',
      at: '',
      id,
      name: nameOf(FULL, act),
    }) as const
  return {
    ...at,
    saved: {
      ...at.saved,
      phase: 'Copying',
      sourceUpdatedAt: '0',
      journal: [done('cloneVolume', 'copy'), done('createSnapshot', 'snapshot')],
    },
    pv: { ...at.pv!, uid: 1, shape: 'held', policy: 'Retain', finalizers: ['protection', 'own'] },
    pvs: 1,
    snapshot: { status: 'available', data: 0 },
    copy: { status: 'available', data: 0, type: 'from', changes: 1 },
    begun: { createSnapshot: 1, cloneVolume: 1 },
  }
}

/** The volume that the claim is to get. */
export function copyIn({ world: { via } }: State): 'copy' | 'restored' {
  return via === 'backup' ? 'restored' : 'copy'
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
  cloned(world(2, 'Delete', ['etcd', 'pod'])),
  world(2, 'Delete', ['policy', 'claim', 'wish', 'crash']),
  world(1, 'Delete', [...EVERYTHING, 'twin'], true, 'backup'),
  cloned(world(2, 'Retain', ['calls'], false, 'backup')),
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

export function originOf({ world: { policy, via } }: State): Origin {
  return {
    ...FULL,
    ...(via && { via }),
    manifest: { ...FULL.manifest, spec: { persistentVolumeReclaimPolicy: policy } },
  }
}
