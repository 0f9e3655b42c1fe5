import type { Strategy as StrategyName } from '../../api/storage-policy.ts'
import type { PersistentVolumeManifest, ReclaimPolicy } from './manifest.ts'

/**
 * Holding: the real PersistentVolume gives way to the held one. Copying: snapshot, clone, retype of the clone or a volume
 * from a backup of it, verification.
 * Switching: the held one gives way to that of the copy. Soaking: both volumes exist, and a rollback is possible.
 * GivingBack: whatever is there gives way to the original. CleaningUp: what is not needed goes.
 * Abandoning: the claim is gone, and its reclaim policy is applied to every copy.
 */
export type Phase =
  | 'Holding'
  | 'Copying'
  | 'Switching'
  | 'Soaking'
  | 'GivingBack'
  | 'CleaningUp'
  | 'Abandoning'
  | 'Succeeded'
  | 'Failed'

/** What the PersistentVolume of the claim may be made of. */
export type Shape = 'original' | 'held' | 'copy'

/** Saved before the first act, in the move and in the ledger of our own namespace, and never changed. */
export type Origin = {
  readonly strategy: StrategyName
  readonly clusterId: string
  /** Project of the volume: to a credential of another one Cinder says that there is none. */
  readonly projectId: string
  readonly moveUid: string
  readonly claim: { readonly namespace: string; readonly name: string; readonly uid: string }
  readonly volume: {
    readonly id: string
    readonly typeId: string
    readonly sizeGiB: number
    readonly availabilityZone: string
    readonly bootable: boolean
    readonly encrypted: boolean
    readonly metadata: Readonly<Record<string, string>>
  }
  readonly toTypeId: string
  /** How the copy comes to its type; absent = the clone is retyped. */
  readonly via?: 'backup'
  /** By what the policy allowed when the move began. */
  readonly migrationPolicy: 'never' | 'on-demand'
  /** The PersistentVolume as it was, with the reclaim policy that it gets back. */
  readonly manifest: PersistentVolumeManifest
}

/** One side effect. Everything that it is done to is named by uid or id: a late one cannot hit anything else. */
export type ReplaceAct =
  | { readonly act: 'createSnapshot' }
  | { readonly act: 'cloneVolume' }
  /** `updatedAt` of the copy before the call: unchanged later = the call never arrived. */
  | { readonly act: 'retype'; readonly id: string; readonly updatedAt: string }
  /** Of the clone. */
  | { readonly act: 'createBackup' }
  /** A new volume of the target type, from the backup. */
  | { readonly act: 'restoreBackup' }
  /** Cinder gives a restored volume the metadata of what was backed up. */
  | { readonly act: 'markVolume'; readonly id: string }
  /** The copy says from then on that the claim may have been on it. `updatedAt` of the copy: unchanged later = it was not. */
  | { readonly act: 'markTakenOver'; readonly id: string; readonly updatedAt: string }
  | { readonly act: 'deleteBackup'; readonly id: string }
  | { readonly act: 'deleteSnapshot'; readonly id: string }
  | { readonly act: 'deleteVolume'; readonly id: string }
  | { readonly act: 'setReclaimPolicy'; readonly uid: string; readonly policy: ReclaimPolicy }
  | { readonly act: 'deletePersistentVolume'; readonly uid: string }
  /** Takes finalizers off, and only if the object is still in that version and has exactly these. */
  | {
      readonly act: 'releasePersistentVolume'
      readonly uid: string
      readonly resourceVersion: string
      readonly finalizers: readonly string[]
      readonly keep: readonly string[]
    }
  | { readonly act: 'createPersistentVolume'; readonly shape: Shape }
  | { readonly act: 'deleteVolumeAttachment'; readonly name: string; readonly uid: string }

/**
 * Asked: the call may have been made, and what it makes may exist. Done: it was accepted; `id` is what it made.
 * None: it provably made nothing. Gone: what it made was there and is not any more.
 */
