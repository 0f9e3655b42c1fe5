import * as z from 'zod'
import { openStackTime } from '../time.ts'
import type {
  CinderSnapshot,
  CinderVolume,
  CinderVolumeType,
  QuotaLine,
  StoragePool,
} from './types.ts'

/** Cinder's times are UTC but carry no zone, which JavaScript would read as local. Gives RFC 3339 with Z. */
export const CinderTime = z.string().transform((text, context) => {
  const time = utcOf(text)
  if (time !== undefined) return time
  context.addIssue(`"${text}" is not a time`)
  return z.NEVER
})

function utcOf(text: string): string | undefined {
  const ms = openStackTime(text)
  return ms === undefined ? undefined : new Date(ms).toISOString()
}

/** Cinder says "true" or "True", newer views may say true. */
const Flag = z.union([
  z.boolean(),
  z
    .string()
    .regex(/^(true|false)$/i, 'expected true or false')
    .transform((text) => text.toLowerCase() === 'true'),
])

/** What keeps a volume from being moved, and may be so. */
const Danger = Flag.nullish().transform((flag) => flag ?? true)

export const Size = z.preprocess(
  (size) => (typeof size === 'string' && /^\d+$/.test(size) ? Number(size) : size),
  z.number(),
)

export const Metadata = z
  .record(z.string(), z.unknown())
  .nullish()
  .transform((entries) =>
    Object.fromEntries(
      Object.entries(entries ?? {}).map(([key, value]) => [
        key,
        typeof value === 'string' ? value : JSON.stringify(value ?? ''),
      ]),
    ),
  )

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
  size: Size,
  volume_type: z.string().nullish(),
  volume_type_id: z.string().nullish(),
  availability_zone: z.string().nullish(),
  created_at: CinderTime.nullable(),
  updated_at: CinderTime.nullish(),
  multiattach: Danger,
  encrypted: Danger,
  bootable: Flag.nullish().transform((flag) => flag ?? false),
  group_id: z.string().nullish(),
  consistencygroup_id: z.string().nullish(),
  // null is none: the status says so too. Left out it would be unknown
  attachments: z
    .array(Attachment.nullable().transform((a) => a ?? {}))
    .nullable()
    .transform((all) => all ?? []),
  metadata: Metadata,
  migration_status: z.string().nullish(),
  consumes_quota: z.boolean().nullish(),
  description: z.string().nullish(),
  'os-vol-tenant-attr:tenant_id': z.string().nullish(),
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
  const created = row.created_at ?? row.updated_at ?? new Date(0).toISOString()
  const groupId = row.group_id ?? row.consistencygroup_id
  return {
    id: row.id,
    status: row.status,
    sizeGiB: row.size,
    typeName,
    typeId: row.volume_type_id ?? typeIds?.get(typeName) ?? '',
    availabilityZone: row.availability_zone ?? '',
    createdAt: created,
    updatedAt: row.updated_at ?? created,
    multiattach: row.multiattach,
    encrypted: row.encrypted,
    bootable: row.bootable,
    attachments: row.attachments.map(attachmentOf),
    metadata: row.metadata,
    ...(groupId ? { groupId } : {}),
    ...(row['os-vol-tenant-attr:tenant_id']
      ? { projectId: row['os-vol-tenant-attr:tenant_id'] }
      : {}),
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

/** A snapshot; one of which little can be read still blocks a retype, so nothing but the id is demanded. */
export const SnapshotRow = z
  .object({
    id: z.string(),
    volume_id: z.string().catch(''),
    name: z.string().nullish().catch(undefined),
    status: z.string().catch('unknown'),
    size: Size.optional().catch(undefined),
    created_at: CinderTime.optional().catch(undefined),
  })
  .transform((row): CinderSnapshot => ({
    id: row.id,
    volumeId: row.volume_id,
    name: row.name ?? '',
    status: row.status,
    ...(row.size === undefined ? {} : { sizeGiB: row.size }),
    ...(row.created_at === undefined ? {} : { createdAt: row.created_at }),
  }))

export const TypeRow = z
  .object({
    id: z.string(),
    name: z.string(),
    is_public: z.boolean().nullish(),
    extra_specs: z.record(z.string(), z.string()).nullish().catch(undefined),
  })
  .transform((row): CinderVolumeType => ({
    id: row.id,
    name: row.name,
    isPublic: row.is_public ?? true,
    extraSpecs: row.extra_specs ?? undefined,
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

/** Some drivers write `infinite` or `unknown`. */
const FreeSpace = z
  .union([z.number(), z.string()])
  .transform((free) => {
    if (free === 'infinite') return Infinity
    const gib = Number(free)
    return free !== '' && Number.isFinite(gib) ? gib : undefined
  })
  .catch(undefined)

const PoolRow = z
  .object({
    name: z.string(),
    capabilities: z
      .object({
        volume_backend_name: z.string().optional().catch(undefined),
        free_capacity_gb: FreeSpace,
      })
      .catch({ volume_backend_name: undefined, free_capacity_gb: undefined }),
  })
  .transform(({ name, capabilities }): StoragePool => ({
    name,
    backendName: capabilities.volume_backend_name,
    freeGiB: capabilities.free_capacity_gb,
  }))

export const PoolsBody = z.object({ pools: z.array(PoolRow) }).transform((body) => body.pools)

/** A zone that cannot be read is none that is available. */
const NO_ZONE = { zoneName: '', zoneState: { available: false } }

export const ZonesBody = z
  .object({
    availabilityZoneInfo: z.array(
      z
        .object({ zoneName: z.string(), zoneState: z.object({ available: z.boolean() }) })
        .catch(NO_ZONE),
    ),
  })
  .transform((body) =>
    body.availabilityZoneInfo.filter((z) => z.zoneState.available).map((z) => z.zoneName),
  )
