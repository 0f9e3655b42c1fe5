import type { FieldSet } from './field-set.ts'
import {
  childrenOf,
  compare,
  fromFieldsV1,
  intersection,
  isEmpty,
  minus,
  paths,
  setOf,
  toFieldsV1,
  union,
} from './field-set.ts'
import type { Schema } from './schema.ts'
import { StatusError } from './status.ts'
import type { KubeJson, ManagedFields } from './types.ts'
import { isObject, sameJson } from './types.ts'

/** Who writes, and when; `subresource` is "" for the object itself. */
export type Writer = {
  readonly manager: string
  readonly apiVersion: string
  readonly subresource: string
  readonly time: string
}

type Entry = { readonly fields: ManagedFields; set: FieldSet }

const SERVER_OWNED = [
  'name',
  'namespace',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'managedFields',
  'selfLink',
]

/** The managed fields after a write that was no apply: what changed now belongs to the writer alone. */
export function afterUpdate(
  before: KubeJson | undefined,
  after: KubeJson,
  schema: Schema,
  writer: Writer,
): readonly ManagedFields[] {
  const { changed, removed } = compare(
    before === undefined ? {} : ownable(before),
    ownable(after),
    schema,
  )
  if (isEmpty(changed) && isEmpty(removed)) return after.metadata.managedFields ?? []
  const lost = union(changed, removed)
  const entries = entriesOf(after).map((e) => ({
    ...e,
    set: isWriter(e, writer, 'Update') ? minus(e.set, removed) : minus(e.set, lost),
  }))
  return written(entries, writer, 'Update', (own) => union(own, changed))
}

export type Applied = {
  readonly object: KubeJson
  readonly managedFields: readonly ManagedFields[]
}

/**
 * Server-side apply: merges `config` into `live`, drops what the manager no longer sets and nobody else owns.
 * Throws 409 when another manager's field would change, unless `force`.
 */
export function applyConfig(
  live: KubeJson,
  config: KubeJson,
  schema: Schema,
  writer: Writer,
  force: boolean,
): Applied {
  const wanted = setOf(ownable(config), schema)
  const merged = merge(live, { ...config, metadata: { ...config.metadata } }, schema) as KubeJson
  const { changed } = compare(ownable(live), ownable(merged), schema)
  const entries = entriesOf(live)
  const others = entries.filter((e) => !isWriter(e, writer, 'Apply'))
  if (!force) refuseConflicts(others, changed)
  for (const other of others) other.set = minus(other.set, changed)
  const mine = entries.find((e) => isWriter(e, writer, 'Apply'))
  const owned = others.reduce((all, e) => union(all, e.set), wanted)
  const pruned = dropFields(
    merged,
    mine === undefined ? wanted : minus(mine.set, wanted),
    owned,
    schema,
  )
  const managedFields = written(entries, writer, 'Apply', () => wanted)
  return { object: (pruned ?? merged) as KubeJson, managedFields }
}

function ownable(object: KubeJson): Record<string, unknown> {
  const { apiVersion: _v, kind: _k, metadata, ...rest } = object
  const meta = Object.entries(metadata).filter(([key]) => !SERVER_OWNED.includes(key))
  return meta.length === 0 ? rest : { metadata: Object.fromEntries(meta), ...rest }
}

/** Of fields that are stored: a lease is written every two seconds and keeps the same. */
const parsedSets = new WeakMap<ManagedFields, FieldSet>()

function entriesOf(object: KubeJson): Entry[] {
  return (object.metadata.managedFields ?? []).map((fields) => {
    const set = parsedSets.get(fields) ?? fromFieldsV1(fields.fieldsV1)
    parsedSets.set(fields, set)
    return { fields, set }
  })
}

function isWriter({ fields }: Entry, writer: Writer, operation: string): boolean {
  return (
    fields.manager === writer.manager &&
    fields.operation === operation &&
    fields.apiVersion === writer.apiVersion &&
    (fields.subresource ?? '') === writer.subresource
  )
}

