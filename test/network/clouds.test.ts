import { describe, expect, it } from 'vitest'
import type { SimResponse } from '../../src/sim/handler.ts'
import { HOUR, Stage } from '../controller/stage.ts'
import { CONFIG, doctorOn } from '../doctor/doctor-on.ts'

type Json = Record<string, unknown>

/** Lets every answer of a service to `path` pass through `edit`. */
function rewrite(
  stage: Stage,
  service: 'keystone' | 'cinder',
  path: RegExp,
  edit: (body: Json) => unknown,
): void {
  stage.cloud.addFault({
    service,
    path,
    times: Infinity,
    action: {
      kind: 'rewrite',
      rewrite: (body) => JSON.stringify(edit(JSON.parse(body) as Json)),
    },
  })
}

/** Something in front of the service answers instead. */
function instead(stage: Stage, service: 'keystone' | 'cinder', path: RegExp, answer: SimResponse) {
  stage.cloud.addFault({ service, path, times: Infinity, action: { kind: 'answer', answer } })
}

const html = (status: number): SimResponse => ({
  status,
  headers: { 'content-type': 'text/html' },
  body: `<html><h1>${status}</h1></html>`,
})
const json = (status: number, body: unknown): SimResponse => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
})

/** A busy volume on its best tier. */
function busy() {
  const stage = new Stage()
  stage.policy()
  const volume = stage.claim({ name: 'data', iops: 3000 })
  return { stage, volume }
}

/** Moves the volume by hand and says how that ended. */
async function moved({ stage }: ReturnType<typeof busy>): Promise<string | undefined> {
  stage.start()
  await stage.until(() => stage.annotation('data', 'tier') === 'hot')
  stage.move('by-hand', { claim: { name: 'data' }, to: 'cold' })
  await stage.until(() => stage.ends('data')[0] === 'Succeeded/Verified')
  return stage.ends('data')[0]
}

const DOCUMENTS = /^\/(v3\/)?$/
const version = (over: object = {}) => ({
  id: 'v3.0',
  status: 'CURRENT',
  version: '3.70',
  links: [{ rel: 'self', href: 'http://10.0.0.7:8776/v3/' }],
  ...over,
})

describe('a volume is moved on a cloud whose version documents', () => {
  it.each<[string, SimResponse]>([
    ['are pages', html(200)],
    ['are not there', html(404)],
    ['are forbidden', html(403)],
    ['want a login of their own', json(401, { error: { code: 401, message: 'no' } })],
    ['are many choices and nothing else', { status: 300, body: '' }],
    ['are one version, in the singular', json(200, { version: version() })],
    ['hold the versions one level deeper', json(300, { versions: { values: [version()] } })],
    ['hold what is no version too', json(300, { versions: [null, 7, {}, version()] })],
    ['say max_version', json(300, { versions: [version({ version: '', max_version: '3.70' })] })],
    ['are those of another service', json(300, { versions: [{ id: 'v2.1', version: '2.90' }] })],
  ])('%s', async (_, answer) => {
    const world = busy()
    instead(world.stage, 'cinder', DOCUMENTS, answer)
    expect(await moved(world)).toBe('Succeeded/Verified')
  })

  it('are on the wrong path', async () => {
    const world = busy()
    instead(world.stage, 'cinder', /^\/v3\/$/, html(404))
    expect(await moved(world)).toBe('Succeeded/Verified')
  })
})

it('a cloud without documents is asked with the microversion that its answers name', async () => {
  const { stage } = busy()
  instead(stage, 'cinder', DOCUMENTS, html(404))
  const { diagnosis } = await examine(stage)
  expect(diagnosis.findings.map((f) => f.code)).not.toContain('CinderOld')
})

it('an old cloud without documents is recognised by its refusal', async () => {
  const stage = new Stage({ cloud: { maxMinor: 59 } })
  stage.policy()
  stage.claim({ name: 'data', iops: 3000 })
  instead(stage, 'cinder', DOCUMENTS, html(404))
  const { diagnosis } = await examine(stage)
  expect(diagnosis.findings.find((f) => f.code === 'CinderOld')?.what).toContain('3.59')
})

it('where nothing is Cinder, the endpoint is named with what was tried', async () => {
  const { stage } = busy()
  instead(stage, 'cinder', /./, html(404))
  const { diagnosis } = await examine(stage)
  const found = diagnosis.findings.find((f) => f.code === 'CinderUnreachable')
  expect(found?.what).toMatch(/nothing at https:\/\/cinder\.sim\/v3\/\w+ answers as version 3/)
  expect(found?.what).toContain('404')
})

const examine = (stage: Stage) => doctorOn(stage.world, stage.clock, { configYaml: CONFIG })

type Catalog = { token: { catalog: Json[] } }

