import type { Stored } from './collection.ts'
import { firstFrom } from './collection.ts'
import type { FieldSelector, Predicate } from './selector.ts'
import { fieldSelector, labelSelector } from './selector.ts'
import { badRequest, expired, StatusError } from './status.ts'
import type { Storage } from './storage.ts'
import type { Definition, KubeJson } from './types.ts'
import { keyOf } from './types.ts'

/** What is asked for: a namespace or all, and the two selectors. */
export type Scope = {
  readonly namespace: string | undefined
  readonly labels: Predicate | undefined
  readonly fields: FieldSelector | undefined
}

export function scopeOf(
  def: Definition,
  namespace: string | undefined,
  query: URLSearchParams,
): Scope {
  return {
    namespace,
    labels: labelSelector(query.get('labelSelector') ?? ''),
    fields: fieldSelector(query.get('fieldSelector') ?? '', def),
  }
}

/** Whether the selectors match; the namespace is checked by key. */
export function matches(scope: Scope, object: KubeJson): boolean {
  return (scope.labels?.(object) ?? true) && (scope.fields?.matches(object) ?? true)
}

export function inNamespace(scope: Scope, key: string): boolean {
  return scope.namespace === undefined || key.startsWith(`${scope.namespace}/`)
}

export type Page = {
  readonly items: readonly KubeJson[]
  readonly resourceVersion: string
  readonly continue?: string
  readonly remaining?: number
}

type Token = { readonly v: string; readonly rv: number; readonly start: string }

/** One page of a list. Throws 400, 410 (token or version forgotten), 504 (version of the future). */
export function listPage(
  storage: Storage,
  def: Definition,
  scope: Scope,
  query: URLSearchParams,
): Page {
  const token = query.get('continue') || undefined
  const asked = query.get('resourceVersion') ?? ''
  const limit = Math.max(0, Number(query.get('limit') ?? 0) || 0)
  if (token !== undefined) return nextPage(storage, def, scope, parseToken(token, asked), limit)
  const version = listVersion(storage, asked, query.get('resourceVersionMatch') ?? '', limit)
  const items = storage.collection(def).listAt(version)
  if (version <= storage.compacted && version < storage.version) throw tooOld()
  if (items === undefined) throw tooOld()
  // a list "at least as new as 0" comes from the cache, which knows no pages
  return pageFrom(storage, def, scope, items, '', asked === '0' ? 0 : limit, version)
}

function tooOld(): StatusError {
  return expired('The resourceVersion for the provided list is too old.')
}

function listVersion(storage: Storage, asked: string, match: string, limit: number): number {
  if (asked === '' || asked === '0') return storage.version
  const version = parseVersion(asked)
  if (version > storage.version) throw tooLarge(version, storage.version)
  const exact = match === 'Exact' || (match === '' && limit > 0)
  return exact ? version : storage.version
}

export function parseVersion(text: string): number {
  if (/^\d+$/.test(text)) return Number(text)
  throw badRequest(
    `invalid resource version: resourceVersion: Invalid value: ${JSON.stringify(text)}: strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`,
  )
}

export function tooLarge(asked: number, current: number): StatusError {
  return new StatusError(
    504,
    'Timeout',
    `Timeout: Too large resource version: ${asked}, current: ${current}`,
    {
      causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
      retryAfterSeconds: 1,
    },
    { retryAfterSeconds: 1 },
  )
}

function parseToken(text: string, resourceVersion: string): Token {
  const token = decodeToken(text)
  if (resourceVersion !== '' && resourceVersion !== '0')
    throw badRequest('specifying resource version is not allowed when using continue')
  return token
}

function decodeToken(text: string): Token {
  try {
    const token = JSON.parse(Buffer.from(text, 'base64url').toString('utf8')) as Token
    if (typeof token.rv === 'number' && typeof token.start === 'string') return token
  } catch {
    // answered below, as any other token that is not ours
  }
  throw badRequest('invalid continue token: continue key is not valid: invalid character')
}

function encodeToken(rv: number, start: string): string {
  return Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', rv, start })).toString('base64url')
}

function nextPage(
  storage: Storage,
  def: Definition,
  scope: Scope,
  token: Token,
  limit: number,
): Page {
  if (token.rv === -1) {
    const items = storage.collection(def).list()
    return pageFrom(storage, def, scope, items, token.start, limit, storage.version)
  }
  const items = token.rv < storage.compacted ? undefined : storage.collection(def).listAt(token.rv)
  if (items === undefined)
    throw expired(
      'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.',
      { continue: encodeToken(-1, token.start) },
    )
  return pageFrom(storage, def, scope, items, token.start, limit, token.rv)
}

function pageFrom(
  storage: Storage,
  def: Definition,
  scope: Scope,
  all: readonly Stored[],
  start: string,
  limit: number,
  version: number,
): Page {
  const named = byName(def, scope)
  const prefix = named ?? (scope.namespace === undefined ? '' : `${scope.namespace}/`)
  let at = firstFrom(all, start > prefix ? start : prefix)
  const items: KubeJson[] = []
  for (; at < all.length; at++) {
    const { key, object } = all[at]!
    if (!key.startsWith(prefix)) break
    if (limit > 0 && items.length === limit && matches(scope, object)) break
    if (matches(scope, object)) items.push(object)
  }
  const resourceVersion = String(version)
  const more = at < all.length && all[at]!.key.startsWith(prefix)
  if (!more || named !== undefined) return { items, resourceVersion }
  storage.collection(def).keep(version, all)
  const selected = scope.labels !== undefined || scope.fields !== undefined
  return {
    items,
    resourceVersion,
    continue: encodeToken(version, all[at]!.key),
    // a selector's remainder is not known without reading it all
    ...(selected ? {} : { remaining: endOf(all, prefix) - at }),
  }
}

/** `metadata.name=x` is one key; the real server scans no list for it either. */
function byName(def: Definition, scope: Scope): string | undefined {
  const name = scope.fields?.name
  if (name === undefined || (def.namespaced && scope.namespace === undefined)) return undefined
  return keyOf(scope.namespace, name)
}

function endOf(all: readonly Stored[], prefix: string): number {
  return prefix === '' ? all.length : firstFrom(all, `${prefix}\uffff`)
}
