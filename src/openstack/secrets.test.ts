import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { ConnectionError } from '../http.ts'
import { scrub } from './secret-text.ts'
import {
  type Handler,
  LOGIN,
  type Reply,
  SECRET,
  type scriptedHttp,
  setUp,
  testCredentials,
  tokenReply,
  VERSIONS,
} from './testing.ts'

/** A service that repeats everything it was sent, as broken proxies and debug pages do. */
const echo =
  (status: number): Handler =>
  (request) => ({
    status,
    headers: { location: `https://x/?t=${request.headers?.['x-auth-token'] ?? ''}` },
    json: { computeFault: { message: `${request.body ?? ''} ${JSON.stringify(request.headers)}` } },
  })
const breaks: Handler = (request) => {
  throw new ConnectionError('reset', `${request.body ?? ''} ${JSON.stringify(request.headers)}`)
}
const throwsOddly: Handler = (request) => {
  throw new Error(`${request.body ?? ''} ${JSON.stringify(request.headers)}`)
}
const badRow = (request: { headers?: Readonly<Record<string, string>> }): Reply => ({
  json: { volumes: [{ id: 'x', created_at: request.headers?.['x-auth-token'] }] },
})

const badAnswers: [string, Handler][] = [
  ...[300, 301, 400, 401, 403, 404, 406, 409, 413, 429, 500, 503].map(
    (status): [string, Handler] => [`answers ${status} and repeats what it was sent`, echo(status)],
  ),
  ['breaks the connection', breaks],
  ['fails in a way nobody thought of', throwsOddly],
  ['answers with rows that make no sense', badRow],
  ['answers something else', () => ({ text: SECRET })],
]

describe('no secret and no token is in any log line, error, metric or answer', () => {
  it.each([
    ...badAnswers.map(([name, handler]) => [`Cinder ${name}`, tokenReply(1), handler] as const),
    ...badAnswers.map(([name, handler]) => [`Keystone ${name}`, handler, echo(500)] as const),
  ])('when %s', async (_, login, cinder) => {
    const output = await allOutput({ [LOGIN]: login, ...everyRoute(cinder) })
    expect(output).not.toContain(SECRET)
    expect(output).not.toMatch(/marker-token/)
    expect(output.length).toBeGreaterThan(500)
  })
})

const everyRoute = (handler: Handler) => ({
  'GET /v3/': VERSIONS(70),
  'GET /v3/{p}/volumes/detail': handler,
  'GET /v3/{p}/volumes/v1': handler,
  'GET /v3/{p}/types': handler,
  'GET /v3/{p}/os-availability-zone': handler,
  'POST /v3/{p}/volumes/v1/action': handler,
})

/** Runs every kind of call and returns all a person could get to see of it. */
async function allOutput(routes: Parameters<typeof scriptedHttp>[0]): Promise<string> {
  const { clock, service, lines, registry } = setUp(routes)
  const seen: unknown[] = []
  const call = async (what: () => Promise<unknown>) => {
    const done = what().then(
      (v) => seen.push(v),
      (e: unknown) => seen.push(e, (e as Error).message, (e as Error).stack, (e as Error).cause),
    )
    await clock.advance(700_000)
    await done
  }
  await call(async () => {
    for await (const page of service.listVolumes()) seen.push(page)
  })
  await call(() => service.getVolume('v1'))
  await call(() => service.listVolumeTypes())
  await call(() => service.listAvailabilityZones())
  await call(() =>
    service.retype({
      volumeId: 'v1',
      newTypeId: 't',
      migrationPolicy: 'never',
      requestId: 'req-1',
    }),
  )
  return [
    ...lines,
    ...seen.map((s) => inspect(s, { depth: 9 })),
    await registry.metrics(),
    inspect(testCredentials),
  ].join('\n')
}

describe('scrubbing', () => {
  it('hides tokens by their shape, also ones we never saw', () => {
    const fernet = `gAAAAABk${'x'.repeat(120)}`
    expect(scrub(`token ${fernet}.`, [])).toBe('token [hidden].')
  })

  it('does not tear words apart for a secret of three letters', () => {
    expect(scrub('a volume', ['a', 'vol'])).toBe('a volume')
  })
})
