import type { SimResponse } from '../handler.ts'
import type { Context } from './context.ts'
import { section } from './context.ts'
import { DEFAULT_LIMITS } from './quota.ts'
import { json } from '../json-reply.ts'
import { badRequest, forbidden, invalidInput } from './reply.ts'
import type { State } from './state.ts'

type Line = { readonly name: string; readonly resource: string }

/** `/os-quota-sets/{project}` and `/limits`: limits and usage, totals and per type. */
export const quotas = { show, defaults, update, limits }

function lines(state: State): readonly Line[] {
  const totals = Object.keys(DEFAULT_LIMITS).map((name) => ({ name, resource: name }))
  const perType = [...state.types.values()].toReversed().flatMap((type) =>
    ['volumes', 'gigabytes', 'snapshots'].map((kind) => ({
      name: `${kind}_${type.name}`,
      resource: `${kind}/${type.id}`,
    })),
  )
  return [...totals, ...perType]
}

function show(ctx: Context, projectId: string): SimResponse {
  const { state, caller } = ctx
  if (!caller.isAdmin && projectId !== caller.projectId)
    throw forbidden('volume_extension:quotas:show')
  const usage = ctx.query.get('usage')?.toLowerCase() === 'true'
  const value = ({ resource }: Line) => {
    const limit = state.quota.limit(projectId, resource)
    if (!usage) return limit
    const in_use = state.quota.inUse(projectId, resource)
    return { limit, in_use, reserved: state.quota.reserved(projectId, resource) }
  }
  const set = Object.fromEntries(lines(state).map((line) => [line.name, value(line)]))
  return json(200, { quota_set: { ...set, id: projectId } })
}

function defaults(ctx: Context, projectId: string): SimResponse {
  const set = lines(ctx.state).map(({ name, resource }) => [name, DEFAULT_LIMITS[resource] ?? -1])
  return json(200, { quota_set: { ...Object.fromEntries(set), id: projectId } })
}

function update(ctx: Context, projectId: string): SimResponse {
  const { state } = ctx
  if (!ctx.caller.isAdmin) throw forbidden('volume_extension:quotas:update')
  const input = section(ctx, 'quota_set')
  const known = new Map(lines(state).map((line) => [line.name, line.resource]))
  const bad = Object.keys(input).filter((name) => !known.has(name))
  if (bad.length > 0) throw invalidInput(`Bad key(s) in quota set: ${bad.join(', ')}`)
  for (const [name, limit] of Object.entries(input))
    checkUsage(state, projectId, { name, resource: known.get(name)! }, Number(limit))
  for (const [name, limit] of Object.entries(input))
    state.quota.setLimit(projectId, known.get(name)!, Number(limit))
  const set = [...known].map(([name, resource]) => [name, state.quota.limit(projectId, resource)])
  return json(200, { quota_set: Object.fromEntries(set) })
}

// Cinder checks the usage only where the project has a limit of its own already
function checkUsage(state: State, projectId: string, line: Line, limit: number): void {
  const { name, resource } = line
  if (name === 'per_volume_gigabytes' || limit === -1) return
  if (!state.quota.hasOwnLimit(projectId, resource)) return
  const used = state.quota.inUse(projectId, resource) + state.quota.reserved(projectId, resource)
  if (limit < used)
    throw badRequest(
      `Quota ${name} limit must be equal or greater than existing resources. Current usage is ${used} and the requested limit is ${limit}.`,
    )
}

function limits(ctx: Context): SimResponse {
  const { quota } = ctx.state
  const { projectId } = ctx.caller
  const absolute = {
    maxTotalVolumes: quota.limit(projectId, 'volumes'),
    maxTotalSnapshots: quota.limit(projectId, 'snapshots'),
    maxTotalVolumeGigabytes: quota.limit(projectId, 'gigabytes'),
    maxTotalBackups: quota.limit(projectId, 'backups'),
    maxTotalBackupGigabytes: quota.limit(projectId, 'backup_gigabytes'),
    totalVolumesUsed: quota.inUse(projectId, 'volumes'),
    totalGigabytesUsed: quota.inUse(projectId, 'gigabytes'),
    totalSnapshotsUsed: quota.inUse(projectId, 'snapshots'),
    totalBackupsUsed: quota.inUse(projectId, 'backups'),
    totalBackupGigabytesUsed: quota.inUse(projectId, 'backup_gigabytes'),
  }
  return json(200, { limits: { rate: [], absolute } })
}
