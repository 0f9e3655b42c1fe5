export type Schema = Readonly<Record<string, unknown>>

/** What means nothing for what the API server accepts, keeps or refuses. */
const NO_MATTER = new Set(['description', 'example', 'externalDocs', 'title'])

/** The path of the first place where two schemas differ in what they mean; undefined = they agree. */
export function firstDifference(ours: unknown, theirs: unknown, path = ''): string | undefined {
  if (Array.isArray(ours) && Array.isArray(theirs)) return inLists(ours, theirs, path)
  if (isObject(ours) && isObject(theirs)) return inObjects(ours, theirs, path)
  return ours === theirs
    ? undefined
    : `${path || 'the schema'}: ${text(theirs)} instead of ${text(ours)}`
}

function inObjects(ours: Schema, theirs: Schema, path: string): string | undefined {
  const keys = [...new Set([...Object.keys(ours), ...Object.keys(theirs)])]
  for (const key of keys) {
    // a field of our own may be called "description"; the keyword is a text
    if (NO_MATTER.has(key) && !isObject(ours[key] ?? theirs[key])) continue
    const at = place(path, key)
    if (!(key in theirs)) return `${at}: missing`
    if (!(key in ours)) return `${at}: unknown to this version`
    const found = firstDifference(ours[key], theirs[key], at)
    if (found !== undefined) return found
  }
  return undefined
}

function inLists(ours: unknown[], theirs: unknown[], path: string): string | undefined {
  if (ours.length !== theirs.length)
    return `${path}: ${theirs.length} entries instead of ${ours.length}`
  for (const [i, entry] of ours.entries()) {
    const found = firstDifference(entry, theirs[i], `${path}[${i}]`)
    if (found !== undefined) return found
  }
  return undefined
}

/** As a person writes the field: without the `properties` and `items` of the schema in between. */
function place(path: string, key: string): string {
  if (key === 'properties') return path
  if (key === 'items') return `${path}[]`
  return path === '' ? key : `${path}.${key}`
}

function isObject(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function text(value: unknown): string {
  return (JSON.stringify(value) ?? 'nothing').slice(0, 80)
}
