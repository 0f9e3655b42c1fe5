import { table } from './reasons-reference.ts'

type Schema = {
  readonly type: string
  readonly format?: string
  readonly description?: string
  readonly enum?: readonly string[]
  readonly minimum?: number
  readonly maximum?: number
  readonly maxLength?: number
  readonly minItems?: number
  readonly maxItems?: number
  readonly required?: readonly string[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly items?: Schema
  readonly additionalProperties?: Schema
  readonly 'x-kubernetes-validations'?: readonly { message?: string; messageExpression?: string }[]
}

/** The part of a CustomResourceDefinition that the reference shows. */
export type Crd = {
  readonly spec: {
    readonly scope: string
    readonly names: { readonly kind: string; readonly shortNames?: readonly string[] }
    readonly versions: readonly [
      { readonly name: string; readonly schema: { readonly openAPIV3Schema: Schema } },
    ]
  }
}

/** docs/reference-api.md, made from the CRDs: every field with type, bounds and meaning. */
export function apiReference(crds: readonly Crd[]): string {
  const lines = [
    '# API reference',
    '',
    'Every field of `couchestor.io/v1alpha1`. Made from `crds/` by `npm run generate`; `kubectl explain` shows the same.',
    'Durations are Go durations with the units h, m, s and ms, such as `30m`, `1h30m` or `168h`.',
    '',
    ...crds.flatMap(kindOf),
  ]
  return `${lines.join('\n').trimEnd()}\n`
}

function kindOf({ spec }: Crd): string[] {
  const { kind, shortNames = [] } = spec.names
  const root = spec.versions[0].schema.openAPIV3Schema
  const short = shortNames.length > 0 ? `, short name \`${shortNames.join('`, `')}\`` : ''
  const sections = ['spec', 'status'].flatMap((name) => {
    const schema = root.properties?.[name]
    return schema ? sectionOf(name, schema) : []
  })
  return [`## ${kind}`, '', `${root.description ?? ''} ${spec.scope}${short}.`, '', ...sections]
}

function sectionOf(name: string, schema: Schema): string[] {
  const rows = fieldsOf(schema, '').map((f) => [`\`${f.path}\``, f.type, f.meaning])
  return [
    `### ${name}`,
    '',
    schema.description ?? '',
    '',
    ...table(['Field', 'Type', 'Meaning'], rows),
  ]
}

type Field = { readonly path: string; readonly type: string; readonly meaning: string }

function fieldsOf(schema: Schema, prefix: string): Field[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const path = `${prefix}${name}`
    const required = schema.required?.includes(name) ? ' Required.' : ''
    const own = { path, type: typeOf(field), meaning: `${field.description ?? ''}${required}` }
    const inner = field.items ? `${path}[].` : `${path}.`
    return [own, ...fieldsOf(field.items ?? field, inner)]
  })
}

function typeOf(schema: Schema): string {
  if (schema.enum) return schema.enum.map((value) => `\`${value}\``).join(', ')
  if (schema.items)
    return `list of ${schema.items.type}${bounds(schema.minItems ?? 0, schema.maxItems)}`
  if (schema.additionalProperties) return 'map'
  if (schema.type === 'string' && isDuration(schema)) return 'duration'
  return `${schema.type}${bounds(schema.minimum, schema.maximum)}`
}

function bounds(min: number | undefined, max: number | undefined): string {
  if (max === undefined) return min === undefined ? '' : `, ${min} or more`
  return `, ${min ?? 0} to ${max}`
}

function isDuration(schema: Schema): boolean {
  const rules = schema['x-kubernetes-validations'] ?? []
  return rules.some((rule) => rule.messageExpression?.includes('is no duration'))
}
