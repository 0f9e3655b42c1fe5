import type { Facts } from '../facts.ts'
import { THROUGH_PROXY } from './credentials.ts'
import { counted, finding, notChecked, ok, some, when } from '../finding.ts'
import type { Line } from '../finding.ts'

const TYPE_IDS = 63
const OLD_API_FIX =
  'set openstack.endpoint_override in config.yaml to the URL of version 3 of the API, or have the service volumev3 registered in Keystone'

/** The endpoints that the catalog led to, and what answers there. */
export function checkEndpoints({ cloud, config }: Facts): readonly Line[] {
  const { credential, login, volumeEndpoint } = cloud
  if (!credential.known || !login.known)
    return [notChecked('endpoints', 'catalog and endpoints', 'not logged in, see above')]
  if (!volumeEndpoint.known) return [...noEndpoint(cloud, volumeEndpoint.why)]
  const { region, insecure, authUrl } = credential.value
  const where = `${credential.value.interface} interface, ${region === undefined ? 'no region chosen' : `region ${region}`}`
  return [
    ok(`Cinder at ${volumeEndpoint.value} (${where})`),
    ...versionLines(cloud),
    ...[authUrl, volumeEndpoint.value]
      .filter((url) => isPlain(url))
      .map((url) => finding('PlainHttp', `${new URL(url).origin} is asked without TLS`)),
    ...when(
      insecure || config.config.openstack.insecure,
      finding('TlsNotVerified', 'openstack.insecure (or OS_INSECURE) is true'),
    ),
    ...regionLines(cloud, region),
    ...serviceLines(cloud),
  ]
}

function noEndpoint(cloud: Facts['cloud'], why: string): readonly Line[] {
  const [origin, failure] = [...cloud.unreachable][0] ?? []
  if (THROUGH_PROXY.test(why)) return [finding('ProxyRefused', why)]
  if (origin === undefined) {
    if (!why.includes('catalog')) return [finding('CinderUnreachable', why)]
    const fix = why.includes('only version 2') ? OLD_API_FIX : undefined
    return [finding('CinderEndpointMissing', why, { fix })]
  }
  const what = `${origin}: ${failure}`
  return [finding(failure === 'tls' ? 'TlsRefused' : 'CinderUnreachable', what)]
}

function versionLines({ microversion }: Facts['cloud']): readonly Line[] {
  if (!microversion.known)
    return [finding('CinderUnreachable', `versions cannot be read: ${microversion.why}`)]
  const [major, minor] = microversion.value
  const text = `Cinder offers microversion ${major}.${minor}`
  return [minor < TYPE_IDS ? finding('CinderOld', text) : ok(text)]
}

function regionLines({ regions }: Facts['cloud'], region: string | undefined): readonly Line[] {
  if (!regions.known || region !== undefined || regions.value.length < 2) return []
  return [
    finding('RegionAmbiguous', `regions ${regions.value.join(', ')}; ${regions.value[0]} is used`, {
      fix: `set OS_REGION_NAME=${regions.value[0]} (or openstack.region in config.yaml)`,
    }),
  ]
}

function serviceLines({ services }: Facts['cloud']): readonly Line[] {
  if (!services.known) return []
  const down = services.value.filter((s) => s.state !== 'up' || s.status !== 'enabled')
  if (down.length === 0)
    return [ok(`${counted(services.value.length, 'cinder-volume service')} up`)]
  const names = down.map((s) => `${s.host} (${s.state}, ${s.status})`)
  return [finding('VolumeServiceDown', `cinder-volume on ${some(names)}`)]
}

/** Beyond this host, and beyond a cluster's own network. */
function isPlain(url: string): boolean {
  const { protocol, hostname } = new URL(url)
  if (protocol !== 'http:') return false
  return !/^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$|\.svc(\.|$)/.test(hostname)
}
