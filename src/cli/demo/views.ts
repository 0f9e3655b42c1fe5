import type { StoragePolicy } from '../../api/storage-policy.ts'
import type { VolumeMigration } from '../../api/volume-migration.ts'
import type { Stage } from './stage.ts'

export type ClaimEvent = {
  readonly uid: string
  readonly order: number
  /** `namespace/name` of the claim. */
  readonly key: string
  readonly reason: string
  readonly type: string
  readonly message: string
  readonly by: string
}

/** What every client of the demo's API server sees. */
export function migrations({ world }: Stage): readonly VolumeMigration[] {
  return world.api.objects(
    '/apis/couchestor.io/v1alpha1/volumemigrations',
  ) as unknown as VolumeMigration[]
}

export function policies({ world }: Stage): readonly StoragePolicy[] {
  return world.api.objects(
    '/apis/couchestor.io/v1alpha1/storagepolicies',
  ) as unknown as StoragePolicy[]
}

/** Policies whose memory has been written, which is after their history was read. */
export function remembered({ world }: Stage): number {
  const all = world.api.objects('/apis/couchestor.io/v1alpha1/tieringcheckpoints')
  return new Set(all.map((c) => (c['spec'] as { policy: string }).policy)).size
}

export function tierAnnotation({ world }: Stage, key: string): string | undefined {
  const [namespace, name] = key.split('/')
  return world.api
    .objects(`/api/v1/namespaces/${namespace}/persistentvolumeclaims`)
    .find((c) => c.metadata.name === name)?.metadata.annotations?.['couchestor.io/tier']
}

/** Events about claims, oldest first. */
export function claimEvents({ world }: Stage): readonly ClaimEvent[] {
  return world.api
    .objects('/api/v1/events')
    .map((raw) => {
      const e = raw as unknown as {
        metadata: { uid: string; resourceVersion: string }
        involvedObject: { kind: string; namespace?: string; name: string }
        reason: string
        type: string
        message: string
        reportingInstance: string
        count: number
      }
      return {
        uid: e.metadata.uid,
        order: Number(e.metadata.resourceVersion),
        key: `${e.involvedObject.namespace}/${e.involvedObject.name}`,
        reason: e.reason,
        type: e.type,
        message: e.message,
        by: e.reportingInstance,
      }
    })
    .toSorted((a, b) => a.order - b.order)
}

/** The claim's moves, oldest first. */
export function movesOf(stage: Stage, key: string): readonly VolumeMigration[] {
  return migrations(stage)
    .filter((m) => `${m.metadata.namespace}/${m.spec.claim.name}` === key)
    .toSorted((a, b) => ((a.status?.startedAt ?? '') < (b.status?.startedAt ?? '') ? -1 : 1))
}

/** Share of the estimated time that has passed; undefined while there is no estimate. */
export function shareDone(m: VolumeMigration, now: number): number | undefined {
  const { startedAt, estimatedEnd } = m.status ?? {}
  if (startedAt === undefined || estimatedEnd === undefined) return undefined
  const start = Date.parse(startedAt)
  return Math.min(0.99, (now - start) / (Date.parse(estimatedEnd) - start))
}
