import type { SimHandler, SimRequest, SimResponse } from '../handler.ts'
import { attachments } from './attachments-api.ts'
import { backups } from './backups-api.ts'
import type { Context } from './context.ts'
import { infrastructure } from './infrastructure-api.ts'
import { messages } from './messages.ts'
import { echo, negotiate } from './microversion.ts'
import type { Migrations } from './migrations.ts'
import { quotas } from './quota-api.ts'
import { json } from '../json-reply.ts'
import { badRequest, cinderFault, Fault, noSuchResource } from './reply.ts'
import { snapshots } from './snapshots-api.ts'
import type { State } from './state.ts'
import { transfers } from './transfers-api.ts'
import { types } from './types-api.ts'
import { volumeAction } from './volume-actions.ts'
import { metadata, volumes } from './volumes-api.ts'

type Handler = (ctx: Context, first: string, second: string) => SimResponse
type Route = readonly [method: string, pattern: string, minMinor: number, handler: Handler]

const ROUTES: readonly Route[] = [
  ['GET', '/volumes', 0, volumes.list],
  ['POST', '/volumes', 0, volumes.create],
  ['GET', '/volumes/detail', 0, volumes.detail],
  ['GET', '/volumes/summary', 12, volumes.summary],
  ['GET', '/volumes/*', 0, volumes.show],
  ['PUT', '/volumes/*', 0, volumes.update],
  ['DELETE', '/volumes/*', 0, volumes.remove],
  ['POST', '/volumes/*/action', 0, volumeAction],
  ['GET', '/volumes/*/metadata', 0, metadata.show],
  ['POST', '/volumes/*/metadata', 0, metadata.merge],
  ['PUT', '/volumes/*/metadata', 0, metadata.replace],
  ['GET', '/volumes/*/metadata/*', 0, metadata.showKey],
  ['PUT', '/volumes/*/metadata/*', 0, metadata.setKey],
  ['DELETE', '/volumes/*/metadata/*', 0, metadata.removeKey],
  ['GET', '/snapshots', 0, snapshots.list],
  ['POST', '/snapshots', 0, snapshots.create],
  ['GET', '/snapshots/detail', 0, snapshots.detail],
  ['GET', '/snapshots/*', 0, snapshots.show],
  ['DELETE', '/snapshots/*', 0, snapshots.remove],
  ['GET', '/backups', 0, backups.list],
  ['POST', '/backups', 0, backups.create],
  ['GET', '/backups/detail', 0, backups.detail],
  ['GET', '/backups/*', 0, backups.show],
  ['DELETE', '/backups/*', 0, backups.remove],
  ['GET', '/attachments', 27, attachments.list],
  ['POST', '/attachments', 27, attachments.create],
  ['GET', '/attachments/detail', 27, attachments.detail],
  ['GET', '/attachments/*', 27, attachments.show],
  ['DELETE', '/attachments/*', 27, attachments.remove],
  ['POST', '/attachments/*/action', 44, attachments.action],
  ['GET', '/volume-transfers', 0, transfers.list],
  ['POST', '/volume-transfers', 0, transfers.create],
  ['GET', '/volume-transfers/detail', 0, transfers.detail],
  ['GET', '/volume-transfers/*', 0, transfers.show],
  ['DELETE', '/volume-transfers/*', 0, transfers.remove],
  ['POST', '/volume-transfers/*/accept', 0, transfers.accept],
  ['GET', '/types', 0, types.list],
  ['GET', '/types/*', 0, types.show],
  ['PUT', '/types/*', 0, types.update],
  ['GET', '/types/*/extra_specs', 0, types.extraSpecs],
  ['GET', '/os-quota-sets/*', 0, quotas.show],
  ['GET', '/os-quota-sets/*/defaults', 0, quotas.defaults],
  ['PUT', '/os-quota-sets/*', 0, quotas.update],
  ['GET', '/limits', 0, quotas.limits],
  ['GET', '/messages', 3, messages.list],
  ['GET', '/messages/*', 3, messages.show],
  ['GET', '/os-availability-zone', 0, infrastructure.zones],
  ['GET', '/scheduler-stats/get_pools', 0, infrastructure.pools],
  ['GET', '/os-services', 0, infrastructure.services],
]

