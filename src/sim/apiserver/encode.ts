import type { Page } from './read.ts'
import type { Definition, KubeJson } from './types.ts'
import { apiVersionOf } from './types.ts'

/** The body of a list; items of built-in kinds carry no kind of their own. */
export function encodeList(def: Definition, page: Page): string {
  const items = page.items.map((o) => JSON.stringify(def.custom ? o : bare(o)))
  const head = JSON.stringify({
    kind: `${def.kind}List`,
    apiVersion: apiVersionOf(def),
    metadata: listMeta(page),
  })
  return `${head.slice(0, -1)},"items":[${items.join(',')}]}`
}

/** JSON leaves out what is undefined; cheaper than copying without the two. */
function bare(object: KubeJson) {
  return { ...object, kind: undefined, apiVersion: undefined }
}

export function listMeta(page: Page) {
  return {
    resourceVersion: page.resourceVersion,
    ...(page.continue === undefined ? {} : { continue: page.continue }),
    ...(page.remaining === undefined ? {} : { remainingItemCount: page.remaining }),
  }
}

export type Form = 'object' | 'table' | 'metadata'

/** What the Accept header wants; undefined for something that is not JSON (406). */
export function acceptedForm(accept: string | undefined): Form | undefined {
  if (accept === undefined || accept === '') return 'object'
  for (const option of accept.split(',')) {
    if (/application\/json.*as=Table/.test(option)) return 'table'
    if (/application\/json.*as=PartialObjectMetadata/.test(option)) return 'metadata'
    if (/application\/json|\*\/\*|application\/\*/.test(option)) return 'object'
  }
  return undefined
}

export function metadataOnly(object: KubeJson) {
  return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object.metadata }
}
