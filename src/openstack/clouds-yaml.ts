import { UserError } from '../errors.ts'
import { isSettings, merged, parseCloudsFile, type Settings, type TextFile } from './clouds-file.ts'
import { VENDOR_AUTH_URLS } from './vendors.ts'

export type CloudFiles = {
  readonly clouds: TextFile
  /** Its secrets, kept apart: laid over the clouds of the same names. */
  readonly secure?: TextFile | undefined
  /** What the `profile` of a cloud may name. */
  readonly vendors?: TextFile | undefined
}

export type CloudVariables = {
  readonly cloud: string
  /** The entry's keys under the names of the environment: `auth.username` is OS_USERNAME. */
  readonly variables: Readonly<Record<string, string>>
}

/** Which of the regions of a cloud. */
export type RegionWish = {
  /** OS_REGION_NAME. */
  readonly asked?: string | undefined
  /** openstack.region of config.yaml, which chooses where the cloud leaves a choice. */
  readonly usual?: string | undefined
}

/**
 * One cloud of a clouds.yaml. With `wanted` that one; without, the only one or the one called `openstack`. The names of
 * its clouds when no choice can be made. Throws `UserError` when a file is not what it should be or lacks the wanted cloud or region.
 */
export function readCloud(
  files: CloudFiles,
  wanted: string | undefined,
  region: RegionWish,
): CloudVariables | readonly string[] {
  const { where } = files.clouds
  const file = parseCloudsFile(files.clouds)
  const clouds = mapIn(file, 'clouds', where)
  const names = Object.keys(clouds)
  const cloud = wanted ?? (names.length === 1 ? names[0] : 'openstack')
  // an entry without content may have it all in secure.yaml
  const entry = cloud === undefined || !names.includes(cloud) ? undefined : (clouds[cloud] ?? {})
  if (cloud !== undefined && isSettings(entry)) {
    const secure = secureOf(files.secure, cloud)
    const settings = normalised(merged(entry, secure))
    return { cloud, variables: variablesOf(chosen(settings, files, cloud, region)) }
  }
  if (wanted === undefined) return names
  throw new UserError(
    'OpenStackCredentials',
    `OS_CLOUD is "${wanted}", which ${where} does not have`,
    {
      fix:
        names.length === 0
          ? 'add it there, or unset OS_CLOUD'
          : `choose one of ${names.join(', ')}`,
    },
  )
}

function mapIn(file: Settings, key: string, where: string): Settings {
  const value = file[key]
  if (value === undefined || value === null) return {}
  if (isSettings(value)) return value
  throw new UserError('OpenStackCredentials', `${where} is not a clouds.yaml`, {
    fix: `write a map "${key}" with one entry per cloud`,
  })
}

function secureOf(secure: TextFile | undefined, cloud: string): Settings {
  if (secure === undefined) return {}
  const entry = mapIn(parseCloudsFile(secure), 'clouds', secure.where)[cloud]
  return isSettings(entry) ? entry : {}
}

/** Keys may be written with dashes. */
function normalised(settings: Settings): Settings {
  return Object.fromEntries(
    Object.entries(settings).map(([key, value]) => [
      key.replaceAll('-', '_'),
      isSettings(value) ? normalised(value) : value,
    ]),
  )
}

/** The entry on top of its vendor's profile, in the wanted region or its first. */
function chosen(
  settings: Settings,
  files: CloudFiles,
  cloud: string,
  { asked, usual }: RegionWish,
): Settings {
  const whole = merged(profileOf(settings, files, cloud), settings)
  const regions = regionsOf(whole)
  const wanted = asked ?? (regions.length > 1 ? usual : undefined)
  const region = wanted === undefined ? regions[0] : regions.find((r) => r.name === wanted)
  const isListed = Array.isArray(whole['regions']) || asked === undefined
  if (region === undefined && regions.length > 0 && isListed)
    throw new UserError(
      'OpenStackCredentials',
      `${asked === undefined ? 'openstack.region' : 'OS_REGION_NAME'} is "${wanted}", which cloud "${cloud}" of ${files.clouds.where} does not have`,
      { fix: `choose one of ${regions.map((r) => r.name).join(', ')}` },
    )
  const { regions: _, ...rest } = merged(whole, region?.values ?? {})
  const name = region?.name ?? wanted
  return formatted(name === undefined ? rest : { ...rest, region_name: name })
}

function profileOf(settings: Settings, files: CloudFiles, cloud: string): Settings {
  const name = settings['profile'] ?? settings['cloud']
  if (typeof name !== 'string' || name === '') return {}
  const vendors = files.vendors === undefined ? {} : parseCloudsFile(files.vendors)
  const own = isSettings(vendors['public-clouds']) ? vendors['public-clouds'][name] : undefined
  if (isSettings(own)) return normalised(own)
  const known = VENDOR_AUTH_URLS[name]
  if (known !== undefined) return { auth: { auth_url: known } }
  const { auth } = settings
  if (isSettings(auth) && auth['auth_url']) return {}
  throw new UserError(
    'OpenStackCredentials',
    `profile "${name}" of cloud "${cloud}" in ${files.clouds.where} is neither in a clouds-public.yaml nor a public cloud known here`,
    { fix: 'set auth.auth_url of the cloud' },
  )
}

type Region = { readonly name: string; readonly values: Settings }

/** `regions` holds names, or names with values of their own; `region_name` one name, a list, or names with commas. */
function regionsOf(settings: Settings): readonly Region[] {
  const { regions, region_name: single } = settings
  const several = regions ?? single
  const list = typeof several === 'string' ? several.split(',') : several
  if (!Array.isArray(list)) return []
  return list.flatMap((region: unknown): Region[] => {
    if (typeof region === 'string') return [{ name: region.trim(), values: {} }]
    if (!isSettings(region) || typeof region['name'] !== 'string') return []
    const values = isSettings(region['values']) ? normalised(region['values']) : {}
    return [{ name: region['name'], values }]
  })
}

/** `{region_name}` in a URL. */
function formatted(settings: Settings): Settings {
  const { auth } = settings
  if (!isSettings(auth) || typeof auth['auth_url'] !== 'string') return settings
  const url = auth['auth_url'].replaceAll(/\{(\w+)\}/g, (whole, key: string) => {
    const value = settings[key] ?? auth[key]
    return typeof value === 'string' && !/password|secret/.test(key) ? value : whole
  })
  return { ...settings, auth: { ...auth, auth_url: url } }
}

function variablesOf({ auth, ...rest }: Settings): Record<string, string> {
  const variables: Record<string, string> = {}
  const all = [...Object.entries(rest), ...Object.entries(isSettings(auth) ? auth : {})]
  for (const [key, value] of all) {
    const text: unknown = Array.isArray(value) ? value[0] : value
    if (typeof text === 'string') variables[`OS_${key.toUpperCase()}`] = text
  }
  if (/^(false|no|off|0)$/i.test(variables['OS_VERIFY'] ?? '')) variables['OS_INSECURE'] = 'true'
  return variables
}
