import type { Ids } from './ids.ts'

/** Base URLs of the services, without a path. */
export type Origin = {
  readonly identity: string
  readonly volume: string
  /** Left out, nothing listens where the catalog says Gnocchi is. */
  readonly metric?: string
}

type Endpoint = {
  readonly id: string
  readonly interface: 'public' | 'internal' | 'admin'
  readonly region_id: string
  readonly region: string
  readonly url: string
}
export type CatalogEntry = {
  readonly id: string
  readonly type: string
  readonly name: string
  readonly endpoints: readonly Endpoint[]
}

const INTERFACES = ['public', 'internal', 'admin'] as const

/** The catalog of a token: every service in every region with its three interfaces. The other regions' volume service does not answer. */
export function createCatalog(ids: Ids, regions: readonly string[], origin: () => Origin) {
  const services = [
    { type: 'image', name: 'glance', url: () => 'http://127.0.0.1:9/image' },
    { type: 'volumev3', name: 'cinderv3', url: (p: string) => `${origin().volume}/v3/${p}` },
    { type: 'metric', name: 'gnocchi', url: () => origin().metric ?? 'http://127.0.0.1:9' },
    { type: 'compute', name: 'nova', url: () => 'http://127.0.0.1:9/v2.1' },
    { type: 'identity', name: 'keystone', url: () => `${origin().identity}/v3/` },
  ].map((service) => ({ ...service, id: ids.hex32() }))
  const elsewhere = (type: string, region: string) => `http://127.0.0.1:9/${region}/${type}`
  const endpointIds = new Map<string, string>()
  const endpointId = (key: string) => {
    const known = endpointIds.get(key) ?? ids.hex32()
    endpointIds.set(key, known)
    return known
  }
  return (projectId: string): readonly CatalogEntry[] =>
    services.map(({ id, type, name, url }) => ({
      id,
      type,
      name,
      endpoints: regions.flatMap((region, at) =>
        INTERFACES.map((face) => ({
          id: endpointId(`${type} ${region} ${face}`),
          interface: face,
          region_id: region,
          region,
          url: at === 0 ? url(projectId) : elsewhere(type, region),
        })),
      ),
    }))
}