export type EntryState = 'Asked' | 'Done' | 'None' | 'Gone'

/** One act of the move with what it made; written before the call, and never dropped while that may exist. */
export type JournalEntry = {
  readonly act: ReplaceAct['act']
  /** What it was done to, where there may be several of one act: a shape, a policy, an id. */
  readonly of?: string
  readonly state: EntryState
  readonly attempts: number
  /** An earlier call of it went without an answer, so that a refusal proves nothing. */
  readonly open?: true
  /** Of the last call. */
  readonly requestId: string
  readonly at: string
  /** Derived name of what it makes in Cinder: it can be found by that before its id is known. */
  readonly name?: string
  readonly id?: string
}

export type ReplaceAnswer =
  | { readonly kind: 'Accepted'; readonly id?: string }
  | {
      readonly kind: 'Rejected'
      readonly httpStatus: number
      readonly message: string
      readonly quota?: boolean
      /** What the answer asks for. */
      readonly retryAfterMs?: number
    }
  | {
      readonly kind: 'NotSent'
      readonly message: string
      /** The line that has to come before it could not be written to the audit. */
      readonly unaudited?: true
    }
  | { readonly kind: 'Unknown'; readonly message: string; readonly retryAfterMs?: number }

/** Why a move is undone, or ends. */
export type EndReason =
  | 'ClaimNeeded'
  | 'Cancelled'
  | 'WorkloadFoughtBack'
  | 'RolledBack'
  | 'ClaimDeleted'
  | 'CopyVoid'
  | 'VolumeError'
  | 'Reverted'
  | 'Rejected'
  | 'QuotaExceeded'
  | 'OutcomeUnknown'
  | 'AttemptsExhausted'
  | 'DeadlinePassed'
  | 'Disappeared'
  | 'Unverified'
  | 'HeldVolumeGone'
  | 'ForeignIntent'
  | 'Verified'

/** All that is saved of a move by this strategy. */
export type Saved = {
  readonly phase: Phase
  readonly origin: Origin
  readonly journal: readonly JournalEntry[]
  /** The act whose call comes next, or was the last; with its answer, once that is known. */
  readonly intent?: ReplaceAct
  readonly answer?: ReplaceAnswer
  /** A call went without an answer once: it may arrive after one that repeats it. */
  readonly unclear?: true
  /** When a copy that is not finished is given up. */
  readonly deadline: number
  /** `updated_at` of the source since nobody can attach it: another one later makes the copy void. */
  readonly sourceUpdatedAt?: string
  /** What the claim keeps, from the moment that this is decided for good. */
  readonly keeps?: 'original' | 'copy'
  readonly soak?: {
    readonly since: number
    readonly mountedMs: number
    readonly mountedSince?: number
  }
  /** Uid of a PersistentVolume that was seen with its own reclaim policy again: any other one later is somebody else's wish. */
  readonly restored?: string
  /** That wish; it holds in place of the reclaim policy in `origin`. */
  readonly policy?: ReclaimPolicy
  /** Why it is undone or has ended. */
  readonly reason?: EndReason
  readonly message?: string
}

/** What becomes of the volumes when the claim is deleted. */
export function policyOf({ origin, policy }: Pick<Saved, 'origin' | 'policy'>): ReclaimPolicy {
  if (policy !== undefined) return policy
  return origin.manifest.spec.persistentVolumeReclaimPolicy === 'Delete' ? 'Delete' : 'Retain'
}

/** What makes something in Cinder, in the order in which each is made of the one before. */
export const MAKERS = ['createSnapshot', 'cloneVolume', 'createBackup', 'restoreBackup'] as const
export type Maker = (typeof MAKERS)[number]

/** What makes the volume that the claim gets. */
export function copyMaker({ via }: Pick<Origin, 'via'>): 'cloneVolume' | 'restoreBackup' {
  return via === 'backup' ? 'restoreBackup' : 'cloneVolume'
}

