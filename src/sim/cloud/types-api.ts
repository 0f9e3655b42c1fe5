import type { Context } from './context.ts'
import { limitOf, nextLink, section } from './context.ts'
import type { VolumeTypeRow } from './model.ts'
import { json } from '../json-reply.ts'
import { forbidden, notFound } from './reply.ts'
import { defaultType } from './state.ts'

const MEMBER_SPECS = ['RESKEY:availability_zones', 'multiattach', 'replication_enabled']

/** Volume types; a member sees neither private ones nor more of the extra specs than the policy lets them. */
export const types = {
  list: (ctx: Context) => {
    const all = visible(ctx)
    const limit = limitOf(ctx)
    const marker = ctx.query.get('marker')
    const from = marker === null ? 0 : all.findIndex((t) => t.id === marker) + 1
    const page = all.slice(from, from + limit)
    return json(200, {
      volume_types: page.map((t) => view(ctx, t)),
      ...(page.length === limit &&
        limit > 0 && { volume_type_links: nextLink(ctx, page.at(-1)!.id) }),
    })
  },
  show: (ctx: Context, id: string) => {
    if (id !== 'default') return json(200, { volume_type: view(ctx, find(ctx, id)) })
    return json(200, { volume_type: core(ctx, defaultType(ctx.state)) })
  },
  update: (ctx: Context, id: string) => {
    if (!ctx.caller.isAdmin) throw forbidden('volume_extension:type_update')
    const row = find(ctx, id)
    const isPublic = section(ctx, 'volume_type')['is_public']
    if (typeof isPublic === 'boolean') row.isPublic = isPublic
    return json(200, { volume_type: view(ctx, row) })
  },
  extraSpecs: (ctx: Context, id: string) => json(200, { extra_specs: specs(ctx, find(ctx, id)) }),
}

function visible(ctx: Context): readonly VolumeTypeRow[] {
  const all = ctx.caller.isAdmin && ctx.query.get('is_public') === 'None'
  return [...ctx.state.types.values()]
    .filter((t) => all || t.isPublic || t.access.has(ctx.caller.projectId))
    .toReversed()
}

function find(ctx: Context, id: string): VolumeTypeRow {
  const row = ctx.state.types.get(id)
  const seen = row && (ctx.caller.isAdmin || row.isPublic || row.access.has(ctx.caller.projectId))
  if (!seen) throw notFound(`Volume type ${id} could not be found.`)
  return row
}

const specs = (ctx: Context, type: VolumeTypeRow) =>
  ctx.caller.isAdmin
    ? type.extraSpecs
    : Object.fromEntries(Object.entries(type.extraSpecs).filter(([k]) => MEMBER_SPECS.includes(k)))

const view = (ctx: Context, type: VolumeTypeRow) => ({
  ...core(ctx, type),
  'os-volume-type-access:is_public': type.isPublic,
})

// a member's list names the extra specs only when the policy leaves any of them
function core(ctx: Context, type: VolumeTypeRow): Record<string, unknown> {
  const shown = specs(ctx, type)
  return {
    id: type.id,
    name: type.name,
    is_public: type.isPublic,
    description: type.description,
    ...((ctx.caller.isAdmin || Object.keys(shown).length > 0) && { extra_specs: shown }),
    ...(ctx.caller.isAdmin && { qos_specs_id: type.qosSpecsId }),
  }
}
