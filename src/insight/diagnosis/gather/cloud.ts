import type { Config } from '../../../api/config.ts'
import type { HttpClient } from '../../../http.ts'
import { createVolumeService } from '../../../openstack/cinder.ts'
import type { Session } from '../../../openstack/session.ts'
import type { VolumeService } from '../../../openstack/types.ts'
import type { CloudConnection, DoctorDeps } from '../deps.ts'
import { attempt, following, known, unknown, valueOf } from '../fact.ts'
import type { Fact } from '../fact.ts'
import type { CloudFacts, CredentialFact } from '../facts.ts'
import { noBackendOf, poolsOf, qosOf, servicesOf, typesOf, withAccess } from './cinder.ts'
import type { Observations } from '../observed-http.ts'
import { credentialEnd, loginOf } from './login.ts'
import type { Login } from './login.ts'

type Cloud = {
  readonly facts: CloudFacts
  readonly volumes: Fact<VolumeService>
  /** Undefined where nobody could log in. */
  readonly session: Session | undefined
  readonly seen: Observations | undefined
}

const SEE = 'see the findings above'

/** Everything of OpenStack, a member's view or an administrator's. Where nobody answers, nothing more is tried. */
export async function gatherCloud(deps: DoctorDeps, config: Config): Promise<Cloud> {
  const connection = await attempt(deps, () => deps.connectCloud(config))
  const login = await following(deps, connection, (cloud, signal) => logIn(cloud, signal))
  const endpoint = await following(deps, both(connection, login), ([cloud], signal) =>
    volumeEndpoint(cloud, signal),
  )
  const ready = both(connection, login, endpoint)
  const read = <T>(fn: (cloud: CloudConnection, login: Login, signal: AbortSignal) => Promise<T>) =>
    following(deps, ready, ([cloud, who], signal) => fn(cloud, who, signal))
  const service = serviceOf(connection, deps)
  const volumes = ready.known ? service : ready
  const fromService = <T>(fn: (v: VolumeService, signal: AbortSignal) => Promise<T>) =>
    following(deps, volumes, fn)
  const [microversion, types, pools, qos, services, quota, zones, noBackend, end] =
    await Promise.all([
      fromService((v, signal) => v.maxMicroversion(signal)),
      read(async ({ session }, who, signal) =>
        withAccess(session, await typesOf(session, signal), who.fact.project.id, signal),
      ),
      read(({ session }, _, signal) => poolsOf(session, signal)),
      read(({ session }, _, signal) => qosOf(session, signal)),
      read(({ session }, _, signal) => servicesOf(session, signal)),
      fromService(async (v, signal) => {
        const lines = await v.getQuota(signal)
        if (lines === undefined) throw new Error('the credential may not read the quota (403)')
        return lines
      }),
      fromService((v, signal) => v.listAvailabilityZones(signal)),
      read(({ session }, _, signal) => noBackendOf(session, signal)),
      following(deps, both(connection, login), ([{ session }, who], signal) =>
        credentialEnd(session, who, signal),
      ),
    ])
  return {
    volumes,
    session: login.known ? valueOf(connection)?.session : undefined,
    seen: valueOf(connection)?.seen,
    facts: {
      credential: mapped(connection, credentialFact),
      login: mapped(login, (l) => l.fact),
      applicationCredentialEnd: end,
      regions: mapped(login, (l) => l.regions),
      hasGnocchi: mapped(login, (l) => l.hasGnocchi),
      volumeEndpoint: endpoint,
      microversion,
      types,
      pools,
      qos,
      services,
      quota,
      zones,
      noBackend,
      unreachable: connection.known ? new Map(connection.value.seen.failures) : new Map(),
    },
  }
}

async function logIn(cloud: CloudConnection, signal: AbortSignal): Promise<Login> {
  await knock(cloud.http, cloud.credentials.authUrl, signal)
  await cloud.session.projectId(signal)
  return loginOf(cloud.seen.login)
}

async function volumeEndpoint(cloud: CloudConnection, signal: AbortSignal): Promise<string> {
  const endpoint = await cloud.session.endpoint('block-storage', signal)
  await knock(cloud.http, new URL('/', endpoint).href, signal)
  return endpoint
}

/** The clients of the session try for minutes; an endpoint that does not accept connections is reported at once. Throws `ConnectionError`. */
async function knock(http: HttpClient, url: string, signal: AbortSignal): Promise<void> {
  const headers = { accept: 'application/json', connection: 'close', 'user-agent': 'couchestor' }
  const response = await http.request({ method: 'GET', url, headers, signal, timeoutMs: 10_000 })
  await response.text()
}

function serviceOf(connection: Fact<CloudConnection>, deps: DoctorDeps): Fact<VolumeService> {
  return mapped(connection, ({ session }) => createVolumeService({ session, log: deps.log }))
}

function credentialFact({ credentials }: CloudConnection): CredentialFact {
  const { authUrl, auth, region, tls } = credentials
  return {
    authUrl,
    kind: auth.kind,
    interface: credentials.interface,
    region,
    insecure: tls.insecure,
  }
}

function mapped<A, B>(fact: Fact<A>, fn: (value: A) => B): Fact<B> {
  return fact.known ? known(fn(fact.value)) : fact
}

/** All of them, or why the first that is missing is so; that one is reported where it belongs. */
function both<A extends readonly unknown[]>(...facts: { [K in keyof A]: Fact<A[K]> }): Fact<A> {
  const missing = (facts as readonly Fact<unknown>[]).find((f) => !f.known)
  if (missing !== undefined && !missing.known) return unknown(`not asked, ${SEE}`)
  return known(
    (facts as readonly Fact<unknown>[]).flatMap((f) => (f.known ? [f.value] : [])) as unknown as A,
  )
}
