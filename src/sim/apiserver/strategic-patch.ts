import type { Schema } from './schema.ts'
import { fieldSchema } from './schema.ts'
import { isObject } from './types.ts'

const DIRECTIVE = '$patch'
const DELETE_FROM = '$deleteFromPrimitiveList/'
const ORDER = '$setElementOrder/'
const RETAIN = '$retainKeys'

/** Strategic merge patch of a built-in kind: like a merge patch, but lists with a merge key merge by it. */
export function strategicPatch(target: unknown, patch: unknown, schema: Schema): unknown {
  if (Array.isArray(patch)) return mergedList(Array.isArray(target) ? target : [], patch, schema)
  if (!isObject(patch)) return patch
  if (patch[DIRECTIVE] === 'replace') return without(patch)
  const out: Record<string, unknown> = isObject(target) ? { ...target } : {}
  for (const [key, value] of Object.entries(patch)) {
    if (key === DIRECTIVE || key === RETAIN || key.startsWith(ORDER)) continue
    if (key.startsWith(DELETE_FROM)) removeFrom(out, key.slice(DELETE_FROM.length), value)
    else if (value === null) delete out[key]
    else out[key] = strategicPatch(out[key], value, inner(schema, key))
  }
  return out
}

function inner(schema: Schema, key: string): Schema {
  const found = fieldSchema(schema, key)
  return found === undefined || found === true ? {} : found
}

function without(patch: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { [DIRECTIVE]: _directive, ...rest } = patch
  return rest
}

function removeFrom(out: Record<string, unknown>, field: string, values: unknown) {
  const list = out[field]
  if (Array.isArray(list) && Array.isArray(values))
    out[field] = list.filter((item) => !values.includes(item))
}

function mergedList(target: readonly unknown[], patch: readonly unknown[], schema: Schema) {
  const type = schema['x-kubernetes-list-type']
  if (type === 'set') return [...target, ...patch.filter((item) => !target.includes(item))]
  const key = schema['x-kubernetes-list-map-keys']?.[0]
  if (type !== 'map' || key === undefined) return patch
  if (patch.some((item) => isObject(item) && item[DIRECTIVE] === 'replace'))
    return patch.filter((item) => !(isObject(item) && item[DIRECTIVE] !== undefined))
  const out = [...target]
  for (const item of patch) {
    if (!isObject(item)) continue
    const at = out.findIndex((old) => isObject(old) && old[key] === item[key])
    if (item[DIRECTIVE] === 'delete') {
      if (at >= 0) out.splice(at, 1)
    } else if (at >= 0) out[at] = strategicPatch(out[at], item, schema.items ?? {})
    else out.push(item)
  }
  return out
}
