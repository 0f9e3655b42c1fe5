import { badRequest, unprocessable } from './status.ts'
import { isObject, sameJson } from './types.ts'

/** RFC 7396. Shares what it does not change with `target`. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch
  const out: Record<string, unknown> = isObject(target) ? { ...target } : {}
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete out[key]
    else out[key] = mergePatch(out[key], value)
  }
  return out
}

type Operation = { op: string; path: string; from?: string; value?: unknown }

/** RFC 6902. A path that does not exist and a failed test are both 422. */
export function jsonPatch(target: unknown, operations: unknown): unknown {
  if (!Array.isArray(operations))
    throw badRequest(
      'error decoding patch: json: cannot unmarshal object into Go value of type jsonpatch.Patch',
    )
  let document: unknown = structuredClone(target)
  for (const operation of operations as Operation[]) document = applied(document, operation)
  return document
}

function applied(document: unknown, { op, path, from, value }: Operation): unknown {
  switch (op) {
    case 'add':
      return set(document, pointer(path), value, true)
    case 'replace':
      get(document, pointer(path))
      return set(document, pointer(path), value, false)
    case 'remove':
      return remove(document, pointer(path))
    case 'test':
      if (!sameJson(getOrUndefined(document, pointer(path)), value)) throw unprocessable()
      return document
    case 'copy':
      return set(document, pointer(path), structuredClone(get(document, pointer(from ?? ''))), true)
    case 'move': {
      const moved = get(document, pointer(from ?? ''))
      return set(remove(document, pointer(from ?? '')), pointer(path), moved, true)
    }
    default:
      throw unprocessable()
  }
}

function pointer(path: string): string[] {
  if (path === '') return []
  return path
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
}

function child(parent: unknown, key: string): unknown {
  if (Array.isArray(parent)) return parent[Number(key)]
  return isObject(parent) ? parent[key] : undefined
}

function getOrUndefined(document: unknown, path: readonly string[]): unknown {
  return path.reduce(child, document)
}

function get(document: unknown, path: readonly string[]): unknown {
  const value = getOrUndefined(document, path)
  if (value === undefined) throw unprocessable()
  return value
}

function set(document: unknown, path: readonly string[], value: unknown, insert: boolean): unknown {
  if (path.length === 0) return value
  const parent = get(document, path.slice(0, -1))
  const key = path.at(-1)!
  if (Array.isArray(parent)) {
    const index = key === '-' ? parent.length : Number(key)
    if (!Number.isInteger(index) || index < 0 || index > parent.length) throw unprocessable()
    parent.splice(index, insert ? 0 : 1, value)
  } else if (isObject(parent)) (parent as Record<string, unknown>)[key] = value
  else throw unprocessable()
  return document
}

function remove(document: unknown, path: readonly string[]): unknown {
  get(document, path)
  const parent = get(document, path.slice(0, -1))
  const key = path.at(-1)!
  if (Array.isArray(parent)) parent.splice(Number(key), 1)
  else delete (parent as Record<string, unknown>)[key]
  return document
}
