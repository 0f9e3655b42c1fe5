import type * as z from 'zod'
import { durationBounds } from './fields.ts'
import type { Milliseconds } from './fields.ts'
import { unwrapped } from './keys.ts'

/** What a schema with keys like `query_timeout: 30s` gives, as `queryTimeoutMs: 30000`. Names of one's own stay. */
export type CamelCased<V> = V extends Milliseconds
  ? number
  : V extends object
    ? string extends keyof V
      ? Readonly<Record<string, CamelCased<V[keyof V]>>>
      : { readonly [K in keyof V as NameOf<K & string, V[K]>]: CamelCased<V[K]> }
    : V

type NameOf<K extends string, V> = NonNullable<V> extends Milliseconds ? `${Camel<K>}Ms` : Camel<K>
type Camel<S extends string> = S extends `${infer A}_${infer B}` ? `${A}${Capitalize<Camel<B>>}` : S

/** `value` is what `schema` gave. A key without a value is left out. */
export function camelCased<T extends z.ZodType>(schema: T, value: z.output<T>) {
  return convert(schema, value) as CamelCased<z.output<T>>
}

/** The name of a key in what `camelCased` gives. */
export function camelName(name: string, schema: z.core.$ZodType): string {
  const camel = name.replaceAll(/_(.)/g, (_, letter: string) => letter.toUpperCase())
  return durationBounds(unwrapped(schema)) ? `${camel}Ms` : camel
}

function convert(schema: z.core.$ZodType, value: unknown): unknown {
  const { def } = unwrapped(schema)._zod
  if (def.type === 'record') {
    const { valueType } = def as z.core.$ZodRecordDef
    return fromEntries(value, (name, v) => [name, convert(valueType, v)])
  }
  if (def.type !== 'object') return value
  const { shape } = def as z.core.$ZodObjectDef
  return fromEntries(value, (name, v) => [camelName(name, shape[name]!), convert(shape[name]!, v)])
}

function fromEntries(value: unknown, entry: (name: string, value: unknown) => [string, unknown]) {
  const given = Object.entries(value as object).filter(([, v]) => v !== undefined)
  return Object.fromEntries(given.map(([name, v]) => entry(name, v)))
}
