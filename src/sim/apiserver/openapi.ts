import type { SimResponse } from '../handler.ts'
import { json, pageNotFound } from './discovery.ts'
import type { Definition } from './types.ts'
import { apiVersionOf } from './types.ts'

/**
 * Just enough of OpenAPI v3 for kubectl to see that the server validates fields itself: without it `kubectl apply`
 * wants the whole schema. Undefined for other paths.
 */
export function openApi(path: string, definitions: readonly Definition[]): SimResponse | undefined {
  if (!path.startsWith('/openapi/')) return undefined
  if (path === '/openapi/v3') return json({ paths: Object.fromEntries(definitions.map(index)) })
  const served = definitions.filter((def) => `/openapi/v3${rootOf(def)}` === path)
  return served.length === 0 ? pageNotFound() : json(document(served))
}

function index(def: Definition) {
  const root = rootOf(def)
  return [root.slice(1), { serverRelativeURL: `/openapi/v3${root}` }]
}

function rootOf(def: Definition): string {
  return def.group === '' ? `/api/${def.version}` : `/apis/${apiVersionOf(def)}`
}

function document(served: readonly Definition[]) {
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: 'simulated' },
    paths: Object.fromEntries(served.map((def) => [pathOf(def), { patch: patchOperation(def) }])),
    components: { schemas: Object.fromEntries(served.flatMap(schemaOf)) },
  }
}

/** What `kubectl explain` shows. Of built-in kinds only how lists merge is known, which explains nothing. */
function schemaOf(def: Definition) {
  const { group, version, kind, custom, schema } = def
  if (!custom) return []
  const name = `${group.split('.').toReversed().join('.')}.${version}.${kind}`
  return [[name, { ...schema, 'x-kubernetes-group-version-kind': [{ group, version, kind }] }]]
}

function pathOf(def: Definition): string {
  return `${rootOf(def)}${def.namespaced ? '/namespaces/{namespace}' : ''}/${def.plural}/{name}`
}

function patchOperation({ group, version, kind }: Definition) {
  const names = ['dryRun', 'fieldManager', 'fieldValidation', 'force']
  return {
    parameters: names.map((name) => ({ name, in: 'query', schema: { type: 'string' } })),
    responses: { 200: { description: 'OK' } },
    'x-kubernetes-group-version-kind': { group, version, kind },
  }
}
