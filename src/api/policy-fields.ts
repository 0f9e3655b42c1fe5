import * as z from 'zod'

/** A rule in CEL that the API server asks, with what it answers when the rule does not hold. */
export type Rule = {
  readonly rule: string
  readonly message?: string
  /** CEL too; instead of `message`. */
  readonly messageExpression?: string
  readonly fieldPath?: string
}

/** What the CRD says about a field beside its check. */
export type FieldDoc = {
  /** For `kubectl explain` and docs/reference-api.md, without the default. */
  readonly description?: string
  readonly rules?: readonly Rule[]
  /** Further keywords of the CRD's schema, such as `format`. */
  readonly crd?: Readonly<Record<string, unknown>>
}

type Described = string | ((fallback: string) => string)

const docs = z.registry<FieldDoc>()

/** Undefined for what says nothing beside its check. */
export function fieldDocOf(schema: z.core.$ZodType): FieldDoc | undefined {
  return docs.get(schema)
}

/**
 * A field that may be left out. Its default is the one that `POLICY_DEFAULTS` has, and ends the description, as in "30m
 * unless given", unless that is a function of it.
 */
export function field<T extends z.ZodType>(
  check: T,
  description: Described,
  doc: Omit<FieldDoc, 'description'> & { readonly default: z.input<T> },
): z.ZodPrefault<T>
export function field<T extends z.ZodType>(
  check: T,
  description: Described,
  doc?: Omit<FieldDoc, 'description'>,
): z.ZodOptional<T>
export function field(
  check: z.ZodType,
  description: Described,
  doc: Omit<FieldDoc, 'description'> & { readonly default?: string | number | boolean } = {},
) {
  const { default: fallback, ...said } = doc
  const schema = fallback === undefined ? check.optional() : check.prefault(fallback)
  docs.add(schema, { ...said, description: withDefault(description, fallback) })
  return schema
}

/** A field that must be given. */
export function required<T extends z.ZodType>(
  check: T,
  description: string,
  doc?: Omit<FieldDoc, 'description'>,
): T {
  docs.add(check, { ...docs.get(check), ...doc, description })
  return check
}

/** A part of the spec that has its defaults when it is left out. */
export function group<T extends z.ZodRawShape>(
  description: string,
  shape: T,
  doc?: Omit<FieldDoc, 'description'>,
) {
  const inner = fields(shape)
  // that nothing in it must be given is for the declaration to ensure: POLICY_DEFAULTS would throw
  const schema = inner.prefault({} as z.input<typeof inner>)
  docs.add(schema, { ...doc, description })
  return schema
}

/** A mapping. Fields that a newer version added are kept, but the type knows the declared ones only. */
export function fields<T extends z.ZodRawShape>(shape: T, doc?: FieldDoc) {
  const schema = z.looseObject(shape) as unknown as z.ZodObject<T, z.core.$strip>
  if (doc) docs.add(schema, doc)
  return schema
}

type ListOf = {
  readonly min?: number
  readonly max: number
  /** What to write instead of too few. */
  readonly tooFew?: string
} & ({ readonly type: 'atomic' | 'set' } | { readonly key: string })

/** A list; what makes its entries differ is their value (`set`) or one of their keys. `atomic` ones change as a whole. */
export function list<T extends z.ZodType>(item: T, of: ListOf) {
  const { min = 0, max, tooFew = `list at least ${min}` } = of
  const schema = z
    .array(item)
    .min(min, { error: tooFew })
    .max(max, { error: `list at most ${max}` })
  const kind = 'key' in of ? 'map' : of.type
  docs.add(schema, {
    crd: {
      ...(min > 0 && { minItems: min }),
      maxItems: max,
      'x-kubernetes-list-type': kind,
      ...('key' in of && { 'x-kubernetes-list-map-keys': [of.key] }),
    },
  })
  return schema
}

function withDefault(
  description: Described,
  fallback: string | number | boolean | undefined,
): string {
  if (typeof description === 'function') return description(String(fallback))
  return fallback === undefined ? description : `${description} ${String(fallback)} unless given.`
}
