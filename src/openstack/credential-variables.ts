import { UserError } from '../errors.ts'
import { readCloudConf } from './cloud-conf.ts'
import type { TextFile } from './clouds-file.ts'
import { readCloud, type RegionWish } from './clouds-yaml.ts'

export type CredentialSources = {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Text of the clouds.yaml found at one of `cloudFilePaths`, and its path for messages. */
  readonly cloudsYaml?: string
  readonly cloudsYamlPath?: string
  readonly secureYaml?: TextFile
  readonly vendorsYaml?: TextFile
  /** Files that are there and cannot be read, each with the reason. */
  readonly unreadable?: readonly string[]
  /** The `openstack` section of config.yaml, as far as it matters here. */
  readonly config?: {
    readonly auth_url?: string
    readonly region?: string
    readonly interface?: string
    readonly endpoint_override?: string
  }
  /** The Secret of `credential_ref`, decoded. Same OS_* keys, or a key `clouds.yaml`, or the CSI driver's `cloud.conf`. */
  readonly secretData?: Readonly<Record<string, string>>
}

const SECRETS = ['OS_APPLICATION_CREDENTIAL_SECRET', 'OS_PASSWORD', 'OS_TOKEN', 'OS_AUTH_TOKEN']

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

type Named = {
  readonly name: string
  readonly variables: Readonly<Record<string, string | undefined>>
}

function* sourcesOf(from: CredentialSources): Generator<Named> {
  const wanted = from.env['OS_CLOUD'] || undefined
  const asked = from.env['OS_REGION_NAME'] || undefined
  const region = { asked, usual: from.config?.region }
  yield { name: 'the environment', variables: from.env }
  // an environment with URL and secret is a cloud of its own, which one that nobody named must not complete
  const isWhole =
    wanted === undefined && SECRETS.some((n) => from.env['OS_AUTH_URL'] && from.env[n])
  const clouds = isWhole
    ? undefined
    : textFile(from.cloudsYaml, from.cloudsYamlPath ?? 'clouds.yaml')
  const files = { clouds, secure: from.secureYaml, vendors: from.vendorsYaml }
  const file = cloudOf(files, wanted, region)
  if (file !== undefined) yield file
  for (const name of from.unreadable ?? []) yield { name, variables: {} }
  const own = yield* secretSources(from.secretData ?? {}, wanted, region)
  if (wanted !== undefined && file === undefined && !own) throw noCloudsYaml(wanted, from)
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

/** Its keys, its cloud.conf, its clouds.yaml. Returns whether there was a cloud in it. */
function* secretSources(
  secret: Readonly<Record<string, string>>,
  asked: string | undefined,
  region: RegionWish,
): Generator<Named, boolean> {
  if (Object.keys(secret).length === 0) return false
  yield { name: 'the Secret', variables: secret }
  const text = secret['cloud.conf']
  const conf = text === undefined ? undefined : readCloudConf(text)
  if (conf !== undefined) yield { name: 'cloud.conf of the Secret', variables: conf.variables }
  const wanted = asked ?? (secret['OS_CLOUD'] || undefined) ?? conf?.clouds?.cloud
  const of = (...keys: string[]) => {
    const key = keys.find((k) => secret[k] !== undefined)
    return key === undefined ? undefined : textFile(secret[key], `${key} of the Secret`)
  }
  const files = {
    clouds: of('clouds.yaml', 'clouds.yml', 'clouds.json'),
    secure: of('secure.yaml', 'secure.yml'),
    vendors: of('clouds-public.yaml', 'clouds-public.yml'),
  }
  if (conf?.clouds !== undefined && files.clouds === undefined)
    throw new UserError(
      'OpenStackCredentials',
      `cloud.conf of the Secret has use-clouds = true, and its clouds-file "${conf.clouds.file ?? 'clouds.yaml'}" is a file of the pods that it was written for`,
      { fix: 'add that file to the Secret under the key clouds.yaml' },
    )
  const own = secret['OS_REGION_NAME'] || conf?.variables['OS_REGION_NAME']
  const cloud = cloudOf(files, wanted, { ...region, asked: region.asked ?? own?.trim() })
  if (cloud !== undefined) yield cloud
  return cloud !== undefined
}

function textFile(text: string | undefined, where: string): TextFile | undefined {
  return text === undefined ? undefined : { text, where }
}

function cloudOf(
  { clouds, ...rest }: Partial<Record<'clouds' | 'secure' | 'vendors', TextFile | undefined>>,
  wanted: string | undefined,
  region: RegionWish,
): Source | undefined {
  if (clouds === undefined) return undefined
  const found = readCloud({ clouds, ...rest }, wanted, region)
  if (!('cloud' in found)) {
    const several = `${clouds.where}, where OS_CLOUD has to choose one of ${found.join(', ')}`
    return found.length === 0 ? undefined : { name: several, variables: {} }
  }
  return { name: `cloud "${found.cloud}" of ${clouds.where}`, variables: found.variables }
}

function noCloudsYaml(wanted: string, { unreadable = [] }: CredentialSources): UserError {
  const but = unreadable.length === 0 ? '' : ` (${unreadable.join('; ')})`
  return new UserError(
    'OpenStackCredentials',
    `OS_CLOUD is "${wanted}" but no clouds.yaml was found${but}`,
    { fix: 'set OS_CLIENT_CONFIG_FILE to its path, or unset OS_CLOUD and set the OS_* variables' },
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
