import type { TieringCheckpoint } from '../../api/tiering-checkpoint.ts'
import type { VolumeMigration } from '../../api/volume-migration.ts'
import type { ReplacementRecord } from '../../controller/moving/recorded-strategy.ts'
import { sizeOf } from '../../controller/replacing/replace-sight.ts'
import { readRecord } from '../../controller/replacing/read-record.ts'
import { UserError } from '../../errors.ts'
import { isForbidden } from '../../kube/missing-right.ts'
import { createPersistentVolumes } from '../../kube/persistent-volumes.ts'
import { TIERING_CHECKPOINT } from '../../kube/resources.ts'
import { ApiError } from '../../kube/types.ts'
import type { KubeClient } from '../../kube/types.ts'
import { entryOf } from '../../migration/snapshot-restore/saved.ts'
import type { ClaimName } from './claim-word.ts'

/** What a rollback would do. Times RFC 3339; fields are added, never renamed. */
export type Prospect = {
  readonly claim: ClaimName
  /** Name of the VolumeMigration. */
  readonly migration: string
  /** What the claim is on now. */
  readonly volumeId: string
  readonly tier: string
  readonly former: {
    readonly volumeId: string
    readonly typeId: string | null
    readonly tier: string | null
    /** Since then nothing was written to it; null = the record of the move may not be read by this account. */
    readonly unwrittenSince: string | null
  }
  /** Until then at the latest. */
  readonly possibleUntil: string | null
  /** Names of Pods that use the claim; null = this account may not list them. */
  readonly pods: readonly string[] | null
}

/** Throws `UserError` where the move cannot go back any more, or its record cannot be read. */
export async function prospectOf(
  claim: ClaimName,
  m: VolumeMigration,
  kube: KubeClient,
): Promise<Prospect> {
  const { status, spec, metadata } = m
  const record = await recordOf(m, kube)
  const phase = record?.saved.phase
  if (phase !== undefined && phase !== 'Soaking')
    throw new UserError(
      'TooLate',
      `${metadata.namespace}/${metadata.name} is past its soak (${phase}), although its status does not show it yet`,
    )
  await checkSize(claim, record, kube)
  const volumeId = status?.replacement?.copyVolumeId ?? status?.volumeId
  return {
    claim,
    migration: metadata.name,
    volumeId: volumeId ?? '',
    tier: spec.to,
    former: formerOf(m, record),
    possibleUntil: status?.replacement?.rollbackUntil ?? null,
    pods: await podsOf(claim, kube),
  }
}

/** Kubernetes shrinks no claim: the controller would refuse it too. */
async function checkSize(
  { namespace, name }: ClaimName,
  record: ReplacementRecord | undefined,
  kube: KubeClient,
): Promise<void> {
  if (record === undefined) return
  const raw = await createPersistentVolumes(kube).getClaim(namespace, name)
  const { sizeGiB = 0 } = raw === undefined ? {} : sizeOf(raw)
  const { id, sizeGiB: former } = record.saved.origin.volume
  if (sizeGiB > former)
    throw new UserError(
      'ClaimGrown',
      `claim ${namespace}/${name} was grown to ${sizeGiB} GiB, and its former volume ${id} has ${former} GiB: it cannot be rolled back, since Kubernetes shrinks no claim`,
      {
        fix: 'nothing was changed; read what you need from the former volume in Cinder before the soak ends',
      },
    )
}

function formerOf(
  { spec, status }: VolumeMigration,
  record: ReplacementRecord | undefined,
): Prospect['former'] {
  const volume = record?.saved.origin.volume
  return {
    volumeId: volume?.id ?? status?.replacement?.formerVolumeId ?? '',
    typeId: volume?.typeId ?? status?.intent?.fromTypeId ?? null,
    tier: spec.from ?? null,
    unwrittenSince: record === undefined ? null : switchedAt(record),
  }
}

/** From then on the copy may have been written to. */
function switchedAt({ saved }: ReplacementRecord): string | null {
  const { at } = entryOf(saved, 'createPersistentVolume', 'copy') ?? {}
  if (at !== undefined) return at
  return saved.soak === undefined ? null : new Date(saved.soak.since).toISOString()
}

/** Owners of a namespace may not be allowed to read what belongs to the cluster. */
async function recordOf(
  { metadata, status }: VolumeMigration,
  kube: Pick<KubeClient, 'get'>,
): Promise<ReplacementRecord | undefined> {
  const name = status?.replacement?.record ?? ''
  const lost = (why: string, cause?: unknown) =>
    new UserError(
      'RecordUnreadable',
      `${metadata.namespace}/${metadata.name} goes by TieringCheckpoint ${name}, which ${why}, so nothing is done with its claim`,
      { fix: 'an administrator must check it: docs/runbooks/replacement-stalled.md', cause },
    )
  if (name === '') throw lost('its status does not name')
  let object: TieringCheckpoint
  try {
    object = await kube.get<TieringCheckpoint>(TIERING_CHECKPOINT, name)
  } catch (e) {
    if (isForbidden(e)) return undefined
    if (e instanceof ApiError && e.reason === 'NotFound' && e.byServer) throw lost('is gone', e)
    throw e
  }
  const read = readRecord(object)
  if (!read.ok) throw lost(`cannot be read (${read.why})`)
  return read.record
}

async function podsOf(claim: ClaimName, kube: KubeClient): Promise<readonly string[] | null> {
  try {
    const pods = await createPersistentVolumes(kube).podsOf(claim.namespace, claim.name)
    return pods.map((p) => p.metadata.name).toSorted()
  } catch (e) {
    if (isForbidden(e)) return null
    throw e
  }
}
