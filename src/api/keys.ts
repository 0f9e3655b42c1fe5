import * as z from 'zod'

/** What a key of config.yaml says about itself, beside its check. */
export type KeyDoc = {
  /** One or two sentences for docs/reference-config.md. */
  readonly meaning?: string
  /** Shown where the default is none of ours: it comes from elsewhere, or is found out. */
  readonly shownDefault?: string
  /**
   * The key is read and checked, but switches nothing on; the line that says so, reported at start where it is given.
   * `names` are those of the tiers that give it.
   */
  readonly noted?: string | ((value: string, names: readonly string[]) => string)
}

const docs = z.registry<KeyDoc>()

/** Undefined for what was not made by `key` or has nothing to say. */
export function docOf(schema: z.core.$ZodType): KeyDoc | undefined {
  return docs.get(schema)
}

/** A key that may be left out; without a default it is undefined then. `default` is written as in the file. */
export function key<T extends z.ZodType>(
  check: T,
  doc: KeyDoc & { readonly default: z.input<T> },
): z.ZodPrefault<T>
export function key<T extends z.ZodType>(check: T, doc?: KeyDoc): z.ZodOptional<T>
export function key(check: z.ZodType, doc: KeyDoc & { readonly default?: unknown } = {}) {
  const { default: fallback, ...said } = doc
  const schema = fallback === undefined ? check.optional() : check.prefault(fallback)
  docs.add(schema, said)
  return schema
}

/** A key that its section cannot do without. */
export function needed<T extends z.ZodType>(check: T, doc: KeyDoc): T {
  docs.add(check, doc)
  return check
}

/** A section that is empty, as `cache:` with all lines below commented out, has all its defaults. */
export function section<T extends z.ZodRawShape>(shape: T) {
  return z.preprocess(emptyIfNull<z.input<z.ZodObject<T, z.core.$strict>>>, z.strictObject(shape))
}

/** Sections of one kind by a name of one's own. */
export function named<T extends z.ZodType>(inner: T) {
  return z.preprocess(
    emptyIfNull<z.input<z.ZodRecord<z.ZodString, T>>>,
    z.record(z.string(), inner),
  )
}

function emptyIfNull<T>(value: T | null): T {
  return value ?? ({} as T)
}

/** The object, record or leaf inside of what says that it may be left out, or how it is read. */
export function unwrapped(schema: z.core.$ZodType): z.core.$ZodType {
  const { def } = schema._zod
  if (def.type === 'optional' || def.type === 'prefault')
    return unwrapped((def as z.core.$ZodOptionalDef).innerType)
  if (def.type !== 'pipe') return schema
  const { in: read, out } = def as z.core.$ZodPipeDef
  return unwrapped(out._zod.def.type === 'transform' ? read : out)
}

/** A key with its path, such as `tiers.<name>.storage_class`, where `<name>` stands for a name of one's own. */
export type KeyEntry = { readonly path: string; readonly schema: z.core.$ZodType }

/** Every key below `schema`, in the order of their declaration. A map of plain values is one key. */
export function keyEntries(schema: z.core.$ZodType, path = ''): KeyEntry[] {
  const { def } = unwrapped(schema)._zod
  if (def.type === 'record') {
    const { valueType } = def as z.core.$ZodRecordDef
    const named = join(path, '<name>')
    return isSection(valueType) ? keyEntries(valueType, named) : [{ path: named, schema }]
  }
  if (def.type !== 'object') return [{ path, schema }]
  const children = Object.entries((def as z.core.$ZodObjectDef).shape)
  return children.flatMap(([name, child]) => keyEntries(child, join(path, name)))
}

/** Every key as a path. */
export function keyPaths(schema: z.core.$ZodType): string[] {
  return keyEntries(schema).map((e) => e.path)
}

function isSection(schema: z.core.$ZodType): boolean {
  return unwrapped(schema)._zod.def.type === 'object'
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`
}
