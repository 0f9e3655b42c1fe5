import { load } from 'js-yaml'

export type JsonSchema = { readonly [key: string]: unknown }

/** A key of values.yaml: what the comment above it says, and what is there when nobody says anything. */
export type ValueDoc = {
  /** `controller.replicas` */
  readonly path: string
  /** '' when there is no comment. */
  readonly meaning: string
  /** Of the `@schema` line; {} without one. */
  readonly schema: JsonSchema
  readonly value: unknown
}

/**
 * Reads values.yaml with its comments, in the order of the file. A key's comment is the block right above it, without
 * a blank line between. Understands what that file uses: two blanks per level, keys without quotes.
 * Throws when an `@schema` line is no YAML, or a key is not found again.
 */
export function readValues(text: string): readonly ValueDoc[] {
  const values = load(text)
  const docs: ValueDoc[] = []
  const path: string[] = []
  let comment: string[] = []
  for (const line of text.split('\n')) {
    const [, indent, key] = /^( *)([A-Za-z_][\w.-]*):(?: |$)/.exec(line) ?? []
    const said = /^ *# ?(.*)$/.exec(line)?.[1]
    if (said !== undefined) comment.push(said)
    else if (indent !== undefined && key !== undefined) {
      path.length = indent.length / 2
      path.push(key)
      docs.push({ path: path.join('.'), ...commentOf(comment), value: valueAt(values, path) })
      comment = []
    } else comment = []
  }
  return docs
}

function commentOf(lines: readonly string[]): { meaning: string; schema: JsonSchema } {
  const schemas = lines.filter((l) => l.startsWith('@schema '))
  const schema = schemas.map((l) => load(l.slice('@schema '.length)) as JsonSchema)
  const meaning = lines.filter((l) => !l.startsWith('@')).join(' ')
  return { meaning, schema: Object.assign({}, ...schema) as JsonSchema }
}

function valueAt(values: unknown, path: readonly string[]): unknown {
  let at = values
  for (const key of path) {
    if (typeof at !== 'object' || at === null || !(key in at))
      throw new Error(
        `values.yaml: ${path.join('.')} is not found again; are there two blanks per level?`,
      )
    at = (at as Record<string, unknown>)[key]
  }
  return at
}
