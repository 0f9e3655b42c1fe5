import type { Context } from './context.ts'
import { links } from './context.ts'
import type { AttachmentRow, VolumeRow } from './model.ts'
import { backendAt } from './state.ts'
import { cinderTime, freshTime } from './times.ts'

/** The short form: id, name, links. */
export function volumeSummary(ctx: Context, row: VolumeRow): Record<string, unknown> {
  return { id: row.id, name: row.name, links: links(ctx, `volumes/${row.id}`) }
}

/** As create and update answer: without the extension fields; `fresh` before the row has been stored. */
export function volumeCore(ctx: Context, row: VolumeRow, fresh = false): Record<string, unknown> {
  const time = fresh ? freshTime : cinderTime
  return {
    id: row.id,
    status: row.status,
    size: row.sizeGiB,
    availability_zone: row.availabilityZone,
    created_at: time(row.createdAt),
    updated_at: row.updatedAt === null ? null : cinderTime(row.updatedAt),
    name: row.name,
    description: row.description,
    volume_type: ctx.state.types.get(row.typeId)?.name ?? null,
    snapshot_id: row.snapshotId,
    source_volid: row.sourceVolid,
    metadata: row.metadata,
    links: links(ctx, `volumes/${row.id}`),
    user_id: row.userId,
    bootable: row.bootable ? 'true' : 'false',
    encrypted: row.encrypted,
    replication_status: null,
    consistencygroup_id: null,
    multiattach: row.multiattach,
    attachments: row.attachmentsHidden ? [] : attachmentsOf(ctx, row),
    ...(ctx.caller.isAdmin && { migration_status: row.migrationStatus }),
    ...versioned(ctx, row, fresh),
  }
}

function versioned(ctx: Context, row: VolumeRow, fresh: boolean): Record<string, unknown> {
  const { minor, caller } = ctx
  const service = backendAt(ctx.state, row.host)?.serviceId ?? null
  return {
    ...(minor >= 13 && { group_id: row.groupId }),
    ...(minor >= 21 && caller.isAdmin && { provider_id: null }),
    ...(minor >= 48 && { shared_targets: fresh, service_uuid: fresh ? null : service }),
    ...(minor >= 61 && caller.isAdmin && { cluster_name: null }),
    ...(minor >= 63 && { volume_type_id: row.typeId }),
    ...(minor >= 65 && { consumes_quota: row.useQuota }),
  }
}

/** As show and detail answer; what only an administrator sees is left out for everybody else. */
export function volumeDetail(ctx: Context, row: VolumeRow): Record<string, unknown> {
  return {
    ...volumeCore(ctx, row),
    'os-vol-tenant-attr:tenant_id': row.projectId,
    ...(ctx.caller.isAdmin && {
      'os-vol-mig-status-attr:migstat': row.migrationStatus,
      'os-vol-mig-status-attr:name_id': row.nameId,
      'os-vol-host-attr:host': row.host,
    }),
  }
}

function attachmentsOf(ctx: Context, row: VolumeRow) {
  return ctx.state.attachments
    .of(row.id)
    .filter((a) => a.status === 'attached')
    .map((a) => attachmentInVolume(row, a))
}

function attachmentInVolume(row: VolumeRow, a: AttachmentRow) {
  return {
    id: row.id,
    attachment_id: a.id,
    volume_id: row.id,
    server_id: a.serverId,
    host_name: a.hostName,
    device: a.device,
    attached_at: a.attachedAt === null ? null : cinderTime(a.attachedAt),
  }
}
