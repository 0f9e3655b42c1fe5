import * as z from 'zod'
import { configSchema } from '../src/api/config-schema.ts'
import { unwrapped } from '../src/api/keys.ts'
import type { JsonSchema, ValueDoc } from './chart-values.ts'

/** Parts of Kubernetes' own types whose mistyped fields the API server would drop without a word. */
const DEFINITIONS: Readonly<Record<string, JsonSchema>> = {
  open: { type: 'object' },
  openOrNull: { type: ['object', 'null'] },
  nameOrEmpty: { type: 'string', pattern: '^([a-z0-9]([-a-z0-9]*[a-z0-9])?)?$', maxLength: 40 },
  urlOrEmpty: { type: 'string', pattern: '^(https?://[^ ]+)?$' },
  proxyOrEmpty: { type: 'string', pattern: '^((https?|socks5h?)://[^ ]+)?$' },
  durationOrEmpty: { type: 'string', pattern: '^([0-9]+(ms|s|m|h))*$' },
  deploymentStrategy: strategyOf('RollingUpdate', 'Recreate'),
  daemonSetStrategy: strategyOf('RollingUpdate', 'OnDelete'),
  probe: {
    ...closed({
      ...eachOf({ type: ['integer', 'null'], minimum: 0 }, [
        'initialDelaySeconds',
        'periodSeconds',
        'timeoutSeconds',
        'successThreshold',
        'failureThreshold',
        'terminationGracePeriodSeconds',
      ]),
      ...eachOf({ type: ['object', 'null'] }, ['exec', 'httpGet', 'tcpSocket', 'grpc']),
    }),
    type: ['object', 'null'],
  },
  hostAlias: closed(
    { ip: { type: 'string' }, hostnames: { type: 'array', items: { type: 'string' } } },
    ['ip'],
  ),
  dnsConfig: closed(eachOf({ type: 'array' }, ['nameservers', 'searches', 'options'])),
  alert: closed({
    enabled: { type: 'boolean' },
    for: { type: 'string', pattern: '^([0-9]+(ms|s|m|h|d))+$' },
    labels: { $ref: '#/definitions/strings' },
  }),
  strings: { type: 'object', additionalProperties: { type: 'string' } },
  port: { type: 'integer', minimum: 1, maximum: 65_535 },
  variable: { type: 'string', pattern: '^[A-Z_][A-Z0-9_]*$' },
  named: closed({ name: { type: 'string', minLength: 1 } }, ['name']),
  env: closed(
    {
      name: { type: 'string', minLength: 1 },
      value: { type: 'string' },
      valueFrom: { type: 'object' },
    },
    ['name'],
  ),
  toleration: closed({
    key: { type: 'string' },
    operator: { enum: ['Exists', 'Equal', 'Lt', 'Gt'] },
    value: { type: 'string' },
    effect: { enum: ['', 'NoSchedule', 'PreferNoSchedule', 'NoExecute'] },
    tolerationSeconds: { type: 'integer' },
  }),
  ceilometer: closed({
    endpoint: { type: 'string' },
    metrics_mapping: { $ref: '#/definitions/strings' },
    aggregation_period: { type: ['string', 'integer'] },
    gnocchi: closed({ endpoint: { type: 'string' }, archive_policy: { type: 'string' } }),
  }),
  quantities: { type: 'object', additionalProperties: { type: ['string', 'number'] } },
  resources: closed({
    requests: { $ref: '#/definitions/quantities' },
    limits: { $ref: '#/definitions/quantities' },
    claims: { type: 'array', items: { type: 'object' } },
  }),
}

/**
 * values.schema.json: types from the defaults and the `@schema` lines of values.yaml, config.yaml from the schema that
 * the controller itself reads it with, and policies from the CRD. No object takes a key that nobody reads.
 */
export function valuesSchema(docs: readonly ValueDoc[], policySpec: JsonSchema): string {
  const schema = {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Values of the chart couchestor',
    ...objectOf('', docs),
    definitions: { ...DEFINITIONS, config: fromZod(configSchema), policy: fromCrd(policySpec) },
  }
  return `${JSON.stringify(schema, null, 2)}\n`
}

function closed(properties: Readonly<Record<string, JsonSchema>>, required?: string[]): JsonSchema {
  return { type: 'object', additionalProperties: false, properties, ...(required && { required }) }
}