// literal paths before patterns, so that /volumes/detail is not a volume named detail
const COMPILED = ROUTES.map(([method, pattern, min, handler]) => ({
  method,
  regex: new RegExp(`^${pattern.replaceAll('*', '([^/]+)')}$`),
  min,
  handler,
})).toSorted((a, b) => wildcards(a.regex) - wildcards(b.regex))

function wildcards(regex: RegExp): number {
  return regex.source.split('(').length
}

/** Cinder v3 as the Zed release answers, for members and administrators, without a socket. */
export function createCinder(state: State, migrations: Migrations): SimHandler {
  return (req) => {
    const requestId = `req-${state.ids.uuid()}`
    const res = dispatch(state, migrations, req, requestId)
    return Promise.resolve({
      ...res,
      headers: { 'x-openstack-request-id': requestId, ...res.headers },
    })
  }
}

function dispatch(
  state: State,
  migrations: Migrations,
  req: SimRequest,
  requestId: string,
): SimResponse {
  const url = new URL(req.url, 'http://sim')
  const base = req.headers['host'] ? `http://${req.headers['host']}` : state.origin.volume
  if (url.pathname === '/') return versions(state, base, 300)
  const token = state.identity.valid(req.headers['x-auth-token'])
  if (!token) return unauthenticated(state)
  const under = /^\/v3(?:\/([0-9a-f]{32})(?=\/|$))?(\/.*)?$/.exec(url.pathname)
  if (under && under[1] === undefined && (under[2] ?? '') === '')
    return { status: 302, headers: { location: `${base}/v3/` }, body: '' }
  if (url.pathname === '/v3/') return versions(state, base, 200)
  const path = (under?.[2] ?? '').replace(/\/+$/, '')
  const route = under && COMPILED.find((r) => r.method === req.method && r.regex.test(path))
  if (!route) return pageNotFound()
  return versioned(state, req, requestId, (minor) => {
    const caller = state.identity.caller(token)
    if (under[1] !== undefined && under[1] !== caller.projectId)
      throw badRequest('Malformed request url')
    if (minor < route.min) throw noSuchResource()
    const project = under[1] === undefined ? '' : `/${under[1]}`
    const ctx: Context = {
      state,
      migrations,
      caller,
      minor,
      query: url.searchParams,
      requestId,
      base,
      prefix: `/v3${project}`,
      bookmarkPrefix: project,
      path,
      rawBody: req.body,
    }
    const [, first = '', second = ''] = route.regex.exec(path)!
    return route.handler(ctx, first, decodeURIComponent(second))
  })
}

/** Negotiates the version, runs the route and turns faults into bodies. */
function versioned(
  state: State,
  req: SimRequest,
  requestId: string,
  run: (minor: number) => SimResponse,
): SimResponse {
  const both = { 'x-compute-request-id': requestId }
  let spoken: Readonly<Record<string, string>> = {}
  try {
    const minor = negotiate(req.headers['openstack-api-version'], state.maxMinor)
    spoken = echo(minor)
    const res = run(minor)
    return { ...res, headers: { ...both, ...spoken, ...res.headers } }
  } catch (e) {
    if (!(e instanceof Fault)) throw e
    const res = cinderFault(e)
    return { ...res, headers: { ...both, ...spoken, ...res.headers } }
  }
}

function unauthenticated(state: State): SimResponse {
  const message = 'The request you have made requires authentication.'
  return json(
    401,
    { error: { code: 401, title: 'Unauthorized', message } },
    { 'www-authenticate': `Keystone uri="${state.origin.identity}"` },
  )
}

const pageNotFound = (): SimResponse => ({
  status: 404,
  headers: { 'content-type': 'text/html; charset=UTF-8' },
  body: '<html>\n <head>\n  <title>404 Not Found</title>\n </head>\n <body>\n  <h1>404 Not Found</h1>\n  The resource could not be found.<br /><br />\n\n\n\n </body>\n</html>',
})

function versions(state: State, base: string, status: 200 | 300): SimResponse {
  const version = {
    id: 'v3.0',
    status: 'CURRENT',
    version: `3.${state.maxMinor}`,
    min_version: '3.0',
    updated: '2022-08-31T00:00:00Z',
    links: [
      { rel: 'describedby', type: 'text/html', href: 'https://docs.openstack.org/' },
      { rel: 'self', href: `${base}/v3/` },
    ],
    'media-types': [
      { base: 'application/json', type: 'application/vnd.openstack.volume+json;version=3' },
    ],
  }
  return json(status, { versions: [version] }, echo(0))
}
