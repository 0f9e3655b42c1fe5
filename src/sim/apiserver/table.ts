import { metadataOnly, listMeta } from './encode.ts'
import type { Page } from './read.ts'
import type { Column, Definition, KubeJson } from './types.ts'
import { isObject, textOf } from './types.ts'

/** The `Table` that kubectl prints. `now` in ms, for ages. */
export function encodeTable(def: Definition, page: Page, now: number, whole = false): string {
  return JSON.stringify({
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata: listMeta(page),
    columnDefinitions: [{ name: 'Name', type: 'string', path: '' }, ...def.columns].map(definition),
    rows: page.items.map((object) => row(def, object, now, whole)),
  })
}

function definition(column: Column) {
  return {
    name: column.name,
    type: column.type === 'date' ? 'string' : column.type,
    format: column.name === 'Name' ? 'name' : '',
    description: column.path,
    priority: column.priority ?? 0,
  }
}

/** `whole`: with the object itself, by whose fields `kubectl --sort-by` sorts. */
export function row(def: Definition, object: KubeJson, now: number, whole = false) {
  const cells = def.columns.map((column) => cell(object, column, now))
  return { cells: [object.metadata.name, ...cells], object: whole ? object : metadataOnly(object) }
}

function cell(object: KubeJson, column: Column, now: number): unknown {
  const value = valueAtJsonPath(object, column.path)
  if (value === undefined) return column.type === 'date' ? '<unknown>' : null
  if (column.type === 'date') return age(now - Date.parse(textOf(value)))
  return isObject(value) || Array.isArray(value) ? JSON.stringify(value) : value
}

/** The part of JSONPath that printer columns use: fields, and `[?(@.type=="Ready")]`. */
function valueAtJsonPath(object: unknown, path: string): unknown {
  let value = object
  for (const [, field, filterField, wanted, index] of path.matchAll(
    /\.([\w-]+)|\[\?\(@\.([\w-]+)\s*==\s*['"]([^'"]*)['"]\)\]|\[(\d+)\]/g,
  )) {
    if (field !== undefined) value = isObject(value) ? value[field] : undefined
    else if (!Array.isArray(value)) return undefined
    else if (index !== undefined) value = value[Number(index)]
    else value = value.find((item) => isObject(item) && String(item[filterField!]) === wanted)
  }
  return value
}

function age(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  if (seconds < 120) return `${seconds}s`
  if (seconds < 7200) return `${Math.floor(seconds / 60)}m`
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)}h`
  return `${Math.floor(seconds / 86_400)}d`
}