/** Id of that volume, from the moment that it is known. */
export function copyIdOf(saved: Pick<Saved, 'journal' | 'origin'>): string | undefined {
  return entryOf(saved, copyMaker(saved.origin))?.id
}

export function entryOf(
  { journal }: Pick<Saved, 'journal'>,
  act: JournalEntry['act'],
  of?: string,
): JournalEntry | undefined {
  return journal.find((e) => e.act === act && e.of === of)
}

/** The entry of the act whose call comes next, or was the last. */
export function entryOfIntent(saved: Saved): JournalEntry | undefined {
  const { intent } = saved
  return intent && entryOf(saved, intent.act, objectOf(intent))
}

export function withEntry(saved: Saved, entry: JournalEntry): Saved {
  const rest = saved.journal.filter((e) => e.act !== entry.act || e.of !== entry.of)
  return { ...saved, journal: [...rest, entry] }
}

/** What has to be saved before the call of an act. */
export function intended(
  saved: Saved,
  act: ReplaceAct,
  call: { readonly requestId: string; readonly at: string; readonly name?: string },
): Saved {
  const of = objectOf(act)
  const before = entryOf(saved, act.act, of)
  const { answer: _answer, ...rest } = saved
  const entry: JournalEntry = {
    act: act.act,
    ...(of === undefined ? {} : { of }),
    state: 'Asked',
    attempts: Math.min((before?.attempts ?? 0) + 1, MOST_COUNTED),
    ...(before?.state === 'Asked' ? { open: true } : {}),
    ...call,
  }
  return withEntry({ ...rest, intent: act, ...(isUnclear(saved) ? { unclear: true } : {}) }, entry)
}

/** Of a call that is on its way, or was when its process ended, nothing is known. */
export function isUnclear({ intent, answer, unclear }: Saved): boolean {
  return unclear ?? (intent !== undefined && (answer === undefined || answer.kind === 'Unknown'))
}

/** What is saved once no such call can be on its way any more. The journal keeps what it may have made. */
export function withoutUnclear({ unclear: _unclear, ...saved }: Saved): Saved {
  if (!isUnclear(saved)) return saved
  const { intent: _intent, answer: _answer, ...rest } = saved
  return rest
}

/** The most that is counted: some calls are repeated for months. */
const MOST_COUNTED = 1000

/** What has to be saved after it. */
export function answered(saved: Saved, answer: ReplaceAnswer): Saved {
  const { intent } = saved
  if (intent === undefined) throw new Error('an answer without an intent')
  const entry = entryOfIntent(saved)
  if (entry === undefined) throw new Error('an act that is not in the journal')
  const next = { ...saved, answer }
  if (answer.kind === 'Unknown') return next
  if (answer.kind !== 'Accepted')
    return entry.open ? next : withEntry(next, { ...entry, state: 'None' })
  const made = answer.id === undefined ? {} : { id: answer.id }
  // without its id it has to be found by its name first
  const isFound = !isMaker(intent.act) || answer.id !== undefined
  return withEntry(next, { ...entry, state: isFound ? 'Done' : 'Asked', ...made })
}

export function isMaker(act: JournalEntry['act']): act is Maker {
  return (MAKERS as readonly string[]).includes(act)
}

function objectOf(act: ReplaceAct): string | undefined {
  switch (act.act) {
    case 'createSnapshot':
    case 'cloneVolume':
    case 'retype':
    case 'createBackup':
    case 'restoreBackup':
    case 'markVolume':
      return undefined
    case 'deleteSnapshot':
    case 'deleteBackup':
    case 'deleteVolume':
      return act.id
    case 'markTakenOver':
      return act.updatedAt
    case 'setReclaimPolicy':
      return act.policy
    case 'deletePersistentVolume':
    case 'releasePersistentVolume':
      return act.uid
    case 'createPersistentVolume':
      return act.shape
    case 'deleteVolumeAttachment':
      return act.name
  }
}
