import * as z from 'zod'
import { UserError } from '../errors.ts'
import type { Interface } from './credentials.ts'
import { OLD_API } from './old-api.ts'

export type ServiceName = 'block-storage' | 'metric' | 'identity'

const Endpoint = z.object({
  interface: z.string(),
  region: z.string().nullish().catch(undefined),
  region_id: z.string().nullish().catch(undefined),
  url: z.string().refine((url) => /^https?:$/.test(URL.parse(url)?.protocol ?? '')),
})
type Endpoint = z.infer<typeof Endpoint>

const Entry = z.object({
  type: z.string(),
  name: z.string().nullish().catch(undefined),
  endpoints: z.array(z.unknown()).catch([]),
})
export type CatalogEntry = {
  readonly type: string
  readonly name: string
  readonly endpoints: readonly Endpoint[]
}

/** The entries of a token's catalog that make sense; other services' odd ones are none of our business. */
export const Catalog = z
  .array(z.unknown())
  .catch([])
  .transform((entries): readonly CatalogEntry[] => entries.flatMap(entryOf))

function entryOf(raw: unknown): readonly CatalogEntry[] {
  const entry = Entry.safeParse(raw)
  if (!entry.success) return []
  const endpoints = entry.data.endpoints.flatMap((e) => Endpoint.safeParse(e).data ?? [])
  return [{ type: entry.data.type, name: entry.data.name ?? '', endpoints }]
}

/** What a cloud may call the service, best name first. `volumev2` is another API and left out. */
const TYPES: Readonly<Record<ServiceName, readonly string[]>> = {
  'block-storage': ['block-storage', 'volumev3', 'block-store', 'volume'],
  metric: ['metric'],
  identity: ['identity'],
}

export type EndpointWish = {
  readonly service: ServiceName
  readonly interface: Interface
  /** Matched with the endpoint's region or region_id; undefined = the first. */
  readonly region?: string | undefined
}

/** URL of a service without a slash at its end. Throws `UserError` (OpenStackEndpoint) that says what the catalog has instead. */
export function findEndpoint(catalog: readonly CatalogEntry[], wish: EndpointWish): string {
  const found = candidates(catalog, wish.service).find(
    (e) =>
      e.interface === wish.interface &&
      (wish.region === undefined || e.region === wish.region || e.region_id === wish.region),
  )
  if (found === undefined) throw notInCatalog(catalog, wish)
  return trimSlash(found.url)
}

/** Regions that have the service, as the catalog names them. */
export function regionsOf(catalog: readonly CatalogEntry[], service: ServiceName): string[] {
  const regions = candidates(catalog, service).map((e) => e.region_id ?? e.region ?? '')
  return [...new Set(regions)]
}

/** Types, names, regions, interfaces and URLs, one line per endpoint: what `--log-level debug` shows. */
export function describeCatalog(catalog: readonly CatalogEntry[]): string[] {
  return catalog.flatMap((s) =>
    s.endpoints.map(
      (e) => `${s.type} (${s.name}) ${e.region_id ?? e.region ?? '-'} ${e.interface} ${e.url}`,
    ),
  )
}

function candidates(catalog: readonly CatalogEntry[], service: ServiceName) {
  return endpointsOf(catalog, TYPES[service]).filter(
    (e) => service !== 'block-storage' || !OLD_API.test(e.url),
  )
}

function endpointsOf(catalog: readonly CatalogEntry[], types: readonly string[]) {
  return types.flatMap((type) => catalog.filter((s) => s.type === type)).flatMap((s) => s.endpoints)
}

const OVERRIDE: Readonly<Record<ServiceName, string>> = {
  'block-storage': 'openstack.endpoint_override',
  metric: 'gnocchi.endpoint',
  identity: 'OS_AUTH_URL',
}

function notInCatalog(catalog: readonly CatalogEntry[], wish: EndpointWish): UserError {
  const where = wish.region === undefined ? '' : ` in region "${wish.region}"`
  const has = candidates(catalog, wish.service).map(
    (e) => `${e.interface} in ${e.region_id ?? e.region ?? 'no region'}`,
  )
  const old = wish.service === 'block-storage' && has.length === 0 ? oldApi(catalog) : undefined
  if (old !== undefined)
    return new UserError(
      'OpenStackEndpoint',
      `the service catalog has only version 2 of the block storage API (${old.url}), and volumes are moved through version 3, which Cinder has had since Mitaka`,
      {
        fix: `set openstack.endpoint_override to its URL, such as ${old.url.replace(OLD_API, '/v3')}, or have the service volumev3 registered`,
      },
    )
  const known = has.length > 0 ? `it has ${has.join(', ')}` : 'it has none at all'
  return new UserError(
    'OpenStackEndpoint',
    `the service catalog has no ${wish.interface} ${wish.service} endpoint${where} (${known})`,
    {
      fix: `correct OS_REGION_NAME (openstack.region) or OS_INTERFACE (openstack.interface), or set ${OVERRIDE[wish.service]}`,
    },
  )
}

function oldApi(catalog: readonly CatalogEntry[]): Endpoint | undefined {
  const all = endpointsOf(catalog, [...TYPES['block-storage'], 'volumev2'])
  return all.find((e) => e.interface === 'public' && OLD_API.test(e.url)) ?? all[0]
}

/** The three places of an API: where versions are listed, where the version starts, where requests go. */
export type EndpointBase = {
  readonly root: string
  readonly version: string
  readonly endpoint: string
}

/**
 * Cinder's places from a catalog URL or an override of any usual form: `…`, `…/v3`, `…/v3/{project}`,
 * also with `%(project_id)s`. Requests always go through the project's path, which every version knows.
 */
export function volumeBase(url: string, projectId: string): EndpointBase {
  const filled = trimSlash(url.replaceAll(/[%$]\((project|tenant)_id\)s/g, projectId))
  const match = /^(.*?)\/v3(?:\.\d+)?(?:\/([^/]+))?$/.exec(filled)
  const root = match?.[1] ?? filled
  const version = `${root}/v3`
  return { root, version, endpoint: `${version}/${match?.[2] ?? projectId}` }
}

/** The places of any other service. */
export function plainBase(url: string): EndpointBase {
  const endpoint = trimSlash(url)
  return { root: endpoint.replace(/\/v\d+(\.\d+)?$/, ''), version: endpoint, endpoint }
}

function trimSlash(url: string): string {
  return url.replace(/\/+$/, '')
}
