import type { Cause, Definition, KubeJson, Meta } from './types.ts'
import { isObject } from './types.ts'

const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/
const DNS_LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/
const LABEL_VALUE = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/
const QUALIFIED_NAME = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/
const MAX_ANNOTATIONS_BYTES = 256 * 1024

const KNOWN = new Set([
  'name',
  'generateName',
  'namespace',
  'selfLink',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'labels',
  'annotations',
  'ownerReferences',
  'finalizers',
  'managedFields',
])

/** Unknown fields dropped, nulls too, as the typed decoder does; their paths are added to `unknown`. */
export function decodedMetadata(value: unknown, unknown: string[]): Meta {
  const out: Record<string, unknown> = {}
  for (const [key, field] of Object.entries(isObject(value) ? value : {})) {
    if (!KNOWN.has(key)) unknown.push(`metadata.${key}`)
    else if (field !== null && !isEmptyContainer(field)) out[key] = field
  }
  return out as Meta
}

function isEmptyContainer(field: unknown): boolean {
  if (field === '') return true
  return typeof field === 'object' && field !== null && Object.keys(field).length === 0
}

/** The Go decoder's complaint about a field of another type; undefined when metadata is well formed. */
export function metadataTypeError(value: unknown, def: Definition): string | undefined {
  if (value !== undefined && !isObject(value))
    return wrongType(value, 'metadata', 'v1.ObjectMeta', def)
  for (const field of ['labels', 'annotations'])
    for (const text of Object.values((value?.[field] as object | undefined) ?? {}))
      if (typeof text !== 'string') return wrongType(text, `metadata.${field}`, 'string', def)
  for (const field of ['name', 'namespace', 'uid', 'resourceVersion', 'generateName']) {
    const text = value?.[field]
    if (text !== undefined && text !== null && typeof text !== 'string')
      return wrongType(text, `metadata.${field}`, 'string', def)
  }
  const finalizers = value?.['finalizers']
  if (finalizers !== undefined && finalizers !== null && !Array.isArray(finalizers))
    return wrongType(finalizers, 'metadata.finalizers', '[]string', def)
  return undefined
}

function wrongType(value: unknown, path: string, type: string, def: Definition): string {
  const actual = typeof value === 'boolean' ? 'bool' : Array.isArray(value) ? 'array' : typeof value
  const field = def.custom ? path.replace(/^metadata\./, '') : path
  return `json: cannot unmarshal ${actual} into Go struct field ObjectMeta.${field} of type ${type}`
}

/** Mistakes in what a client may write into metadata. */
export function metadataCauses(
  object: KubeJson,
  old: KubeJson | undefined,
  def: Definition,
): Cause[] {
  const { metadata } = object
  return [
    ...nameCauses(metadata.name, def),
    ...annotationCauses(metadata.annotations ?? {}),
    ...labelCauses(metadata.labels ?? {}),
    ...finalizerCauses(metadata.finalizers ?? []),
    ...(old === undefined ? [] : newFinalizerCauses(metadata, old.metadata)),
  ]
}

function nameCauses(name: string, def: Definition): Cause[] {
  if (!name)
    return [
      {
        reason: 'FieldValueRequired',
        message: 'Required value: name or generateName is required',
        field: 'metadata.name',
      },
    ]
  if (def.kind === 'Namespace' && (!DNS_LABEL.test(name) || name.length > 63))
    return [
      bad(
        name,
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
        'metadata.name',
      ),
    ]
  if (name.length > 253) return [bad(name, 'must be no more than 253 bytes', 'metadata.name')]
  if (SUBDOMAIN.test(name)) return []
  return [
    bad(
      name,
      "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
      'metadata.name',
    ),
  ]
}

function annotationCauses(annotations: Readonly<Record<string, string>>): Cause[] {
  const causes = Object.keys(annotations).flatMap((key) => keyCauses(key, 'metadata.annotations'))
  const size = Object.entries(annotations).reduce((sum, [k, v]) => sum + k.length + v.length, 0)
  if (size > MAX_ANNOTATIONS_BYTES)
    causes.push({
      reason: 'FieldValueTooLong',
      message: `Too long: may not be more than ${MAX_ANNOTATIONS_BYTES} bytes`,
      field: 'metadata.annotations',
    })
  return causes
}

function labelCauses(labels: Readonly<Record<string, string>>): Cause[] {
  return Object.entries(labels).flatMap(([key, value]) => {
    const causes = keyCauses(key, 'metadata.labels')
    if (value.length > 63)
      causes.push(bad(value, 'must be no more than 63 bytes', 'metadata.labels'))
    if (!LABEL_VALUE.test(value))
      causes.push(
        bad(
          value,
          "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
          'metadata.labels',
        ),
      )
    return causes
  })
}

function keyCauses(key: string, field: string): Cause[] {
  const parts = key.split('/')
  const name = parts.at(-1)!
  const prefixed = parts.length === 2 && SUBDOMAIN.test(parts[0]!)
  if ((parts.length === 1 || prefixed) && QUALIFIED_NAME.test(name) && name.length <= 63) return []
  return [
    bad(
      key,
      "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
      field,
    ),
  ]
}

const STANDARD_FINALIZERS = ['kubernetes', 'orphan', 'foregroundDeletion']

function finalizerCauses(finalizers: readonly string[]): Cause[] {
  return finalizers.flatMap((name, i) =>
    name.includes('/') || STANDARD_FINALIZERS.includes(name)
      ? []
      : [
          bad(
            name,
            'name is neither a standard finalizer name nor is it fully qualified',
            `metadata.finalizers[${i}]`,
          ),
        ],
  )
}

function newFinalizerCauses(next: Meta, old: Meta): Cause[] {
  if (old.deletionTimestamp === undefined) return []
  const added = (next.finalizers ?? []).filter((f) => !(old.finalizers ?? []).includes(f))
  if (added.length === 0) return []
  const list = added.map((f) => JSON.stringify(f)).join(', ')
  return [
    {
      reason: 'FieldValueForbidden',
      message: `Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{${list}}`,
      field: 'metadata.finalizers',
    },
  ]
}

function bad(value: string, why: string, field: string): Cause {
  return {
    reason: 'FieldValueInvalid',
    message: `Invalid value: ${JSON.stringify(value)}: ${why}`,
    field,
  }
}
