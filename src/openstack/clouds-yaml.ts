import { load } from 'js-yaml'
import { z } from 'zod'
import { messageOf, UserError } from '../errors.ts'

const Cloud = z.looseObject({ auth: z.looseObject({}).optional() })
const CloudsFile = z.looseObject({ clouds: z.record(z.string(), Cloud) })

export type CloudVariables = {
  readonly cloud: string
  /** The entry's keys under the names of the environment: `auth.username` is OS_USERNAME. */
  readonly variables: Readonly<Record<string, string>>
}

/** Where the standard clients look for clouds.yaml, in order; only the first that exists is read. */
export function cloudsYamlPaths(
  env: Readonly<Record<string, string | undefined>>,
): readonly string[] {
  const given = env['OS_CLIENT_CONFIG_FILE']
  if (given) return [given]
  const config = env['XDG_CONFIG_HOME'] || (env['HOME'] ? `${env['HOME']}/.config` : undefined)
  return [
    'clouds.yaml',
    ...(config === undefined ? [] : [`${config}/openstack/clouds.yaml`]),
    '/etc/openstack/clouds.yaml',
  ]
}

/**
 * One cloud of a clouds.yaml. With `wanted` that one; without, the only one or the one called `openstack`.
 * undefined when no choice can be made. Throws `UserError` when the text is no clouds.yaml or lacks the wanted cloud.
 */
export function readCloud(
  text: string,
  where: string,
  wanted: string | undefined,
): CloudVariables | undefined {
  const { clouds } = parse(text, where)
  const names = Object.keys(clouds)
  const cloud = wanted ?? (names.length === 1 ? names[0] : 'openstack')
  const entry = cloud === undefined ? undefined : clouds[cloud]
  if (cloud !== undefined && entry !== undefined) return { cloud, variables: variablesOf(entry) }
  if (wanted === undefined) return undefined
  throw new UserError(
    'OpenStackCredentials',
    `OS_CLOUD is "${wanted}", which ${where} does not have: choose one of ${names.join(', ') || '(it has none)'}`,
  )
}

function parse(text: string, where: string): z.infer<typeof CloudsFile> {
  let loaded: unknown
  try {
    loaded = load(text)
  } catch (e) {
    // the first line only: the rest quotes the file, secrets included
    const [reason] = messageOf(e).split('\n')
    throw new UserError('OpenStackCredentials', `${where} is not valid YAML: ${reason}`)
  }
  const result = CloudsFile.safeParse(loaded)
  if (result.success) return result.data
  throw new UserError(
    'OpenStackCredentials',
    `${where} is not a clouds.yaml: it needs a map "clouds" with one entry per cloud`,
  )
}

function variablesOf(cloud: z.infer<typeof Cloud>): Record<string, string> {
  const { auth, ...rest } = cloud
  const variables: Record<string, string> = {}
  for (const [key, value] of [...Object.entries(rest), ...Object.entries(auth ?? {})])
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
      variables[`OS_${key.toUpperCase()}`] = String(value)
  if (variables['OS_VERIFY'] === 'false') variables['OS_INSECURE'] = 'true'
  return variables
}
