import { UserError } from '../errors.ts'
import { collectVariables, type CredentialSources, type Variables } from './credential-variables.ts'
import { OLD_API } from './old-api.ts'
import { SecretText } from './secret-text.ts'

export type Named = { readonly id: string } | { readonly name: string }
/** By id, or by name inside a domain. */
export type InDomain = { readonly id: string } | { readonly name: string; readonly domain: Named }

export type AuthMethod =
  | {
      readonly kind: 'applicationCredential'
      readonly credential:
        { readonly id: string } | { readonly name: string; readonly user: InDomain }
      readonly secret: SecretText
    }
  | {
      readonly kind: 'password'
      readonly user: InDomain
      readonly password: SecretText
      readonly project: InDomain
    }
  /** Without a project the token is used as it is. */
  | { readonly kind: 'token'; readonly token: SecretText; readonly project?: InDomain }

export type Interface = 'public' | 'internal' | 'admin'

/** Everything needed to log in and to find the endpoints. Safe to log: secrets print as [hidden]. */
export type Credentials = {
  /** Ends with /v3. */
  readonly authUrl: string
  readonly auth: AuthMethod
  /** undefined = whatever region the catalog names first. */
  readonly region?: string
  readonly interface: Interface
  /** URL by service, instead of the catalog's. */
  readonly endpointOverrides: Readonly<Record<string, string>>
  /** Files for the HTTP client's TLS; PEM text is also taken in `ca`. */
  readonly tls: {
    readonly ca?: string
    readonly cert?: string
    readonly key?: string
    readonly insecure: boolean
  }
}

/** What is wrong, in words that name the variable; all are reported at once. */
type Problems = string[]

/**
 * The credential from OS_* environment variables, clouds.yaml, the Secret of `credential_ref` and config.yaml, in this order.
 * Throws one `UserError` (OpenStackCredentials) that names everything missing or contradictory and the fix.
 */
export function readCredentials(from: CredentialSources): Credentials {
  const vars = collectVariables(from)
  const problems: Problems = []
  const authUrl = authUrlOf(vars, problems)
  const auth = authOf(vars, problems)
  const interfaceName = interfaceOf(vars, problems)
  for (const name of OTHER_SCOPES)
    if (vars.get(name) !== undefined)
      problems.push(`${name} is not supported: log in to the project of the volumes`)
  const endpointOverrides = overridesOf(vars, problems)
  if (problems.length > 0 || auth === undefined) throw incomplete(vars, problems)
  const region = vars.get('OS_REGION_NAME')
  return {
    authUrl,
    auth,
    interface: interfaceName,
    ...(region === undefined ? {} : { region }),
    endpointOverrides,
    tls: tlsOf(vars, from.env['HOME']),
  }
}

/** Without a word of them the token would be for something else than what was meant. */
const OTHER_SCOPES = ['OS_TRUST_ID', 'OS_SYSTEM_SCOPE']

function incomplete(vars: Variables, problems: Problems): UserError {
  const places = vars.sources.map((s) => s.name).join(', ')
  const placeholders = vars.placeholders.map(
    (name) => `${name} still holds the placeholder of the guide`,
  )
  return new UserError(
    'OpenStackCredentials',
    `cannot log in to OpenStack: ${[...placeholders, ...problems].join('; ')} (read: ${places})`,
    {
      fix: 'set OS_AUTH_URL, OS_APPLICATION_CREDENTIAL_ID and OS_APPLICATION_CREDENTIAL_SECRET in the environment or in the Secret of openstack.credential_ref, or OS_CLOUD with a clouds.yaml',
    },
  )
}

function authUrlOf(vars: Variables, problems: Problems): string {
  const raw = vars.get('OS_AUTH_URL')
  if (raw === undefined) {
    problems.push('OS_AUTH_URL (or openstack.auth_url) is missing')
    return ''
  }
  const url = URL.canParse(raw) ? new URL(raw) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    problems.push('OS_AUTH_URL must be a URL such as https://keystone.example.com:5000/v3')
    return ''
  }
  if (url.username !== '' || url.password !== '' || url.search !== '') {
    problems.push('OS_AUTH_URL must not carry a user, a password or a query')
    return ''
  }
  // the URL of a login is the one that people find in traces
  const path = url.pathname.replace(/\/+$/, '').replace(/\/auth(\/tokens)?$/, '')
  if (/\/v2(\.0)?$/.test(path) || vars.get('OS_IDENTITY_API_VERSION')?.startsWith('2'))
    problems.push(
      'OS_AUTH_URL or OS_IDENTITY_API_VERSION asks for Keystone v2, only v3 is supported',
    )
  return `${url.origin}${path.endsWith('/v3') ? path : `${path}/v3`}`
}

