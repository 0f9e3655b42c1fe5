import { describe, expect, it } from 'vitest'
import {
  type CatalogEntry,
  describeCatalog,
  findEndpoint,
  plainBase,
  volumeBase,
} from './catalog.ts'

const entry = (type: string, ...endpoints: [string, string, string][]): CatalogEntry => ({
  type,
  name: type,
  endpoints: endpoints.map(([region, name, url]) => ({ region_id: region, interface: name, url })),
})

const wish = { service: 'block-storage', interface: 'public' } as const

describe('the service catalog', () => {
  it.each(['block-storage', 'block-store', 'volumev3', 'volume'])('knows Cinder as %s', (type) => {
    const catalog = [
      entry('compute', ['R', 'public', 'https://no']),
      entry(type, ['R', 'public', 'https://c/v3/']),
    ]
    expect(findEndpoint(catalog, wish)).toBe('https://c/v3')
  })

  it('takes the best name, and never the API version 2', () => {
    const catalog = [
      entry('volumev2', ['R', 'public', 'https://c/v2/p']),
      entry('volume', ['R', 'public', 'https://c/v1/p']),
      entry('volumev3', ['R', 'public', 'https://c/v3/p']),
    ]
    expect(findEndpoint(catalog, wish)).toBe('https://c/v3/p')
  })

  it.each(['https://c/v1/p', 'https://c/v2/p', 'https://c/v2'])(
    'has no use for a volume service at %s',
    (url) => {
      expect(() => findEndpoint([entry('volume', ['R', 'public', url])], wish)).toThrow(
        /only version 2 of the block storage API .*openstack\.endpoint_override.*https:\/\/c\/v3/,
      )
    },
  )

  it('chooses by region, called region or region_id, and by interface', () => {
    const catalog: CatalogEntry[] = [
      entry(
        'volumev3',
        ['A', 'public', 'https://a'],
        ['B', 'internal', 'https://b-in'],
        ['B', 'public', 'https://b'],
      ),
      {
        type: 'metric',
        name: '',
        endpoints: [{ interface: 'public', region: 'B', url: 'https://m/' }],
      },
    ]
    expect(findEndpoint(catalog, wish)).toBe('https://a')
    expect(findEndpoint(catalog, { ...wish, region: 'B' })).toBe('https://b')
    expect(findEndpoint(catalog, { ...wish, region: 'B', interface: 'internal' })).toBe(
      'https://b-in',
    )
    expect(findEndpoint(catalog, { service: 'metric', interface: 'public', region: 'B' })).toBe(
      'https://m',
    )
  })

  it('says what there is when the wish cannot be met', () => {
    const catalog = [entry('volumev3', ['A', 'public', 'https://a'])]
    expect(() => findEndpoint(catalog, { ...wish, region: 'Z' })).toThrow(
      /no public block-storage endpoint in region "Z" \(it has public in A\).*OS_REGION_NAME/,
    )
    expect(() => findEndpoint([], wish)).toThrow(/it has none at all/)
  })

  it('is described with types, names, regions, interfaces and URLs', () => {
    expect(describeCatalog([entry('volumev3', ['A', 'public', 'https://a'])])).toEqual([
      'volumev3 (volumev3) A public https://a',
    ])
  })
})

describe("Cinder's places", () => {
  it.each([
    ['https://c/v3', 'https://c', 'https://c/v3/p1'],
    ['https://c/v3/', 'https://c', 'https://c/v3/p1'],
    ['https://c/v3/p1', 'https://c', 'https://c/v3/p1'],
    ['https://c:8776', 'https://c:8776', 'https://c:8776/v3/p1'],
    ['https://c/volume/v3/AUTH_p1/', 'https://c/volume', 'https://c/volume/v3/AUTH_p1'],
    ['https://c/v3/%(project_id)s', 'https://c', 'https://c/v3/p1'],
    ['https://c/v3/$(tenant_id)s', 'https://c', 'https://c/v3/p1'],
  ])('%s has its root at %s and its requests at %s', (url, root, endpoint) => {
    expect(volumeBase(url, 'p1')).toEqual({ root, version: `${root}/v3`, endpoint })
  })

  it('other services are used as the catalog names them', () => {
    expect(plainBase('https://g/metric/v1/')).toEqual({
      root: 'https://g/metric',
      version: 'https://g/metric/v1',
      endpoint: 'https://g/metric/v1',
    })
  })
})
