import { CINDER_DRIVER } from '../../api/names.ts'
import type { StayReason } from '../../api/reasons.ts'
import type { AttachedSafety } from '../../blockers/attached-safety.ts'
import type { AllOf, Block, Unknown } from '../../blockers/blocker.ts'
import { pods, resizing, terminating } from '../../blockers/claim.ts'
import { ownProject } from '../../blockers/project.ts'
import { ownType, sizeLimits, typeAccess, zone } from '../../blockers/target-type.ts'
import { attached, busy, encrypted, group, multiattach } from '../../blockers/volume.ts'
import { OWN_FINALIZER, PROTECTION_FINALIZER, SIDECAR_FINALIZERS } from './manifest.ts'

/** What keeps the clone from being retyped too. User snapshots do not: they stay with the former volume. */
export const OF_RETYPE = [
  terminating,
  ownProject,
  typeAccess,
  ownType,
  group,
  multiattach,
  encrypted,
  sizeLimits,
  zone,
  busy,
  pods,
  resizing,
] as const

type Line = { readonly limit: number; readonly inUse: number; readonly reserved: number }

/** All that is checked, gathered fresh right before the first act. */
export type ReplaceFacts = AllOf<typeof OF_RETYPE> & {
  readonly attached: boolean | Unknown
  readonly persistentVolume: {
    readonly driver: string
    readonly finalizers: readonly string[]
  }
  /** Cinder's quota set by key; undefined where the credential may not read it: Cinder itself refuses then. */
  readonly quotas: ReadonlyMap<string, Line> | undefined
  /** Of a move by backup. `unavailable`: why none can be made here. */
  readonly backup?: { readonly unavailable: string | undefined }
} & CostlyFacts

/** What takes a dozen requests and the list of all PersistentVolumes: for moves that nothing else keeps. */
export type CostlyFacts = {
  /** Another PersistentVolume has the same handle. */
  readonly sharedWith?: string
  /** Rights that an act needs and the role lacks, or a refused dry run: each as it is shown. */
  readonly missingRights: readonly string[]
}

/** What the replacement adds to the reasons to stay. */
export const REPLACE_REASONS = {
  ForeignFinalizer:
    'The PersistentVolume has a finalizer of another controller, which would keep it from being replaced.',
  BackupUnavailable:
    'The move is to go by a backup (`via: backup`), and Cinder makes none here: no cinder-backup is up, the project may not use it, or Cinder is too old.',
} as const satisfies Partial<Record<StayReason, string>>

/** Every reason why the first act must not be made now; empty = it may. */
export function replacePreflight(facts: ReplaceFacts): readonly Block[] {
  return [
    ...unsuitable(facts),
    ...OF_RETYPE.flatMap((blocker) => blocker(facts) ?? []),
    ...detached(facts),
    ...(facts.missingRights.length === 0
      ? []
      : [
          {
            reason: 'MissingPermission' as const,
            message: `the role of the controller lacks what the replacement of a PersistentVolume needs: ${facts.missingRights.join(', ')}; set strategies.snapshotRestore.enabled in the chart, or apply deploy/snapshot-restore.yaml`,
          },
        ]),
    ...byBackup(facts),
    ...peak(facts),
  ]
}

/** Of a larger volume the list of checksums, 2.25 MiB per GiB, does not fit the largest object of Swift. */
const MOST_BACKED_UP_GIB = 2275

function* byBackup({ backup, sizeGiB }: ReplaceFacts): Generator<Block> {
  if (backup === undefined) return
  if (backup.unavailable !== undefined)
    yield {
      reason: 'BackupUnavailable',
      message: `${backup.unavailable}; use via: clone, or ask the cloud's administrator for cinder-backup`,
    }
  if (sizeGiB > MOST_BACKED_UP_GIB)
    yield {
      reason: 'SizeLimit',
      message: `the volume has ${sizeGiB} GiB; by backup a move takes up to ${MOST_BACKED_UP_GIB}: use via: clone`,
    }
}

function* unsuitable({ persistentVolume, sharedWith }: ReplaceFacts): Generator<Block> {
  const { driver, finalizers } = persistentVolume
  if (driver !== CINDER_DRIVER)
    yield {
      reason: 'NotCinder',
      message: `the PersistentVolume is served by ${driver}; only those of ${CINDER_DRIVER} are replaced`,
    }
  if (sharedWith !== undefined)
    yield {
      reason: 'SharedVolume',
      message: `PersistentVolume ${sharedWith} stands for the same volume; delete the one that is not used`,
    }
  const known = [PROTECTION_FINALIZER, OWN_FINALIZER, ...SIDECAR_FINALIZERS]
  const foreign = finalizers.filter((f) => !known.includes(f))
  if (foreign.length > 0)
    yield {
      reason: 'ForeignFinalizer',
      message: `the PersistentVolume has finalizers of other controllers (${foreign.join(', ')}), which would keep it from being replaced; remove them, or let their controllers do so`,
    }
}

/** In place of whether a live move is safe: an attached volume is never copied. */
export function detachedOnly(): AttachedSafety {
  return {
    safe: false,
    message:
      'the volume is attached, and only a detached one is copied; it moves at its next detach',
  }
}

function* detached({ attached: isAttached }: ReplaceFacts): Generator<Block> {
  const block = attached({ attached: isAttached, attachedSafety: detachedOnly })
  if (block !== undefined) yield block
}

/**
 * What there is at once before the former volume goes: snapshot and clone of the type that it has, and the clone on its
 * new one; by backup that as well, and a further volume. Cinder counts snapshots and backups with their full size.
 */
function needs({ typeName, target, sizeGiB, backup }: ReplaceFacts): ReadonlyMap<string, number> {
  const volumes = backup === undefined ? 1 : 2
  const all: [string, number][] = [
    ['volumes', volumes],
    ['snapshots', 1],
    ['gigabytes', (1 + volumes) * sizeGiB],
    [`volumes_${typeName}`, 1],
    [`snapshots_${typeName}`, 1],
    [`gigabytes_${typeName}`, 2 * sizeGiB],
  ]
  if (target !== undefined && target.name !== typeName)
    all.push([`volumes_${target.name}`, 1], [`gigabytes_${target.name}`, sizeGiB])
  if (backup !== undefined) all.push(['backups', 1], ['backup_gigabytes', sizeGiB])
  return new Map(all)
}

function* peak(facts: ReplaceFacts): Generator<Block> {
  for (const [key, need] of needs(facts)) {
    const line = facts.quotas?.get(key)
    if (line === undefined || line.limit < 0) continue
    const taken = line.inUse + line.reserved
    if (line.limit - taken >= need) continue
    yield {
      reason: line.limit < need ? 'QuotaTooSmall' : 'QuotaExhausted',
      message: `quota ${key} has ${Math.max(0, line.limit - taken)} of ${line.limit} left (${line.inUse} in use, ${line.reserved} reserved), and ${facts.backup === undefined ? 'snapshot and copy' : 'snapshot, clone, backup and copy'} need ${need} at once: ask the cloud's administrator to raise it to at least ${taken + need}`,
    }
  }
}