function eachOf(schema: JsonSchema, names: readonly string[]): Record<string, JsonSchema> {
  return Object.fromEntries(names.map((name) => [name, schema]))
}

function strategyOf(...types: readonly string[]): JsonSchema {
  const amount = { type: ['string', 'integer', 'null'] }
  const rollingUpdate = closed(eachOf(amount, ['maxSurge', 'maxUnavailable']))
  return closed({
    type: { enum: types },
    rollingUpdate: { ...rollingUpdate, type: ['object', 'null'] },
  })
}

function objectOf(prefix: string, docs: readonly ValueDoc[]): JsonSchema {
  const depth = prefix === '' ? 1 : prefix.split('.').length + 1
  const children = docs.filter(
    (d) => (prefix === '' || d.path.startsWith(`${prefix}.`)) && d.path.split('.').length === depth,
  )
  const properties = children.map((d) => [d.path.split('.').at(-1) ?? '', propertyOf(d, docs)])
  const needed = children.filter((d) => isNeeded(d)).map((d) => d.path.split('.').at(-1) ?? '')
  return closed(
    Object.fromEntries(properties) as Record<string, JsonSchema>,
    needed.length === 0 ? undefined : needed,
  )
}

/**
 * Null takes a value out before the schema sees it. Lists, texts and open maps do without; a section does not, nor a name
 * that must not be empty, and the templates would stop at it with a pointer that is nil.
 */
function isNeeded({ path, value, schema }: ValueDoc): boolean {
  if (path === 'global') return false
  if (schema['$ref'] === '#/definitions/config') return true
  if ('$ref' in schema || 'additionalProperties' in schema) return false
  // a switch that is on by default would be off without a word
  if (typeof value === 'boolean') return true
  // so would one of several choices that says "Required" or "Auto"
  if ('enum' in schema) return value !== ''
  if (Number.isInteger(value)) return Number(schema['minimum'] ?? 0) > 0
  if (Array.isArray(value)) return Number(schema['minItems'] ?? 0) > 0
  if (typeof value === 'string') return Number(schema['minLength'] ?? 0) > 0
  return typeof value === 'object' && value !== null
}

function propertyOf(doc: ValueDoc, docs: readonly ValueDoc[]): JsonSchema {
  // draft 7 ignores everything beside a $ref
  if ('$ref' in doc.schema) return doc.schema
  const description = doc.meaning === '' ? {} : { description: doc.meaning }
  return { ...description, ...inferred(doc, docs), ...doc.schema }
}

function inferred(doc: ValueDoc, docs: readonly ValueDoc[]): JsonSchema {
  const { value, path, schema } = doc
  if (Array.isArray(value)) return { type: 'array' }
  if (typeof value === 'object' && value !== null)
    return typeof schema['additionalProperties'] === 'object'
      ? { type: 'object' }
      : objectOf(path, docs)
  if ('enum' in schema) return {}
  return { type: Number.isInteger(value) ? 'integer' : typeof value }
}

/** A section of config.yaml may be empty, or null where only comments are left of it. */
function fromZod(schema: z.core.$ZodType): JsonSchema {
  const inner = unwrapped(schema)
  const { def } = inner._zod
  if (def.type === 'record')
    return {
      type: 'object',
      additionalProperties: fromZod((def as z.core.$ZodRecordDef).valueType),
    }
  if (def.type === 'object') {
    const shape = Object.entries((def as z.core.$ZodObjectDef).shape)
    return closed(Object.fromEntries(shape.map(([key, child]) => [key, fromZod(child)])))
  }
  return z.globalRegistry.get(inner) ?? {}
}

const KEPT = [
  'type',
  'enum',
  'minimum',
  'maximum',
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
  'maxProperties',
  'required',
]

/** The schema of a CRD as JSON Schema. CEL stays with the API server; unknown keys, which it would drop, are refused. */
function fromCrd(schema: JsonSchema): JsonSchema {
  const kept = Object.fromEntries(Object.entries(schema).filter(([key]) => KEPT.includes(key)))
  const { items, properties, additionalProperties } = schema as Record<string, JsonSchema>
  return {
    ...kept,
    ...(items && { items: fromCrd(items) }),
    ...(additionalProperties && { additionalProperties: fromCrd(additionalProperties) }),
    ...(properties && {
      additionalProperties: false,
      properties: Object.fromEntries(
        Object.entries(properties).map(([key, child]) => [key, fromCrd(child as JsonSchema)]),
      ),
    }),
  }
}
