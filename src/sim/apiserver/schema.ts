import type { Cause } from './types.ts'
import { isObject, sameJson } from './types.ts'
import { formatError } from './format.ts'

/** The part of OpenAPI v3 that CustomResourceDefinitions use. CEL rules are not evaluated here. */
export type Schema = {
  readonly type?: string
  readonly format?: string
  readonly nullable?: boolean
  readonly default?: unknown
  readonly required?: readonly string[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly additionalProperties?: Schema | boolean
  readonly items?: Schema
  readonly enum?: readonly unknown[]
  readonly pattern?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly exclusiveMinimum?: boolean
  readonly exclusiveMaximum?: boolean
  readonly multipleOf?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly minItems?: number
  readonly maxItems?: number
  readonly minProperties?: number
  readonly maxProperties?: number
  readonly allOf?: readonly Schema[]
  readonly anyOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
  readonly not?: Schema
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean
  readonly 'x-kubernetes-int-or-string'?: boolean
  readonly 'x-kubernetes-list-type'?: 'atomic' | 'set' | 'map'
  readonly 'x-kubernetes-list-map-keys'?: readonly string[]
  readonly 'x-kubernetes-map-type'?: 'atomic' | 'granular'
}

/** `value` without the fields the schema does not know; their paths are added to `unknown`. */
export function prune(value: unknown, schema: Schema, path: string, unknown: string[]): unknown {
  if (Array.isArray(value)) {
    const { items } = schema
    if (items === undefined) return value
    return value.map((item, i) => prune(item, items, `${path}[${i}]`, unknown))
  }
  if (!isObject(value)) return value
  const out: Record<string, unknown> = {}
  for (const [key, field] of Object.entries(value)) {
    const at = path === '' ? key : `${path}.${key}`
    const inner = fieldSchema(schema, key)
    if (inner === undefined) unknown.push(at)
    else out[key] = inner === true ? field : prune(field, inner, at, unknown)
  }
  return out
}

/** The schema of one field; `true` when anything is kept as it is, undefined when the field is unknown. */
export function fieldSchema(schema: Schema, key: string): Schema | true | undefined {
  const own = schema.properties?.[key]
  if (own !== undefined) return own
  const rest = schema.additionalProperties
  if (isObject(rest)) return rest
  if (rest === true || schema['x-kubernetes-preserve-unknown-fields'] === true) return true
  return undefined
}

/** `value` with the schema's defaults; a null that may not be null counts as not given. */
export function withDefaults(value: unknown, schema: Schema): unknown {
  if (Array.isArray(value)) {
    const { items } = schema
    return items === undefined ? value : value.map((item) => withDefaults(item, items))
  }
  if (!isObject(value)) return value
  const out: Record<string, unknown> = { ...value }
  for (const [key, field] of Object.entries(schema.properties ?? {})) {
    if (out[key] === null && field.nullable !== true) delete out[key]
    if (out[key] === undefined && field.default !== undefined)
      out[key] = structuredClone(field.default)
    if (out[key] !== undefined) out[key] = withDefaults(out[key], field)
  }
  if (isObject(schema.additionalProperties))
    for (const key of Object.keys(out))
      if (schema.properties?.[key] === undefined)
        out[key] = withDefaults(out[key], schema.additionalProperties)
  return out
}

/** Every mistake of `value`, in the order and words of the real server. */
export function validate(value: unknown, schema: Schema, path: string): Cause[] {
  const listErrors: Cause[] = []
  return [...check(value, schema, path, listErrors), ...listErrors]
}

function check(value: unknown, schema: Schema, path: string, listErrors: Cause[]): Cause[] {
  if (value === null && schema.nullable === true) return []
  const wrongType = typeError(value, schema, path)
  if (wrongType !== undefined) return [wrongType]
  const causes: Cause[] = []
  if (Array.isArray(value)) causes.push(...checkArray(value, schema, path, listErrors))
  else if (isObject(value)) causes.push(...checkObject(value, schema, path, listErrors))
  else if (typeof value === 'string') causes.push(...checkString(value, schema, path))
  else if (typeof value === 'number') causes.push(...checkNumber(value, schema, path))
  if (schema.enum !== undefined && !schema.enum.some((allowed) => sameJson(allowed, value)))
    causes.push(notSupported(value, schema.enum, path))
  return [...causes, ...checkLogic(value, schema, path, listErrors)]
}

function typeError(value: unknown, schema: Schema, path: string): Cause | undefined {
  if (schema['x-kubernetes-int-or-string'] === true)
    return typeof value === 'string' || Number.isInteger(value)
      ? undefined
      : typeCause('integer,string', value, path)
  const { type } = schema
  if (type === undefined) return undefined
  const actual = jsonType(value)
  const fits = actual === type || (type === 'number' && actual === 'integer')
  return fits ? undefined : typeCause(type, value, path)
}

function jsonType(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number'
  return typeof value
}

function typeCause(type: string, value: unknown, path: string): Cause {
  const quoted = `"${jsonType(value)}"`
  return cause(
    'FieldValueTypeInvalid',
    `Invalid value: ${quoted}: ${path} in body must be of type ${type}: ${quoted}`,
    path,
  )
}

function checkObject(
  value: Readonly<Record<string, unknown>>,
  schema: Schema,
  path: string,
  listErrors: Cause[],
): Cause[] {
  const causes: Cause[] = []
  const size = Object.keys(value).length
  if (schema.maxProperties !== undefined && size > schema.maxProperties)
    causes.push(
      cause(
        'FieldValueTooMany',
        `Too many: ${size}: must have at most ${schema.maxProperties} items`,
        path,
      ),
    )
  if (schema.minProperties !== undefined && size < schema.minProperties)
    causes.push(
      bad(size, `${path} in body should have at least ${schema.minProperties} properties`, path),
    )
  for (const key of [...(schema.required ?? [])].sort())
    if (value[key] === undefined)
      causes.push(cause('FieldValueRequired', 'Required value', join(path, key)))
  for (const key of Object.keys(value).sort()) {
    const inner = fieldSchema(schema, key)
    if (inner !== undefined && inner !== true)
      causes.push(...check(value[key], inner, join(path, key), listErrors))
  }
  return causes
}

function checkArray(
  value: readonly unknown[],
  schema: Schema,
  path: string,
  listErrors: Cause[],
): Cause[] {
  const causes: Cause[] = []
  if (schema.maxItems !== undefined && value.length > schema.maxItems)
    causes.push(
      cause(
        'FieldValueTooMany',
        `Too many: ${value.length}: must have at most ${schema.maxItems} items`,
        path,
      ),
    )
  if (schema.minItems !== undefined && value.length < schema.minItems)
    causes.push(
      bad(value.length, `${path} in body should have at least ${schema.minItems} items`, path),
    )
  const { items } = schema
  if (items !== undefined)
    value.forEach((item, i) => causes.push(...check(item, items, `${path}[${i}]`, listErrors)))
  listErrors.push(...duplicates(value, schema, path))
  return causes
}

function duplicates(value: readonly unknown[], schema: Schema, path: string): Cause[] {
  if (schema['x-kubernetes-list-type'] === undefined) return []
  if (schema['x-kubernetes-list-type'] === 'atomic') return []
  const keys = schema['x-kubernetes-list-map-keys'] ?? []
  const seen = new Set<string>()
  return value.flatMap((item, i) => {
    const identity =
      keys.length > 0 && isObject(item) ? Object.fromEntries(keys.map((k) => [k, item[k]])) : item
    const text = JSON.stringify(identity)
    if (seen.has(text))
      return [cause('FieldValueDuplicate', `Duplicate value: ${text}`, `${path}[${i}]`)]
    seen.add(text)
    return []
  })
}

function checkString(value: string, schema: Schema, path: string): Cause[] {
  const causes: Cause[] = []
  const length = [...value].length
  const quoted = JSON.stringify(value)
  if (schema.maxLength !== undefined && length > schema.maxLength)
    causes.push(
      cause('FieldValueTooLong', `Too long: may not be more than ${schema.maxLength} bytes`, path),
    )
  if (schema.minLength !== undefined && length < schema.minLength)
    causes.push(
      bad(quoted, `${path} in body should be at least ${schema.minLength} chars long`, path),
    )
  if (schema.pattern !== undefined && !new RegExp(schema.pattern, 'u').test(value))
    causes.push(bad(quoted, `${path} in body should match '${schema.pattern}'`, path))
  if (schema.format !== undefined && formatError(value, schema.format))
    causes.push(
      cause(
        'FieldValueTypeInvalid',
        `Invalid value: ${quoted}: ${path} in body must be of type ${schema.format}: ${quoted}`,
        path,
      ),
    )
  return causes
}

function checkNumber(value: number, schema: Schema, path: string): Cause[] {
  const { minimum, maximum, multipleOf } = schema
  const causes: Cause[] = []
  if (maximum !== undefined) {
    if (schema.exclusiveMaximum ? value >= maximum : value > maximum)
      causes.push(
        bad(
          value,
          `${path} in body should be less than${orEqual(schema.exclusiveMaximum)} ${maximum}`,
          path,
        ),
      )
  }
  if (minimum !== undefined) {
    if (schema.exclusiveMinimum ? value <= minimum : value < minimum)
      causes.push(
        bad(
          value,
          `${path} in body should be greater than${orEqual(schema.exclusiveMinimum)} ${minimum}`,
          path,
        ),
      )
  }
  if (multipleOf !== undefined && value % multipleOf !== 0)
    causes.push(bad(value, `${path} in body should be a multiple of ${multipleOf}`, path))
  return causes
}

function checkLogic(value: unknown, schema: Schema, path: string, lists: Cause[]): Cause[] {
  const fits = (s: Schema) => check(value, s, path, []).length === 0
  const causes = (schema.allOf ?? []).flatMap((s) => check(value, s, path, lists))
  if (schema.anyOf !== undefined && !schema.anyOf.some(fits))
    causes.push(bad('""', `"${path}" must validate at least one schema (anyOf)`, path))
  if (schema.oneOf !== undefined && schema.oneOf.filter(fits).length !== 1)
    causes.push(bad('""', `"${path}" must validate one and only one schema (oneOf)`, path))
  if (schema.not !== undefined && fits(schema.not))
    causes.push(bad('""', `"${path}" must not validate the schema (not)`, path))
  return causes
}

function notSupported(value: unknown, allowed: readonly unknown[], path: string): Cause {
  const list = allowed.map((a) => JSON.stringify(a)).join(', ')
  return cause(
    'FieldValueNotSupported',
    `Unsupported value: ${JSON.stringify(value)}: supported values: ${list}`,
    path,
  )
}

function bad(value: unknown, why: string, path: string): Cause {
  return cause('FieldValueInvalid', `Invalid value: ${String(value)}: ${why}`, path)
}

function cause(reason: string, message: string, field: string): Cause {
  return { reason, message, field: field === '' ? '<nil>' : field }
}

function orEqual(exclusive: boolean | undefined): string {
  return exclusive ? '' : ' or equal to'
}

function join(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`
}
