import type { Log } from '../log.ts'
import { BEST, createCinderReader, parseBody, type Read } from './cinder-call.ts'
import { pagesOf } from './cinder-pages.ts'
import { retype } from './cinder-retype.ts'
import {
  isScratch,
  PoolsBody,
  QuotaBody,
  SnapshotRow,
  TypeRow,
  VolumeRow,
  volumeOf,
  ZonesBody,
} from './cinder-rows.ts'
import { answerError, CinderError, cinderFault } from './errors.ts'
import type { Session } from './session.ts'
import type { CinderVolume, CinderVolumeType, RetypeAnswer, VolumeService } from './types.ts'

/** 3.60 compares times in filters. */
const TIME_FILTER = 60

/**
 * Cinder as the rest of the house uses it, on one session (= one project). Reads throw `CinderError`,
 * `AuthenticationError`, or `UserError` when there is no endpoint; `retype` never throws.
 */
export function createVolumeService(parts: { session: Session; log: Log }): VolumeService {
  const { session, log } = parts
  const reader = createCinderReader(parts)
  const tools = { log, clean: session.clean }

  async function listVolumeTypes(signal?: AbortSignal): Promise<CinderVolumeType[]> {
    // administrators see private types only when they ask for them; for members the filter means nothing
    return all(
      pagesOf(
        reader,
        {
          operation: 'types.list',
          path: '/types',
          query: { is_public: 'None' },
          rows: 'volume_types',
          links: 'volume_type_links',
          row: TypeRow,
          signal,
        },
        tools,
      ),
    )
  }

  /**
   * Ids by name, only where a row has none: the answer itself decides, since behind a load balancer it may be an older
   * server's than the one that was asked for its version.
   */
  async function idsFor(
    rows: readonly VolumeRow[],
    signal?: AbortSignal,
  ): Promise<ReadonlyMap<string, string> | undefined> {
    if (rows.every((r) => r.volume_type_id || !r.volume_type)) return undefined
    return new Map((await listVolumeTypes(signal)).map((t) => [t.name, t.id]))
  }

  async function* listVolumes(
    options: { changedSince?: string; signal?: AbortSignal } = {},
  ): AsyncIterable<readonly CinderVolume[]> {
    const { changedSince, signal } = options
    const [, minor] =
      changedSince === undefined
        ? await reader.rediscover(signal)
        : await reader.maxMicroversion(signal)
    const filter = changedSince !== undefined && minor >= TIME_FILTER
    let ids: ReadonlyMap<string, string> | undefined
    const pages = pagesOf(
      reader,
      {
        operation: 'volumes.list',
        path: '/volumes/detail',
        query: filter ? { updated_at: `gte:${changedSince}` } : {},
        wants: BEST,
        rows: 'volumes',
        links: 'volumes_links',
        row: VolumeRow,
        signal,
      },
      tools,
    )
    for await (const page of pages) {
      const rows = page.filter((r) => !isScratch(r))
      ids ??= await idsFor(rows, signal)
      yield rows.map((r) => volumeOf(r, ids))
    }
  }

  async function getVolume(id: string, signal?: AbortSignal): Promise<CinderVolume | undefined> {
    demandId(id)
    const read: Read = { operation: 'volumes.get', path: `/volumes/${id}`, wants: BEST, signal }
    const answer = await reader.get(read, [404])
    if (answer.status === 404) {
      if (cinderFault(answer) !== undefined) return undefined
      throw answerError('Cinder: volumes.get', answer, session.clean)
    }
    const row = (answer.json as { volume?: unknown } | undefined)?.volume
    const what = 'Cinder: volumes.get'
    const parsed = parseBody(what, { ...answer, json: row }, VolumeRow, session.clean)
    if (parsed.id !== id)
      throw new CinderError({
        code: 'ServerError',
        sent: true,
        status: answer.status,
        requestId: answer.requestId,
        message: `${what} answered with another volume (${session.clean(parsed.id.slice(0, 64))})`,
      })
    return volumeOf(parsed, await idsFor([parsed], signal))
  }

  return {
    listVolumes,
    getVolume,
    listVolumeTypes,
    listSnapshots: async ({ volumeId, signal } = {}) => {
      const snapshots = await all(
        pagesOf(
          reader,
          {
            operation: 'snapshots.list',
            path: '/snapshots/detail',
            query: volumeId === undefined ? {} : { volume_id: volumeId },
            rows: 'snapshots',
            links: 'snapshots_links',
            row: SnapshotRow,
            signal,
          },
          tools,
        ),
      )
      return volumeId === undefined
        ? snapshots
        : snapshots.filter((s) => s.volumeId === volumeId || s.volumeId === '')
    },
    getQuota: async (signal) => {
      const project = await session.projectId(signal)
      const path = `/os-quota-sets/${project}?usage=True`
      const answer = await reader.get({ operation: 'quota.get', path, signal }, [403])
      if (answer.status === 403) return undefined
      return parseBody('Cinder: quota.get', answer, QuotaBody, session.clean)
    },
    listPools: async (signal) => {
      const path = '/scheduler-stats/get_pools?detail=True'
      const answer = await reader.get({ operation: 'pools.list', path, signal }, [403])
      if (answer.status === 403) return undefined
      return parseBody('Cinder: pools.list', answer, PoolsBody, session.clean)
    },
    listAvailabilityZones: (signal) =>
      reader.parsed({ operation: 'zones.list', path: '/os-availability-zone', signal }, ZonesBody),
    maxMicroversion: (signal) => reader.maxMicroversion(signal),
    projectId: (signal) => session.projectId(signal),
    retype: async (request, signal): Promise<RetypeAnswer> => {
      if (!isId(request.volumeId)) return notAnId(request.volumeId)
      return retype(parts, request, signal)
    },
  }
}

async function all<T>(pages: AsyncIterable<readonly T[]>): Promise<T[]> {
  const rows: T[] = []
  for await (const page of pages) rows.push(...page)
  return rows
}

/** Ids come from objects that others write; in a path they must not lead anywhere else. */
function isId(id: string): boolean {
  return /^[\w-]{1,64}$/.test(id)
}

/** Sending it again would not help, so it is a refusal and not `NotSent`. */
function notAnId(id: string): RetypeAnswer {
  const message = `"${id}" is not the id of a volume`
  return { kind: 'Rejected', httpStatus: 400, quota: false, message }
}

function demandId(id: string): void {
  if (isId(id)) return
  throw new CinderError({
    code: 'BadRequest',
    sent: false,
    message: `"${id}" is not the id of a volume`,
  })
}
