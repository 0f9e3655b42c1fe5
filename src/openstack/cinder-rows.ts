import { z } from 'zod'
import type { CinderSnapshot, CinderVolume, CinderVolumeType, QuotaLine } from './types.ts'

/** Cinder's times are UTC but carry no zone, which JavaScript would read as local. Gives RFC 3339 with Z. */
const CinderTime = z.string().transform((text, context) => {
  const time = utcOf(text)
  if (time !== undefined) return time
  context.addIssue(`"${text}" is not a time`)
  return z.NEVER
})

function utcOf(text: string): string | undefined {
  const zoned = /(Z|[+-]\d\d:?\d\d)$/i.test(text) ? text : `${text}Z`
  const ms = Date.parse(zoned)
  return Number.isNaN(ms) ? undefined : new Date(ms).toISOString()
}

/** Cinder says "true", newer views may say true. */
const Flag = z.union([z.boolean(), z.enum(['true', 'false']).transform((text) => text === 'true')])

const Attachment = z.object({
  server_id: z.string().nullish(),
  device: z.string().nullish(),
  host_name: z.string().nullish(),
  attached_at: z.string().nullish(),
})

/** One volume as volumes/detail and volumes/{id} show it; only what is used. */
export const VolumeRow = z.object({
  id: z.string(),
  status: z.string(),
  size: z.number(),
  volume_type: z.string().nullable(),
  volume_type_id: z.string().nullish(),
  availability_zone: z.string().nullish(),
  created_at: CinderTime,
  updated_at: CinderTime.nullish(),
  multiattach: z.boolean(),
  encrypted: z.boolean(),
  bootable: Flag.default(false),
  group_id: z.string().nullish(),
  consistencygroup_id: z.string().nullish(),
  attachments: z.array(Attachment).default([]),
  metadata: z.record(z.string(), z.string()).default({}),
  migration_status: z.string().nullish(),
  consumes_quota: z.boolean().nullish(),
  description: z.string().nullish(),
})
export type VolumeRow = z.infer<typeof VolumeRow>

/** Rows that are Cinder's own scratch copies: targets and left-over sources of migrations, anything outside the quota. */
export function isScratch(row: VolumeRow): boolean {
  if (row.migration_status?.startsWith('target:')) return true
  if (row.description?.startsWith('migration src for ')) return true
  return row.consumes_quota === false
}

/** The row as the rest of the house sees it. `typeIds` maps names to ids for servers below 3.63. */
export function volumeOf(row: VolumeRow, typeIds?: ReadonlyMap<string, string>): CinderVolume {
  const typeName = row.volume_type ?? ''
  const groupId = row.group_id ?? row.consistencygroup_id
  return {
    id: row.id,
    status: row.status,
    sizeGiB: row.size,
    typeName,
    typeId: row.volume_type_id ?? typeIds?.get(typeName) ?? '',
    availabilityZone: row.availability_zone ?? '',
    createdAt: row.created_at,
    updatedAt: row.updated_at ?? row.created_at,
    multiattach: row.multiattach,
    encrypted: row.encrypted,
    bootable: row.bootable,
    attachments: row.attachments.map(attachmentOf),
    metadata: row.metadata,
    ...(groupId ? { groupId } : {}),
    ...(row.migration_status ? { migrationStatus: row.migration_status } : {}),
  }
}

function attachmentOf(a: z.infer<typeof Attachment>): CinderVolume['attachments'][number] {
  // an attachment under way has an empty time or none
  const attachedAt = utcOf(a.attached_at ?? '')
  return {
    serverId: a.server_id ?? '',
    device: a.device ?? '',
    ...(a.host_name ? { hostName: a.host_name } : {}),
    ...(attachedAt === undefined ? {} : { attachedAt }),
  }
}

/** A snapshot; one whose status we cannot read still blocks a retype, so only the id is demanded. */
export const SnapshotRow = z
  .object({
    id: z.string(),
    volume_id: z.string(),
    name: z.string().nullish(),
    status: z.string().default('unknown'),
  })
  .transform((row): CinderSnapshot => ({
    id: row.id,
    volumeId: row.volume_id,
    name: row.name ?? '',
    status: row.status,
  }))

export const TypeRow = z
  .object({
    id: z.string(),
    name: z.string(),
    is_public: z.boolean().default(true),
    extra_specs: z.record(z.string(), z.string()).nullish(),
  })
  .transform((row): CinderVolumeType => ({
    id: row.id,
    name: row.name,
    isPublic: row.is_public,
    extraSpecs: row.extra_specs ?? {},
  }))

const Line = z
  .object({ limit: z.number(), in_use: z.number(), reserved: z.number().default(0) })
  .transform((l): QuotaLine => ({ limit: l.limit, inUse: l.in_use, reserved: l.reserved }))

/** The lines of a quota set; what is no line (`id`) is left out. */
export const QuotaBody = z
  .object({ quota_set: z.record(z.string(), z.unknown()) })
  .transform(({ quota_set }) => {
    const lines = new Map<string, QuotaLine>()
    for (const [name, value] of Object.entries(quota_set)) {
      const line = Line.safeParse(value)
      if (line.success) lines.set(name, line.data)
    }
    return lines
  })

export const ZonesBody = z
  .object({
    availabilityZoneInfo: z.array(
      z.object({ zoneName: z.string(), zoneState: z.object({ available: z.boolean() }) }),
    ),
  })
  .transform((body) =>
    body.availabilityZoneInfo.filter((z) => z.zoneState.available).map((z) => z.zoneName),
  )

export const VersionsBody = z.object({
  versions: z.array(
    z.object({ id: z.string(), version: z.string().nullish(), status: z.string().nullish() }),
  ),
})