describe('the catalog of a token', () => {
  it('may hold any odd entry of other services', async () => {
    const world = busy()
    rewrite(world.stage, 'keystone', /auth\/tokens/, (body) => {
      const { token } = body as Catalog
      token.catalog.unshift(
        null as never,
        7 as never,
        { type: null, name: 'x', endpoints: [] },
        { name: 'no type', endpoints: [{ interface: 'public', url: 'https://x' }] },
        { type: 'compute', name: null, endpoints: null },
        { type: 'image', endpoints: 'none' },
        {
          type: 'volumev3',
          endpoints: [
            null,
            { interface: 'public', region_id: 'RegionOne', url: null },
            { interface: 'public', region_id: 'RegionOne', url: 8776 },
            { interface: 'public', region_id: 'RegionOne', url: 'not a url' },
            { interface: null, region_id: 'RegionOne', url: 'https://x/v3' },
            { interface: 'private', region_id: {}, url: 'https://x/v3' },
          ],
        },
      )
      return body
    })
    expect(await moved(world)).toBe('Succeeded/Verified')
  })

  it('of a cloud with version 2 only leads to one message with the fix', async () => {
    const { stage } = busy()
    rewrite(stage, 'keystone', /auth\/tokens/, (body) => {
      for (const entry of (body as Catalog).token.catalog)
        if (entry['type'] === 'volumev3' || entry['type'] === 'block-storage') {
          entry['type'] = 'volumev2'
          const endpoints = entry['endpoints'] as { url: string }[]
          for (const e of endpoints) e.url = e.url.replace('/v3/', '/v2/')
        }
      return body
    })
    const { diagnosis } = await examine(stage)
    const found = diagnosis.findings.find((f) => f.code === 'CinderEndpointMissing')
    expect(found?.what).toContain('only version 2 of the block storage API')
    expect(found?.what).toContain('https://cinder.sim/v2/')
    expect(found?.fix).toContain('openstack.endpoint_override')
  })
})

describe('a volume is moved although Cinder shows it with', () => {
  it.each<[string, Json]>([
    ['no name', { name: null }],
    ['null metadata', { metadata: null }],
    ['metadata that is not text', { metadata: { a: 1, b: null } }],
    ['null attachments', { attachments: null }],
    ['bootable in capitals', { bootable: 'False' }],
    ['bootable null', { bootable: null }],
    ['null times', { created_at: null, updated_at: null }],
    ['its type by id only', { volume_type: null }],
  ])('%s', async (_, over) => {
    const world = busy()
    rewrite(world.stage, 'cinder', /\/volumes\//, (body) => withRows(body, over))
    expect(await moved(world)).toBe('Succeeded/Verified')
  })
})

it.each<[string, Json]>([
  ['multiattach', { multiattach: null }],
  ['encrypted', { encrypted: null }],
])('a volume of which %s is not known is not taken for one without it', async (_, over) => {
  const world = busy()
  rewrite(world.stage, 'cinder', /\/volumes\//, (body) => withRows(body, over))
  world.stage.start()
  await world.stage.until(() => world.stage.annotation('data', 'tier') === 'hot')
  world.stage.move('by-hand', { claim: { name: 'data' }, to: 'cold' })
  await world.stage.clock.advance(HOUR)
  expect(world.stage.retypes(world.volume)).toBe(0)
})

function withRows(body: Json, over: Json): Json {
  const { volume, volumes } = body as { volume?: Json; volumes?: Json[] }
  if (volume !== undefined) return { ...body, volume: { ...volume, ...over } }
  return volumes === undefined
    ? body
    : { ...body, volumes: volumes.map((row) => ({ ...row, ...over })) }
}

it('one odd row of types, zones or services hides none of the others from the doctor', async () => {
  const { stage } = busy()
  const odd: Record<string, unknown> = { id: 7, name: null }
  rewrite(stage, 'cinder', /types|availability-zone|os-services/, (body) =>
    Object.fromEntries(
      Object.entries(body).map(([key, value]) => [
        key,
        Array.isArray(value) ? [null, odd, ...(value as unknown[])] : value,
      ]),
    ),
  )
  const { codes } = await examine(stage)
  expect(codes).not.toContain('TierTypeMissing')
  expect(codes).not.toContain('CinderUnreachable')
})

it('a volume is moved although types and zones have odd rows', async () => {
  const world = busy()
  rewrite(world.stage, 'cinder', /\/types|availability-zone/, (body) =>
    Object.fromEntries(
      Object.entries(body).map(([key, value]) => [
        key,
        Array.isArray(value) ? [null, { name: 5 }, ...(value as unknown[])] : value,
      ]),
    ),
  )
  expect(await moved(world)).toBe('Succeeded/Verified')
})

describe('Keystone', () => {
  it('that redirects to its own other path is followed', async () => {
    const world = busy()
    world.stage.world.routes['http://keystone.sim'] = (request) =>
      request.url.startsWith('/identity')
        ? world.stage.world.cloud.keystone({ ...request, url: request.url.slice(9) })
        : Promise.resolve({
            status: 301,
            headers: { location: `http://keystone.sim/identity${request.url}` },
            body: '',
          })
    expect(await moved(world)).toBe('Succeeded/Verified')
  })

  it.each<[string, SimResponse]>([
    ['a 404 page', html(404)],
    [
      'a redirect elsewhere',
      { status: 302, headers: { location: 'https://sso.example/' }, body: '' },
    ],
  ])('that answers with %s leads the doctor to OS_AUTH_URL', async (_, answer) => {
    const { stage } = busy()
    instead(stage, 'keystone', /./, answer)
    const { codes, text } = await examine(stage)
    expect(codes).toContain('AuthUrlWrong')
    expect(codes).not.toContain('CredentialRefused')
    expect(text).toContain('OS_AUTH_URL https://keystone.sim/v3')
    expect(text).not.toContain('openstack application credential create')
  })
})