type Kind = AuthMethod['kind']

const TYPES: Readonly<Record<string, Kind>> = {
  v3applicationcredential: 'applicationCredential',
  v3password: 'password',
  password: 'password',
  v3token: 'token',
  token: 'token',
}

function authOf(vars: Variables, problems: Problems): AuthMethod | undefined {
  const kind = kindOf(vars, problems)
  if (kind === 'applicationCredential') return applicationCredentialOf(vars, problems)
  if (kind === 'password') return passwordOf(vars, problems)
  if (kind === 'token') return tokenOf(vars, problems)
  return undefined
}

/** The first source that says how to log in decides; within one source two ways are a contradiction. */
function kindOf(vars: Variables, problems: Problems): Kind | undefined {
  for (const { name, variables } of vars.sources) {
    const type = variables['OS_AUTH_TYPE']
    if (type !== undefined) return kindOfType(type, problems)
    const hints = hintsOf(variables)
    if (hints.length > 1) {
      problems.push(
        `${name} has both ${hints.map((k) => SECRET_OF[k]).join(' and ')}: unset one, or set OS_AUTH_TYPE to v3applicationcredential, v3password or v3token`,
      )
      return undefined
    }
    if (hints[0] !== undefined) return hints[0]
  }
  if (vars.get('OS_USERNAME', 'OS_USER_ID') !== undefined) return 'password'
  problems.push(
    'OS_APPLICATION_CREDENTIAL_ID and OS_APPLICATION_CREDENTIAL_SECRET (or OS_USERNAME and OS_PASSWORD) are missing',
  )
  return undefined
}

function kindOfType(type: string, problems: Problems): Kind | undefined {
  const kind = TYPES[type.toLowerCase()]
  if (kind === undefined)
    problems.push(
      `OS_AUTH_TYPE "${type}" is not supported: use v3applicationcredential, v3password or v3token`,
    )
  return kind
}

const SECRET_OF: Readonly<Record<Kind, string>> = {
  applicationCredential: 'OS_APPLICATION_CREDENTIAL_*',
  password: 'OS_PASSWORD',
  token: 'OS_TOKEN',
}

function hintsOf(variables: Readonly<Record<string, string>>): Kind[] {
  const has = (prefix: string) => Object.keys(variables).some((k) => k.startsWith(prefix))
  const hints: Kind[] = []
  if (has('OS_APPLICATION_CREDENTIAL_')) hints.push('applicationCredential')
  if (has('OS_PASSWORD')) hints.push('password')
  if (has('OS_TOKEN') || has('OS_AUTH_TOKEN')) hints.push('token')
  return hints
}

function applicationCredentialOf(vars: Variables, problems: Problems): AuthMethod {
  const found = vars.first('OS_APPLICATION_CREDENTIAL_ID', 'OS_APPLICATION_CREDENTIAL_NAME')
  const secret = new SecretText(needed(vars, problems, 'OS_APPLICATION_CREDENTIAL_SECRET'))
  if (found === undefined) problems.push('OS_APPLICATION_CREDENTIAL_ID is missing')
  const credential = found?.name.endsWith('_NAME')
    ? { name: found.value, user: userOf(vars, problems) }
    : { id: found?.value ?? '' }
  return { kind: 'applicationCredential', credential, secret }
}

function passwordOf(vars: Variables, problems: Problems): AuthMethod {
  const user = userOf(vars, problems)
  const password = new SecretText(needed(vars, problems, 'OS_PASSWORD'))
  const project = projectOf(vars, problems)
  if (project === undefined) problems.push('OS_PROJECT_ID or OS_PROJECT_NAME is missing')
  return { kind: 'password', user, password, project: project ?? { id: '' } }
}

