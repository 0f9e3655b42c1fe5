import type { SimResponse } from '../handler.ts'
import type { Definition } from './types.ts'
import { apiVersionOf } from './types.ts'

const VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch']

/** `/version` of Kubernetes 1.`minor`. */
function versionOf(minor: number) {
  return {
    major: '1',
    minor: String(minor),
    gitVersion: `v1.${minor}.3`,
    gitCommit: 'simulated',
    gitTreeState: '',
    buildDate: '1970-01-01T00:00:00Z',
    goVersion: '',
    compiler: '',
    platform: 'simulated/any',
  }
}

/** Answers for the paths that are about the server itself; undefined for all others. */
export function discovery(
  path: string,
  definitions: readonly Definition[],
  minor: number,
): SimResponse | undefined {
  if (/^\/(healthz|livez|readyz)(\/.*)?$/.test(path)) return text(200, 'ok')
  if (path === '/version') return json(versionOf(minor))
  if (path === '/api')
    return json({ kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [] })
  if (path === '/apis')
    return json({ kind: 'APIGroupList', apiVersion: 'v1', groups: groups(definitions) })
  const group = /^\/apis\/([^/]+)$/.exec(path)?.[1]
  if (group !== undefined) {
    const found = groups(definitions).find((g) => g.name === group)
    return found === undefined
      ? pageNotFound()
      : json({ kind: 'APIGroup', apiVersion: 'v1', ...found })
  }
  const version = /^\/(?:api|apis\/([^/]+))\/(v[^/]+)$/.exec(path)
  return version ? resources(version[1] ?? '', version[2]!, definitions) : undefined
}

function resources(
  group: string,
  version: string,
  definitions: readonly Definition[],
): SimResponse {
  const served = definitions.filter((d) => d.group === group && d.version === version)
  if (group === 'authorization.k8s.io' && version === 'v1')
    return json(resourceList(`${group}/v1`, [REVIEW]))
  if (served.length === 0) return pageNotFound()
  return json(resourceList(apiVersionOf(served[0]!), served.flatMap(describe)))
}

const REVIEW = {
  name: 'selfsubjectaccessreviews',
  singularName: 'selfsubjectaccessreview',
  namespaced: false,
  kind: 'SelfSubjectAccessReview',
  verbs: ['create'],
}

function resourceList(groupVersion: string, list: readonly unknown[]) {
  return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion, resources: list }
}

function describe(def: Definition) {
  const { plural, singular, namespaced, kind, shortNames, categories } = def
  const main = {
    name: plural,
    singularName: singular,
    namespaced,
    kind,
    verbs: VERBS,
    ...(shortNames.length === 0 ? {} : { shortNames }),
    ...(categories === undefined ? {} : { categories }),
  }
  if (!def.status) return [main]
  const verbs = ['get', 'patch', 'update']
  return [main, { name: `${plural}/status`, singularName: '', namespaced, kind, verbs }]
}

function groups(definitions: readonly Definition[]) {
  const versions = new Map<string, Set<string>>([['authorization.k8s.io', new Set(['v1'])]])
  for (const { group, version } of definitions)
    if (group !== '') versions.set(group, (versions.get(group) ?? new Set()).add(version))
  return [...versions].map(([name, set]) => {
    const list = [...set].map((version) => ({ groupVersion: `${name}/${version}`, version }))
    return { name, versions: list, preferredVersion: list[0] }
  })
}

export function json(
  value: unknown,
  status = 200,
  headers: Record<string, string> = {},
): SimResponse {
  return {
    status,
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(value),
  }
}

function text(status: number, body: string): SimResponse {
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8' }, body }
}

/** What the real server says where nothing is served at all. */
export function pageNotFound(): SimResponse {
  return text(404, '404 page not found\n')
}
