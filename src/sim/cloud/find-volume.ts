import type { Context } from './context.ts'
import type { VolumeRow } from './model.ts'
import { invalidField, notFound } from './reply.ts'

/** A volume the caller may see; 404 for one of another project, as for one that never was. */
export function findVolume(ctx: Context, id: string): VolumeRow {
  const row = ctx.state.volumes.get(id)
  if (!row || (!ctx.caller.isAdmin && row.projectId !== ctx.caller.projectId))
    throw notFound(`Volume ${id} could not be found.`)
  return row
}

/** String keys to string values; 400 names the key otherwise. */
export function checkMetadata(input: unknown): Record<string, string> {
  if (typeof input !== 'object' || input === null || Array.isArray(input))
    throw invalidField('metadata', input, 'It is not an object')
  for (const [key, value] of Object.entries(input))
    if (typeof value !== 'string')
      throw invalidField(key, value, `${String(value)} is not of type 'string'`)
  return { ...(input as Record<string, string>) }
}
