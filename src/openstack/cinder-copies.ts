import * as z from 'zod'
import type { Log } from '../log.ts'
import { BEST, createCinderReader, parseBody } from './cinder-call.ts'
import type { Read } from './cinder-call.ts'
import { isScratch, VolumeRow, volumeOf } from './cinder-rows.ts'
import { answerError, CinderError, cinderFault } from './errors.ts'
import { askOnce } from './one-call.ts'
import type { OneCall } from './one-call.ts'
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

/** `id`: what an accepted call has made; absent when Cinder's answer does not say so. */
export type MakeAnswer = CallAnswer & { readonly id?: string }

type Sent = Pick<OneCall, 'requestId' | 'fence' | 'signal'>
type Marked = {
  readonly name: string
  /** By which it is known to be ours. */
  readonly metadata: Readonly<Record<string, string>>
}

/**
 * What a move by copy needs of Cinder beside VolumeService. Reads throw `CinderError`, also for a row that cannot be read:
 * what is left out of a list would pass for what is not there. Calls are sent once and never throw.
 */
export interface CopyService {
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
  const { session, log } = parts
  const reader = createCinderReader(parts)

  async function one<T>(read: Read, key: string, schema: z.ZodType<T>): Promise<T | undefined> {
    const what = `Cinder: ${read.operation}`
    const answer = await reader.get(read, [404])
    if (answer.status !== 404) {
      const row = (answer.json as Record<string, unknown> | undefined)?.[key]
      return parseBody(what, { ...answer, json: row }, schema, session.clean)
    }
    if (cinderFault(answer) !== undefined) return undefined
    throw answerError(what, answer, session.clean)
  }

  async function all<T extends { readonly id: string }>(
    read: Read,
    key: string,
    schema: z.ZodType<T>,
  ): Promise<readonly T[]> {
    const page = z.object({ [key]: z.array(schema) })
    const body = (await reader.parsed(read, page)) as Record<string, readonly T[]>
    const rows = body[key] ?? []
    if (rows.length < MOST_ROWS) return rows
    throw new CinderError({
      code: 'ServerError',
      sent: true,
      message: `Cinder: ${read.operation} answered with ${rows.length} rows, where a few were expected`,
    })
  }

  async function call(of: OneCall): Promise<{ answer: CallAnswer; json?: unknown }> {
    const result = await askOnce(session, of)
    const { operation, path, requestId } = of
    log.info({ operation, path, requestId, answer: result.answer }, 'cinder call')
    return result
  }

  async function make(key: 'snapshot' | 'volume', of: OneCall): Promise<MakeAnswer> {
    const { answer, json } = await call(of)
    if (answer.kind !== 'Accepted') return answer
    const id = Made(key).safeParse(json)
    return id.success ? { ...answer, id: id.data } : answer
  }

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

/** A name of ours has one, and a volume a few snapshots; as many as this are not read to the end. */
const MOST_ROWS = 1000

const Made = (key: string) =>
  z.object({ [key]: z.object({ id: z.string() }) }).transform((b) => b[key]?.id ?? '')

/** Ids come from objects that others write; in a path they must not lead anywhere else. */
function isId(id: string): boolean {
  return /^[\w-]{1,64}$/.test(id)
}

function segment(id: string): string {
  if (isId(id)) return id
  throw new CinderError({ code: 'BadRequest', sent: false, message: `"${id}" is not an id` })
}

function notAnId(id: string): CallAnswer {
  return { kind: 'Rejected', httpStatus: 400, quota: false, message: `"${id}" is not an id` }
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