function tokenOf(vars: Variables, problems: Problems): AuthMethod {
  const value = vars.get('OS_TOKEN', 'OS_AUTH_TOKEN')
  if (value === undefined) problems.push('OS_TOKEN is missing')
  const project = projectOf(vars, problems)
  const token = new SecretText(value ?? '')
  return { kind: 'token', token, ...(project === undefined ? {} : { project }) }
}

function needed(vars: Variables, problems: Problems, name: string): string {
  const value = vars.get(name)
  if (value === undefined) problems.push(`${name} is missing`)
  return value ?? ''
}

function userOf(vars: Variables, problems: Problems): InDomain {
  const found = vars.first('OS_USER_ID', 'OS_USERNAME', 'OS_USER_NAME')
  if (found?.name === 'OS_USER_ID') return { id: found.value }
  if (found === undefined) problems.push('OS_USERNAME is missing')
  return { name: found?.value ?? '', domain: domainOf(vars, problems, 'OS_USER_DOMAIN') }
}

function projectOf(vars: Variables, problems: Problems): InDomain | undefined {
  const found = vars.first('OS_PROJECT_ID', 'OS_TENANT_ID', 'OS_PROJECT_NAME', 'OS_TENANT_NAME')
  if (found === undefined) return undefined
  if (found.name.endsWith('_ID')) return { id: found.value }
  return { name: found.value, domain: domainOf(vars, problems, 'OS_PROJECT_DOMAIN') }
}

function domainOf(vars: Variables, problems: Problems, prefix: string): Named {
  const found =
    vars.first(`${prefix}_ID`, `${prefix}_NAME`) ??
    vars.first('OS_DEFAULT_DOMAIN_ID', 'OS_DEFAULT_DOMAIN', 'OS_DEFAULT_DOMAIN_NAME')
  if (found === undefined) problems.push(`${prefix}_NAME (or ${prefix}_ID) is missing`)
  return found === undefined || found.name.endsWith('_NAME')
    ? { name: found?.value ?? '' }
    : { id: found.value }
}

function interfaceOf(vars: Variables, problems: Problems): Interface {
  const raw = vars.get('OS_INTERFACE', 'OS_ENDPOINT_TYPE') ?? 'public'
  const name = raw.replace(/URL$/, '')
  if (name === 'public' || name === 'internal' || name === 'admin') return name
  problems.push(`OS_INTERFACE "${raw}" must be public, internal or admin`)
  return 'public'
}

function overridesOf(vars: Variables, problems: Problems): Record<string, string> {
  const volume = overrideOf(vars, problems, [
    'OS_BLOCK_STORAGE_ENDPOINT_OVERRIDE',
    'OS_VOLUME_ENDPOINT_OVERRIDE',
    'OS_VOLUMEV3_ENDPOINT_OVERRIDE',
  ])
  const metric = overrideOf(vars, problems, ['OS_METRIC_ENDPOINT_OVERRIDE'])
  if (volume !== undefined && OLD_API.test(volume))
    problems.push(
      `openstack.endpoint_override (or OS_BLOCK_STORAGE_ENDPOINT_OVERRIDE) is "${volume}", and volumes are moved through version 3 of the API: set it to ${volume.replace(OLD_API, '/v3')}`,
    )
  return {
    ...(volume === undefined ? {} : { 'block-storage': volume }),
    ...(metric === undefined ? {} : { metric }),
  }
}

function overrideOf(
  vars: Variables,
  problems: Problems,
  names: readonly string[],
): string | undefined {
  const found = vars.first(...names)
  if (found === undefined) return undefined
  if (/^https?:$/.test(URL.parse(found.value)?.protocol ?? '')) return found.value
  problems.push(`${found.name} must be a URL such as https://cinder.example.com:8776/v3`)
  return undefined
}

function tlsOf(vars: Variables, home: string | undefined): Credentials['tls'] {
  // as the standard clients, also in variables: the shell leaves a ~ within quotes alone
  const path = (name: string) => vars.get(name)?.replace(/^~(?=\/)/, home ?? '~')
  const ca = path('OS_CACERT')
  const cert = path('OS_CERT')
  const key = path('OS_KEY')
  return {
    insecure: /^(1|true|yes|on|y|t)$/i.test(vars.get('OS_INSECURE') ?? ''),
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  }
}
