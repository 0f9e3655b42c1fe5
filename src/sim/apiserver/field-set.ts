import type { Schema } from './schema.ts'
import { fieldSchema } from './schema.ts'
import { isObject, sameJson } from './types.ts'

/** A set of field paths as a tree; keys are those of FieldsV1 (`f:name`, `k:{…}`, `v:…`). */
export type FieldSet = {
  /** This very path is in the set. */
  own: boolean
  readonly children: Map<string, FieldSet>
}

function emptySet(): FieldSet {
  return { own: false, children: new Map() }
}

export function isEmpty(set: FieldSet): boolean {
  if (set.own) return false
  for (const inner of set.children.values()) if (!isEmpty(inner)) return false
  return true
}

/** A child as a merge sees it: its FieldsV1 key, its value and its schema. */
export type Child = { readonly key: string; readonly value: unknown; readonly schema: Schema }

/** The parts that can be owned one by one; undefined when the value is owned as a whole. */
export function childrenOf(value: unknown, schema: Schema): Child[] | undefined {
  if (isObject(value)) {
    if (schema['x-kubernetes-map-type'] === 'atomic') return undefined
    return Object.entries(value).map(([name, field]) => ({
      key: `f:${name}`,
      value: field,
      schema: innerSchema(schema, name),
    }))
  }
  if (!Array.isArray(value)) return undefined
  const type = schema['x-kubernetes-list-type']
  const items = schema.items ?? {}
  if (type === 'set')
    return value.map((item) => ({ key: `v:${JSON.stringify(item)}`, value: item, schema: {} }))
  if (type !== 'map') return undefined
  const keys = schema['x-kubernetes-list-map-keys'] ?? []
  return value.map((item) => ({ key: itemKey(item, keys), value: item, schema: items }))
}

function innerSchema(schema: Schema, name: string): Schema {
  const found = fieldSchema(schema, name)
  return found === undefined || found === true ? {} : found
}

function itemKey(item: unknown, keys: readonly string[]): string {
  if (!isObject(item)) return `k:{}`
  const sorted = [...keys].filter((k) => item[k] !== undefined).sort()
  return `k:${JSON.stringify(Object.fromEntries(sorted.map((k) => [k, item[k]])))}`
}

/** Everything a value sets: leaves, empty maps and list items. */
export function setOf(value: unknown, schema: Schema): FieldSet {
  const children = childrenOf(value, schema)
  if (children === undefined) return { own: true, children: new Map() }
  const set = emptySet()
  if (children.length === 0 && isObject(value)) set.own = true
  for (const c of children) {
    const inner = setOf(c.value, c.schema)
    if (c.key.startsWith('k:') || c.key.startsWith('v:')) inner.own = true
    if (!isEmpty(inner)) set.children.set(c.key, inner)
  }
  return set
}

export type Difference = { readonly changed: FieldSet; readonly removed: FieldSet }

/** Paths that were added or have another value, and paths that are gone. */
export function compare(before: unknown, after: unknown, schema: Schema): Difference {
  const changed = emptySet()
  const removed = emptySet()
  if (before === after) return { changed, removed }
  const old = before === undefined ? undefined : childrenOf(before, schema)
  const next = after === undefined ? undefined : childrenOf(after, schema)
  if (after === undefined) return { changed, removed: everything(before, schema) }
  if (before === undefined) return { changed: everything(after, schema), removed }
  if (old === undefined || next === undefined) {
    if (sameJson(before, after)) return { changed, removed }
    return {
      changed: everything(after, schema),
      removed: old ? everything(before, schema) : removed,
    }
  }
  const unseen = new Map(old.map((c) => [c.key, c]))
  for (const c of next) {
    const was = unseen.get(c.key)
    unseen.delete(c.key)
    const inner = compare(was?.value, c.value, c.schema)
    if (!isEmpty(inner.changed)) changed.children.set(c.key, inner.changed)
    if (!isEmpty(inner.removed)) removed.children.set(c.key, inner.removed)
  }
  for (const c of unseen.values()) removed.children.set(c.key, everything(c.value, c.schema))
  return { changed, removed }
}

/** The set of a value with every node on the way, as an added or removed whole. */
function everything(value: unknown, schema: Schema): FieldSet {
  const set: FieldSet = { own: true, children: new Map() }
  for (const c of childrenOf(value, schema) ?? [])
    set.children.set(c.key, everything(c.value, c.schema))
  return set
}

export function union(a: FieldSet, b: FieldSet): FieldSet {
  const out: FieldSet = { own: a.own || b.own, children: new Map(a.children) }
  for (const [key, inner] of b.children) {
    const mine = out.children.get(key)
    out.children.set(key, mine === undefined ? inner : union(mine, inner))
  }
  return out
}

/** Members of `a` that are not in `b`. */
export function minus(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmpty(b)) return a
  const out: FieldSet = { own: a.own && !b.own, children: new Map() }
  for (const [key, inner] of a.children) {
    const other = b.children.get(key)
    const rest = other === undefined ? inner : minus(inner, other)
    if (!isEmpty(rest)) out.children.set(key, rest)
  }
  return out
}

export function intersection(a: FieldSet, b: FieldSet): FieldSet {
  const out: FieldSet = { own: a.own && b.own, children: new Map() }
  for (const [key, inner] of a.children) {
    const other = b.children.get(key)
    if (other === undefined) continue
    const both = intersection(inner, other)
    if (!isEmpty(both)) out.children.set(key, both)
  }
  return out
}

/** The leaves as the conflict message writes them: `.spec.parts[name="a"].n`. */
export function paths(set: FieldSet, prefix = ''): string[] {
  const below = [...set.children].flatMap(([key, inner]) => paths(inner, prefix + pathPart(key)))
  return set.own && prefix !== '' ? [prefix, ...below] : below
}

function pathPart(key: string): string {
  if (key.startsWith('f:')) return `.${key.slice(2)}`
  if (key.startsWith('v:')) return `[=${key.slice(2)}]`
  const keys = Object.entries(JSON.parse(key.slice(2)) as Record<string, unknown>)
  return `[${keys.map(([k, v]) => `${k}=${JSON.stringify(v)}`).join(',')}]`
}

export function toFieldsV1(set: FieldSet): Record<string, unknown> {
  const out: Record<string, unknown> = {}
  if (set.own && set.children.size > 0) out['.'] = {}
  for (const key of [...set.children.keys()].sort()) out[key] = toFieldsV1(set.children.get(key)!)
  return out
}

export function fromFieldsV1(fields: unknown, root = true): FieldSet {
  const set = emptySet()
  if (!isObject(fields)) return set
  const names = Object.keys(fields)
  set.own = !root && (names.length === 0 || '.' in fields)
  for (const name of names)
    if (name !== '.') set.children.set(name, fromFieldsV1(fields[name], false))
  return set
}
