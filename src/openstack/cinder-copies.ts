import * as z from 'zod'
import type { Log } from '../log.ts'
import { backupCalls } from './cinder-backups.ts'
import type { BackupService } from './cinder-backups.ts'
import { BEST } from './cinder-call.ts'
import type { Read } from './cinder-call.ts'
import { isScratch, VolumeRow, volumeOf } from './cinder-rows.ts'
import { createCopyTools, isId, MOST_ROWS, notAnId, segment } from './copy-tools.ts'
import type { MakeAnswer, Marked, Sent } from './copy-tools.ts'
import type { Session } from './session.ts'
import type { CinderVolume, RetypeAnswer as CallAnswer } from './types.ts'

export type CopyVolume = CinderVolume & { readonly name: string; readonly snapshotId?: string }
export type CopySnapshot = {
  readonly id: string
  readonly name: string
  readonly volumeId: string
  readonly status: string
  readonly metadata: Readonly<Record<string, string>>
}

/**
 * What a move by copy needs of Cinder beside VolumeService. Reads throw `CinderError`, also for a row that cannot be read:
 * what is left out of a list would pass for what is not there. Calls are sent once and never throw.
 */
export interface CopyService extends BackupService {
  /** undefined when Cinder itself says that it does not know it. */
  getVolume(id: string, signal?: AbortSignal): Promise<CopyVolume | undefined>
  getSnapshot(id: string, signal?: AbortSignal): Promise<CopySnapshot | undefined>
  volumesNamed(name: string, signal?: AbortSignal): Promise<readonly CopyVolume[]>
  snapshotsNamed(name: string, signal?: AbortSignal): Promise<readonly CopySnapshot[]>
  /** All that pin the volume. */
  snapshotsOf(volumeId: string, signal?: AbortSignal): Promise<readonly CopySnapshot[]>
  /** Of a volume that is not attached: Cinder refuses any other. */
  createSnapshot(request: Marked & Sent & { readonly volumeId: string }): Promise<MakeAnswer>
  /** A volume of the type and size of the snapshot's. `metadata` is all that it has: Cinder copies none. */
  createFromSnapshot(request: Marked & Sent & { readonly snapshotId: string }): Promise<MakeAnswer>
  deleteSnapshot(request: Sent & { readonly id: string }): Promise<CallAnswer>
  /** Never with `cascade`: Cinder refuses a volume that has snapshots. */
  deleteVolume(request: Sent & { readonly id: string }): Promise<CallAnswer>
  /** Adds these keys, and leaves all others. */
  setMetadata(
    request: Sent & { readonly id: string; readonly metadata: Readonly<Record<string, string>> },
  ): Promise<CallAnswer>
}

const Metadata = z.record(z.string(), z.string()).nullish()
const Volume = VolumeRow.extend({ name: z.string().nullish(), snapshot_id: z.string().nullish() })
const Snapshot = z.object({
  id: z.string(),
  name: z.string().nullish(),
  volume_id: z.string(),
  status: z.string(),
  metadata: Metadata,
})

export function createCopyService(parts: { session: Session; log: Log }): CopyService {
  const tools = createCopyTools(parts)
  const { one, all, call, make } = tools

  const volumeRead = (path: string, signal?: AbortSignal): Read => ({
    operation: 'volumes.copies',
    path,
    wants: BEST,
    signal,
  })
  const snapshotRead = (path: string, signal?: AbortSignal): Read => ({
    operation: 'snapshots.copies',
    path,
    signal,
  })

  return {
    ...backupCalls(tools),
    getVolume: async (id, signal) => {
      const row = await one(volumeRead(`/volumes/${segment(id)}`, signal), 'volume', Volume)
      return row && copyVolumeOf(row)
    },
    getSnapshot: async (id, signal) => {
      const row = await one(snapshotRead(`/snapshots/${segment(id)}`, signal), 'snapshot', Snapshot)
      return row && snapshotOf(row)
    },
    volumesNamed: async (name, signal) => {
      const path = `/volumes/detail?name=${encodeURIComponent(name)}&limit=${MOST_ROWS}`
      const rows = await all(volumeRead(path, signal), 'volumes', Volume)
      // while Cinder moves a volume there is a second one with its name and metadata
      return rows.filter((row) => !isScratch(row)).map(copyVolumeOf)
    },
    snapshotsNamed: async (name, signal) => {
      const path = `/snapshots/detail?name=${encodeURIComponent(name)}&limit=${MOST_ROWS}`
      return (await all(snapshotRead(path, signal), 'snapshots', Snapshot)).map(snapshotOf)
    },
    snapshotsOf: async (volumeId, signal) => {
      const path = `/snapshots/detail?volume_id=${segment(volumeId)}&limit=${MOST_ROWS}`
      return (await all(snapshotRead(path, signal), 'snapshots', Snapshot)).map(snapshotOf)
    },
    createSnapshot: ({ volumeId, name, metadata, ...sent }) =>
      make('snapshot', {
        ...sent,
        operation: 'snapshots.create',
        method: 'POST',
        path: '/snapshots',
        body: { snapshot: { volume_id: volumeId, name, metadata } },
        accepts: 202,
      }),
    createFromSnapshot: ({ snapshotId, name, metadata, ...sent }) =>
      make('volume', {
        ...sent,
        operation: 'volumes.create',
        method: 'POST',
        path: '/volumes',
        body: { volume: { snapshot_id: snapshotId, name, metadata } },
        accepts: 202,
      }),
    deleteSnapshot: async ({ id, ...sent }) => {
      if (!isId(id)) return notAnId(id)
      const path = `/snapshots/${id}`
      const of = { operation: 'snapshots.delete', method: 'DELETE', path, accepts: 202 } as const
      return (await call({ ...sent, ...of })).answer
    },
    deleteVolume: async ({ id, ...sent }) => {
      if (!isId(id)) return notAnId(id)
      const path = `/volumes/${id}`
      const of = { operation: 'volumes.delete', method: 'DELETE', path, accepts: 202 } as const
      return (await call({ ...sent, ...of })).answer
    },
    setMetadata: async ({ id, metadata, ...sent }) => {
      if (!isId(id)) return notAnId(id)
      const path = `/volumes/${id}/metadata`
      const of = { operation: 'volumes.metadata', method: 'POST', path, accepts: 200 } as const
      return (await call({ ...sent, ...of, body: { metadata } })).answer
    },
  }
}

function copyVolumeOf(row: z.infer<typeof Volume>): CopyVolume {
  return {
    ...volumeOf(row),
    name: row.name ?? '',
    ...(row.snapshot_id ? { snapshotId: row.snapshot_id } : {}),
  }
}

function snapshotOf(row: z.infer<typeof Snapshot>): CopySnapshot {
  const { id, status } = row
  return { id, status, name: row.name ?? '', volumeId: row.volume_id, metadata: row.metadata ?? {} }
}