function written(
  entries: readonly Entry[],
  writer: Writer,
  operation: 'Apply' | 'Update',
  next: (own: FieldSet) => FieldSet,
): ManagedFields[] {
  const mine = entries.find((e) => isWriter(e, writer, operation))
  const set = next(mine?.set ?? { own: false, children: new Map() })
  const fieldsV1 = toFieldsV1(set)
  const same = mine !== undefined && sameJson(mine.fields.fieldsV1, fieldsV1)
  const entry: ManagedFields = same
    ? mine.fields
    : {
        manager: writer.manager,
        operation,
        apiVersion: writer.apiVersion,
        time: writer.time,
        fieldsType: 'FieldsV1',
        fieldsV1,
        ...(writer.subresource === '' ? {} : { subresource: writer.subresource }),
      }
  const rest = entries
    .filter((e) => e !== mine && !isEmpty(e.set))
    .map((e) => ({ ...e.fields, fieldsV1: toFieldsV1(e.set) }))
  if (isEmpty(set)) return rest
  const at =
    mine === undefined
      ? rest.length
      : entries.filter((e) => !isEmpty(e.set) || e === mine).indexOf(mine)
  return [...rest.slice(0, at), entry, ...rest.slice(at)]
}

function refuseConflicts(others: readonly Entry[], changed: FieldSet) {
  const conflicts = others.flatMap((e) =>
    paths(intersection(e.set, changed)).map((path) => ({ who: holder(e.fields), path })),
  )
  if (conflicts.length === 0) return
  const byHolder = Map.groupBy(conflicts, (c) => c.who)
  const texts = [...byHolder].map(([who, list]) =>
    list.length === 1
      ? `conflict with ${who}: ${list[0]!.path}`
      : `conflicts with ${who}:\n${list.map((c) => `- ${c.path}`).join('\n')}`,
  )
  const count = `${conflicts.length} conflict${conflicts.length === 1 ? '' : 's'}`
  throw new StatusError(409, 'Conflict', `Apply failed with ${count}: ${texts.join('\n')}`, {
    causes: conflicts.map((c) => ({
      reason: 'FieldManagerConflict',
      message: `conflict with ${c.who}`,
      field: c.path,
    })),
  })
}

function holder(fields: ManagedFields): string {
  const subresource = fields.subresource ? ` with subresource "${fields.subresource}"` : ''
  return `"${fields.manager}"${subresource}${fields.operation === 'Update' ? ` using ${fields.apiVersion}` : ''}`
}

/** `config` over `live`: maps by field, lists as the schema says. */
function merge(live: unknown, config: unknown, schema: Schema): unknown {
  const mine = childrenOf(config, schema)
  const theirs = childrenOf(live, schema)
  if (mine === undefined || theirs === undefined || Array.isArray(live) !== Array.isArray(config))
    return config
  const byKey = new Map(theirs.map((c) => [c.key, c.value]))
  for (const c of mine)
    byKey.set(c.key, byKey.has(c.key) ? merge(byKey.get(c.key), c.value, c.schema) : c.value)
  if (Array.isArray(config)) return [...byKey.values()]
  return Object.fromEntries([...byKey].map(([key, value]) => [key.slice(2), value]))
}

/** Undefined when nothing is left of `value`. */
function dropFields(value: unknown, drop: FieldSet, owned: FieldSet, schema: Schema): unknown {
  const children = childrenOf(value, schema)
  if (children === undefined) return drop.own && !owned.own ? undefined : value
  if (isEmpty(drop)) return value
  const kept: { key: string; value: unknown }[] = []
  for (const c of children) {
    const inner = drop.children.get(c.key)
    const theirs = owned.children.get(c.key)
    const left =
      inner === undefined
        ? c.value
        : inner.own && (theirs === undefined || isEmpty(theirs))
          ? undefined
          : dropFields(c.value, inner, theirs ?? { own: false, children: new Map() }, c.schema)
    if (left !== undefined) kept.push({ key: c.key, value: left })
  }
  if (kept.length === 0 && !owned.own) return undefined
  if (Array.isArray(value)) return kept.map((c) => c.value)
  return isObject(value) ? Object.fromEntries(kept.map((c) => [c.key.slice(2), c.value])) : value
}
