import { DEFAULT_NAMESPACE, LEASE_NAME } from '../../api/names.ts'
import { REPLACEMENTS, replacementRecord } from '../../api/tiering-checkpoint.ts'
import type { TieringCheckpoint } from '../../api/tiering-checkpoint.ts'
import type { VolumeMigration } from '../../api/volume-migration.ts'
import type { ReplacementRecord } from '../../controller/moving/recorded-strategy.ts'
import { readRecord } from '../../controller/replacing/read-record.ts'
import { readMigration } from '../../controller/view/read-migration.ts'
import {
  LEASE,
  NAMESPACE,
  PERSISTENT_VOLUME,
  TIERING_CHECKPOINT,
  VOLUME_MIGRATION,
} from '../../kube/resources.ts'
import { isForbidden } from '../../kube/missing-right.ts'
import { ApiError } from '../../kube/types.ts'
import type { KubeClient, KubeObject, Resource } from '../../kube/types.ts'
import { PARKED_ANNOTATION } from '../../migration/snapshot-restore/manifest.ts'

/** The records of replacements as they are saved. */
export type SavedRecords = {
  readonly records: readonly ReplacementRecord[]
  /** Those of which it is not known what they are about. */
  readonly unreadable: readonly { readonly name: string; readonly why: string }[]
  /** Uids and volumes of moves that the ledger has in flight. */
  readonly inFlight: ReadonlySet<string>
}

/** All in Kubernetes that a volume or snapshot made by a move can belong to. */
export type Owners = SavedRecords & {
  readonly moves: readonly VolumeMigration[]
  /** What PersistentVolumes stand for, of whatever driver. */
  readonly handles: ReadonlySet<string>
  /** What is written on held PersistentVolumes: the record of their move. */
  readonly parked: readonly string[]
}

type Reads = Pick<KubeClient, 'get' | 'list'>

/** Everything from the API server itself. Throws when any of it cannot be read: what is not seen has no owner. */
export async function readOwners(kube: Reads): Promise<Owners> {
  const saved = await readRecords(kube)
  const moves = await all<KubeObject>(kube, VOLUME_MIGRATION)
  const volumes = await all<RawVolume>(kube, PERSISTENT_VOLUME)
  return {
    ...saved,
    moves: moves.map(readMigration),
    handles: new Set(volumes.flatMap(handlesOf)),
    parked: volumes.flatMap((v) => v.metadata.annotations?.[PARKED_ANNOTATION] ?? []),
  }
}

async function readRecords(kube: Reads): Promise<SavedRecords> {
  const records: ReplacementRecord[] = []
  const unreadable: { name: string; why: string }[] = []
  const inFlight = new Set<string>()
  // checkpoints of policies are large
  for (const item of await all<TieringCheckpoint>(kube, TIERING_CHECKPOINT, 20)) {
    for (const { uid, volumeId } of item.spec?.inFlight ?? []) {
      inFlight.add(volumeId)
      if (uid !== undefined) inFlight.add(uid)
    }
    const { name } = item.metadata
    if (item.spec?.policy !== REPLACEMENTS && !name.startsWith(replacementRecord(''))) continue
    const read = recordOf(item)
    if (read.ok) records.push(read.record)
    else unreadable.push({ name, why: read.why })
  }
  return { records, unreadable, inFlight }
}

function recordOf(item: TieringCheckpoint): ReturnType<typeof readRecord> {
  const { name } = item.metadata
  if (item.spec?.policy !== REPLACEMENTS)
    return { ok: false, why: `spec.policy is "${item.spec?.policy ?? ''}", not "${REPLACEMENTS}"` }
  const read = readRecord(item)
  if (!read.ok || replacementRecord(read.record.move.uid) === name) return read
  return {
    ok: false,
    why: `spec.replacement.move.uid is ${read.record.move.uid}, which is not that of the name`,
  }
}

/**
 * Ids by which moves of this cluster are known in Cinder: the uid of kube-system, and that of the controller's Lease,
 * which a controller with a smaller role uses. Empty when this account may read neither.
 */
export async function clusterIds(
  kube: Reads,
  namespace: string = DEFAULT_NAMESPACE,
): Promise<ReadonlySet<string>> {
  const found = await Promise.all([
    uidOf(kube.get<KubeObject>(NAMESPACE, 'kube-system')),
    uidOf(kube.get<KubeObject>(LEASE, LEASE_NAME, namespace)),
  ])
  return new Set(found.filter((uid) => uid !== ''))
}

async function uidOf(reading: Promise<KubeObject>): Promise<string> {
  try {
    return (await reading).metadata.uid ?? ''
  } catch (e) {
    if (isForbidden(e) || (e instanceof ApiError && e.reason === 'NotFound' && e.byServer))
      return ''
    throw e
  }
}

type RawVolume = KubeObject & {
  readonly spec?: {
    readonly csi?: { readonly volumeHandle?: string }
    readonly cinder?: { readonly volumeID?: string }
  }
}

function handlesOf({ spec }: RawVolume): readonly string[] {
  return [spec?.csi?.volumeHandle, spec?.cinder?.volumeID].flatMap((id) => id ?? [])
}

const PAGE = 500

async function all<T extends KubeObject>(
  kube: Reads,
  resource: Resource,
  limit = PAGE,
): Promise<readonly T[]> {
  const items: T[] = []
  let next: string | undefined
  do {
    const page = await kube.list<T>(resource, {
      limit,
      ...(next === undefined ? {} : { continue: next }),
    })
    items.push(...page.items)
    next = page.continue
  } while (next !== undefined && next !== '')
  return items
}
