import * as z from 'zod'
import type { Log } from '../log.ts'
import type { CinderReader } from './cinder-call.ts'
import { BEST } from './cinder-call.ts'
import { pagesOf } from './cinder-pages.ts'
import { CinderTime, isScratch, Metadata, Size, VolumeRow } from './cinder-rows.ts'
import { CinderError } from './errors.ts'
import type { Session } from './session.ts'

/** A volume, a snapshot or a backup with what somebody wrote on it. Size in GiB, `createdAt` RFC 3339. */
export type MarkedRow = {
  readonly kind: 'volume' | 'snapshot' | 'backup'
  readonly id: string
  readonly name: string
  readonly status: string
  readonly sizeGiB: number
  readonly createdAt: string
  readonly attached: boolean
  readonly metadata: Readonly<Record<string, string>>
}

const Named = VolumeRow.extend({ name: z.string().nullish() }).transform(
  (row) => ({ row, isScratch: isScratch(row) }) as const,
)
const Copied = (kind: 'snapshot' | 'backup') =>
  z
    .object({
      id: z.string(),
      name: z.string().nullish(),
      status: z.string(),
      size: Size,
      created_at: CinderTime,
      metadata: Metadata,
    })
    .transform((row): MarkedRow => ({
      kind,
      id: row.id,
      name: row.name ?? '',
      status: row.status,
      sizeGiB: row.size,
      createdAt: row.created_at,
      attached: false,
      metadata: row.metadata,
    }))

/**
 * All volumes, snapshots and backups of the project of which `isMarked`. Cinder has filters by metadata, but not every release for
 * both, so all pages are read. A row that cannot be read is left out. Throws `CinderError`.
 */
export async function markedRows(
  {
    session,
    reader,
    log,
  }: { readonly session: Session; readonly reader: CinderReader; readonly log: Log },
  isMarked: (row: MarkedRow) => boolean,
  signal?: AbortSignal,
): Promise<readonly MarkedRow[]> {
  const tools = { log, clean: session.clean }
  const found: MarkedRow[] = []
  const volumes = pagesOf(
    reader,
    {
      operation: 'volumes.marked',
      path: '/volumes/detail',
      wants: BEST,
      rows: 'volumes',
      links: 'volumes_links',
      row: Named,
      signal,
    },
    tools,
  )
  for await (const page of volumes)
    found.push(...page.flatMap((v) => (v.isScratch ? [] : [markedOf(v.row)])).filter(isMarked))
  const snapshots = pagesOf(
    reader,
    {
      operation: 'snapshots.marked',
      path: '/snapshots/detail',
      rows: 'snapshots',
      links: 'snapshots_links',
      row: Copied('snapshot'),
      signal,
    },
    tools,
  )
  for await (const page of snapshots) found.push(...page.filter(isMarked))
  const backups = pagesOf(
    reader,
    {
      operation: 'backups.marked',
      path: '/backups/detail',
      wants: BEST,
      rows: 'backups',
      links: 'backups_links',
      row: Copied('backup'),
      signal,
    },
    tools,
  )
  try {
    for await (const page of backups) found.push(...page.filter(isMarked))
  } catch (e) {
    // where this project has no backups, no move can have made one
    if (!(e instanceof CinderError) || (e.status !== 403 && e.status !== 404)) throw e
  }
  return found
}

function markedOf(row: VolumeRow & { readonly name?: string | null | undefined }): MarkedRow {
  return {
    kind: 'volume',
    id: row.id,
    name: row.name ?? '',
    status: row.status,
    sizeGiB: row.size,
    createdAt: row.created_at ?? row.updated_at ?? new Date(0).toISOString(),
    attached: row.attachments.length > 0,
    metadata: row.metadata,
  }
}
