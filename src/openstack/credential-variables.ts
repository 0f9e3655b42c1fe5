import { UserError } from '../errors.ts'
import { readCloud } from './clouds-yaml.ts'

export type CredentialSources = {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Text of the clouds.yaml found at one of `cloudsYamlPaths`. */
  readonly cloudsYaml?: string
  /** The `openstack` section of config.yaml, as far as it matters here. */
  readonly config?: {
    readonly auth_url?: string
    readonly region?: string
    readonly interface?: string
    readonly endpoint_override?: string
  }
  /** The Secret of `credential_ref`, decoded. Same OS_* keys, or a key `clouds.yaml`. */
  readonly secretData?: Readonly<Record<string, string>>
}

/** One place variables come from, with the name people know it by. */
type Source = { readonly name: string; readonly variables: Readonly<Record<string, string>> }

/** OS_* variables of all sources; the first source that has one wins. */
export interface Variables {
  /** The value of the first of `names` that is set anywhere. */
  get(...names: string[]): string | undefined
  /** The same, with the name it was found under: an earlier source beats an earlier name. */
  first(...names: string[]): { readonly name: string; readonly value: string } | undefined
  readonly sources: readonly Source[]
  /** Names that still hold the guide's placeholder (`<credential-id>`); they count as not set. */
  readonly placeholders: readonly string[]
}

/** Environment, then clouds.yaml, then the Secret (its keys, then its clouds.yaml), then config.yaml. Empty means not set. */
export function collectVariables(from: CredentialSources): Variables {
  const placeholders: string[] = []
  const sources = [...sourcesOf(from)].map(({ name, variables }) => ({
    name,
    variables: tidy(variables, placeholders),
  }))
  const first: Variables['first'] = (...names) => {
    for (const { variables } of sources)
      for (const name of names) {
        const value = variables[name]
        if (value !== undefined) return { name, value }
      }
    return undefined
  }
  return { sources, placeholders, first, get: (...names) => first(...names)?.value }
}

function* sourcesOf(from: CredentialSources): Iterable<{
  name: string
  variables: Readonly<Record<string, string | undefined>>
}> {
  const secret = from.secretData ?? {}
  const wanted = from.env['OS_CLOUD'] || undefined
  yield { name: 'the environment', variables: from.env }
  const inSecret = secret['clouds.yaml']
  const file = cloudOf(from.cloudsYaml, 'clouds.yaml', wanted)
  if (file !== undefined) yield file
  yield { name: 'the Secret', variables: secret }
  const wantedInSecret = wanted ?? (secret['OS_CLOUD'] || undefined)
  const own = cloudOf(inSecret, "the Secret's clouds.yaml", wantedInSecret)
  if (own !== undefined) yield own
  if (wanted !== undefined && file === undefined && own === undefined) throw noCloudsYaml(wanted)
  yield {
    name: 'config.yaml',
    variables: {
      OS_AUTH_URL: from.config?.auth_url,
      OS_REGION_NAME: from.config?.region,
      OS_INTERFACE: from.config?.interface,
      OS_BLOCK_STORAGE_ENDPOINT_OVERRIDE: from.config?.endpoint_override,
    },
  }
}

function cloudOf(
  text: string | undefined,
  where: string,
  wanted: string | undefined,
): Source | undefined {
  if (text === undefined) return undefined
  const found = readCloud(text, where, wanted)
  if (found === undefined) return undefined
  return { name: `cloud "${found.cloud}" of ${where}`, variables: found.variables }
}

function noCloudsYaml(wanted: string): UserError {
  return new UserError(
    'OpenStackCredentials',
    `OS_CLOUD is "${wanted}" but no clouds.yaml was found: set OS_CLIENT_CONFIG_FILE to its path, or unset OS_CLOUD and set the OS_* variables`,
  )
}

/** Without empty values, the line end that `echo | base64` leaves in Secrets, and the guide's placeholders. */
function tidy(
  variables: Readonly<Record<string, string | undefined>>,
  placeholders: string[],
): Record<string, string> {
  const kept: Record<string, string> = {}
  for (const [name, raw] of Object.entries(variables)) {
    if (!name.startsWith('OS_') || raw === undefined) continue
    const value = name === 'OS_PASSWORD' ? raw.replace(/[\r\n]+$/, '') : raw.trim()
    if (value === '') continue
    if (/^<[\w -]+>$/.test(value)) placeholders.push(name)
    else kept[name] = value
  }
  return kept
}
