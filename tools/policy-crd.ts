import { dump } from 'js-yaml'
import * as z from 'zod'
import { DURATION, formatDuration } from '../src/api/duration.ts'
import { durationBounds } from '../src/api/fields.ts'
import type { DurationBounds } from '../src/api/fields.ts'
import { unwrapped } from '../src/api/keys.ts'
import { fieldDocOf } from '../src/api/policy-fields.ts'
import type { Rule } from '../src/api/policy-fields.ts'
import { policySpec } from '../src/api/policy-schema.ts'
import type { JsonSchema } from './chart-values.ts'

const BEGIN = '            # made from src/api/policy-schema.ts by "npm run generate"\n'
const END = '            # end of what is made\n'

/** Of schemas that take the absence of a value. */
const LEFT_OUT: readonly string[] = ['optional', 'prefault']

/** crds/couchestor.io_storagepolicies.yaml with `spec` as it is declared; what is around it stays. */
export function policyCrd(manifest: string): string {
  const [before, rest] = manifest.split(BEGIN)
  const after = rest?.split(END)[1]
  if (before === undefined || after === undefined)
    throw new Error(`crds/ has no "${BEGIN.trim()}" or no "${END.trim()}" around spec`)
  const yaml = dump({ spec: crdSchema(policySpec, '') }, { noRefs: true, lineWidth: 140 })
  const indented = yaml.replaceAll(/^(?=.)/gm, ' '.repeat(12))
  return `${before}${BEGIN}${indented}${END}${after}`
}

/** The schema of a field for a CRD; `path` is how rules call it in their messages. */
function crdSchema(schema: z.core.$ZodType, path: string): JsonSchema {
  const inner = unwrapped(schema)
  const said = { ...fieldDocOf(inner), ...fieldDocOf(schema) }
  const crd = { ...fieldDocOf(inner)?.crd, ...fieldDocOf(schema)?.crd }
  const own = shapeOf(inner, path)
  const rules = [...(own.rules ?? []), ...(said.rules ?? [])]
  return {
    type: own.type,
    ...(said.description !== undefined && { description: said.description }),
    ...own.schema,
    ...crd,
    ...(rules.length > 0 && { 'x-kubernetes-validations': rules }),
    ...own.children,
  }
}

type Shape = {
  readonly type: string
  readonly schema?: JsonSchema
  readonly rules?: readonly Rule[]
  readonly children?: JsonSchema
}

function shapeOf(schema: z.core.$ZodType, path: string): Shape {
  const { def } = schema._zod
  if (def.type === 'object') return objectOf((def as z.core.$ZodObjectDef).shape, path)
  if (def.type === 'array') {
    const { element } = def as z.core.$ZodArrayDef
    return { type: 'array', children: { items: crdSchema(element, `${path}[]`) } }
  }
  if (def.type === 'record') {
    const { valueType } = def as z.core.$ZodRecordDef
    return { type: 'object', children: { additionalProperties: crdSchema(valueType, path) } }
  }
  return leafOf(schema, path)
}

function objectOf(shape: z.core.$ZodShape, path: string): Shape {
  const children = Object.entries(shape)
  const needed = children.filter(([, { _zod }]) => !LEFT_OUT.includes(_zod.def.type))
  const properties = children.map(
    ([name, child]) => [name, crdSchema(child, path === '' ? name : `${path}.${name}`)] as const,
  )
  return {
    type: 'object',
    ...(needed.length > 0 && { schema: { required: needed.map(([name]) => name) } }),
    children: { properties: Object.fromEntries(properties) },
  }
}

/** A pattern becomes a rule, whose message can name field, value and fix. */
function leafOf(leaf: z.core.$ZodType, path: string): Shape {
  const { type = 'string', pattern, ...bounds } = z.globalRegistry.get(leaf) as JsonSchema
  const between = durationBounds(leaf)
  if (between)
    return {
      type: 'string',
      schema: { minLength: 2, maxLength: 16 },
      rules: durationRules(path, between),
    }
  if (pattern !== undefined)
    return {
      type: 'string',
      schema: { minLength: 1, ...bounds },
      rules: [
        {
          rule: `self.matches('${pattern as string}')`,
          messageExpression: `'${path} "' + self + '" cannot be used: ${fixOf(leaf)}'`,
        },
      ],
    }
  const format = type === 'integer' ? { format: 'int32' } : {}
  return { type: type as string, schema: { ...format, ...bounds } }
}

function durationRules(path: string, { minMs, maxMs }: DurationBounds): readonly Rule[] {
  const matches = `self.matches('${DURATION.source}')`
  const [min, max] = [formatDuration(minMs), formatDuration(maxMs)]
  return [
    {
      rule: matches,
      messageExpression: `'${path} is "' + self + '", which is no duration: write hours, minutes or seconds, for example 90m, 1h30m or 168h (days as hours)'`,
    },
    {
      rule: `!${matches} || (duration(self) >= duration('${min}') && duration(self) <= duration('${max}'))`,
      messageExpression: `'${path} is ' + self + ', which is out of range: give ${min} to ${max}'`,
    },
  ]
}

/** What the check itself answers to a value that does not fit. */
function fixOf(leaf: z.core.$ZodType): string {
  const fix = z.safeParse(leaf, undefined).error?.issues[0]?.message
  if (fix === undefined) throw new Error('a field with a pattern takes anything')
  return fix
}
