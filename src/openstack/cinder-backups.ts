import * as z from 'zod'
import { BEST, parseBody } from './cinder-call.ts'
import type { Read } from './cinder-call.ts'
import { isId, MOST_ROWS, notAnId, segment } from './copy-tools.ts'
import type { CopyTools, MakeAnswer, Marked, Sent } from './copy-tools.ts'
import type { RetypeAnswer as CallAnswer } from './types.ts'

export type CinderBackup = {
  readonly id: string
  readonly name: string
  readonly volumeId: string
  readonly status: string
  readonly sizeGiB: number
  readonly incremental: boolean
  /** Why it is in an error status, as far as cinder-backup says so. */
  readonly failReason?: string
  readonly metadata: Readonly<Record<string, string>>
}

/** The minor microversions that take metadata of a backup, and a backup as the source of a volume. */
const METADATA = '3.43'
const FROM_BACKUP = 47

/** What a move by backup needs of Cinder. */
export interface BackupService {
  /**
   * Why no backup is begun here; undefined = cinder-backup is there. Which services run is mostly shown to administrators
   * only, so a backup that the project has is taken as proof too. Throws when nothing can be known.
   */
  whyNoBackups(signal?: AbortSignal): Promise<string | undefined>
  getBackup(id: string, signal?: AbortSignal): Promise<CinderBackup | undefined>
  backupsNamed(name: string, signal?: AbortSignal): Promise<readonly CinderBackup[]>
  /** A full one, in the container that the cloud uses by default. Of a volume that is not attached. */
  createBackup(request: Marked & Sent & { readonly volumeId: string }): Promise<MakeAnswer>
  /** A volume of any type. Its metadata are those of what was backed up, whatever is asked for. */
  createFromBackup(
    request: Marked &
      Sent & {
        readonly backupId: string
        readonly typeId: string
        readonly sizeGiB: number
        readonly availabilityZone: string
      },
  ): Promise<MakeAnswer>
  /** Cinder refuses one that is being made or restored. */
  deleteBackup(request: Sent & { readonly id: string }): Promise<CallAnswer>
}

const Backup = z.object({
  id: z.string(),
  name: z.string().nullish(),
  volume_id: z.string(),
  status: z.string(),
  size: z.number(),
  is_incremental: z.boolean().nullish(),
  fail_reason: z.string().nullish(),
  metadata: z.record(z.string(), z.string()).nullish(),
})
const Services = z.object({
  services: z.array(z.object({ binary: z.string(), status: z.string(), state: z.string() })),
})

const Backups = z.object({ backups: z.array(Backup) })

/** Without cinder-backup Cinder takes the call, and leaves a backup behind that nobody but an administrator can delete. */
const UNPROVEN =
  'it is not known whether this cloud runs cinder-backup: the credential may not list services, and the project has no finished backup. Make one of any volume and keep it (openstack volume backup create)'

export function backupCalls({ one, all, call, make, reader, clean }: CopyTools): BackupService {
  const read = (path: string, signal?: AbortSignal): Read => ({
    operation: 'backups.copies',
    path,
    wants: BEST,
    signal,
  })

  async function serviceIsUp(signal?: AbortSignal): Promise<boolean | undefined> {
    const path = '/os-services?binary=cinder-backup'
    const answer = await reader.get({ operation: 'services.backup', path, signal }, [403, 404])
    const services = Services.safeParse(answer.json)
    if (answer.status !== 200 || !services.success) return undefined
    return services.data.services.some(
      (s) => s.binary === 'cinder-backup' && s.status === 'enabled' && s.state === 'up',
    )
  }

  return {
    whyNoBackups: async (signal) => {
      const what = read('/backups/detail?status=available&limit=1', signal)
      const answer = await reader.get(what, [403, 404])
      if (answer.status !== 200)
        return `Cinder does not serve backups to this project (HTTP ${answer.status})`
      const found = parseBody('Cinder: backups.copies', answer, Backups, clean)
      const [, minor] = await reader.maxMicroversion(signal)
      if (minor < FROM_BACKUP)
        return `this Cinder offers microversion 3.${minor}, and volumes are made of backups from 3.${FROM_BACKUP} on`
      const isUp = await serviceIsUp(signal)
      if (isUp === false) return 'no cinder-backup is up in this cloud'
      return isUp || found.backups.length > 0 ? undefined : UNPROVEN
    },
    getBackup: async (id, signal) => {
      const row = await one(read(`/backups/${segment(id)}`, signal), 'backup', Backup)
      return row && backupOf(row)
    },
    backupsNamed: async (name, signal) => {
      const path = `/backups/detail?name=${encodeURIComponent(name)}&limit=${MOST_ROWS}`
      return (await all(read(path, signal), 'backups', Backup)).map(backupOf)
    },
    createBackup: ({ volumeId, name, metadata, ...sent }) =>
      make('backup', {
        ...sent,
        operation: 'backups.create',
        method: 'POST',
        path: '/backups',
        body: { backup: { volume_id: volumeId, name, metadata, incremental: false } },
        microversion: METADATA,
        accepts: 202,
      }),
    createFromBackup: ({ backupId, typeId, sizeGiB, availabilityZone, name, metadata, ...sent }) =>
      make('volume', {
        ...sent,
        operation: 'volumes.create',
        method: 'POST',
        path: '/volumes',
        body: {
          volume: {
            backup_id: backupId,
            name,
            metadata,
            volume_type: typeId,
            size: sizeGiB,
            availability_zone: availabilityZone,
          },
        },
        microversion: `3.${FROM_BACKUP}`,
        accepts: 202,
      }),
    deleteBackup: async ({ id, ...sent }) => {
      if (!isId(id)) return notAnId(id)
      const path = `/backups/${id}`
      const of = { operation: 'backups.delete', method: 'DELETE', path, accepts: 202 } as const
      return (await call({ ...sent, ...of })).answer
    },
  }
}

function backupOf(row: z.infer<typeof Backup>): CinderBackup {
  return {
    id: row.id,
    name: row.name ?? '',
    volumeId: row.volume_id,
    status: row.status,
    sizeGiB: row.size,
    incremental: row.is_incremental === true,
    metadata: row.metadata ?? {},
    ...(row.fail_reason ? { failReason: row.fail_reason } : {}),
  }
}
