import { FAILSAFE_SCHEMA, load, mergeTag, nullCoreTag, YAMLException } from 'js-yaml'
import { messageOf, UserError } from '../errors.ts'

/** A file of the standard clients, and its name for messages. */
export type TextFile = { readonly text: string; readonly where: string }

type Env = Readonly<Record<string, string | undefined>>

export type Settings = { readonly [key: string]: unknown }

/**
 * Every scalar is its own text, since ids and passwords are often digits and YAML numbers lose some of them: 0123,
 * 9876543210987655. Only what is empty, `~` or `null` is nothing. Merge keys are honoured as PyYAML does.
 */
const TEXTS = FAILSAFE_SCHEMA.withTags(nullCoreTag, mergeTag)

const SUFFIXES = ['yaml', 'yml', 'json']
const OVERRIDES: Readonly<Record<CloudFile, string | undefined>> = {
  clouds: 'OS_CLIENT_CONFIG_FILE',
  secure: 'OS_CLIENT_SECURE_FILE',
  'clouds-public': undefined,
}

export type CloudFile = 'clouds' | 'secure' | 'clouds-public'

/** Where the standard clients look for one of their files, in order; the first that can be read counts. */
export function cloudFilePaths(env: Env, file: CloudFile): readonly string[] {
  const override = OVERRIDES[file]
  const given = override === undefined ? undefined : env[override]
  const home = env['SNAP_REAL_HOME'] || env['HOME']
  const site = (env['XDG_CONFIG_DIRS'] || '/etc/xdg').split(':').filter((dir) => dir !== '')
  const folders = [
    '',
    ...(env['XDG_CONFIG_HOME'] ? [`${env['XDG_CONFIG_HOME']}/openstack/`] : []),
    ...(home ? [`${home}/.config/openstack/`] : []),
    ...site.map((dir) => `${dir}/openstack/`),
    '/etc/openstack/',
  ]
  const found = folders.flatMap((dir) => SUFFIXES.map((suffix) => `${dir}${file}.${suffix}`))
  return [...new Set(given ? [given, ...found] : found)]
}

/** The file as nested maps, lists and texts; a file without content is `{}`. Throws `UserError` with the place of a mistake. */
export function parseCloudsFile({ text, where }: TextFile): Settings {
  let loaded: unknown
  const plain = text.replace(/^\uFEFF/, '')
  try {
    loaded = /\S/.test(withoutComments(plain)) ? load(plain, { schema: TEXTS }) : undefined
  } catch (e) {
    throw new UserError('OpenStackCredentials', `${where} is not valid YAML: ${mistakeIn(e)}`)
  }
  if (loaded === undefined || loaded === null) return {}
  if (isSettings(loaded)) return loaded
  throw new UserError('OpenStackCredentials', `${where} is not a clouds.yaml`, {
    fix: 'write a map "clouds" with one entry per cloud',
  })
}

function withoutComments(text: string): string {
  return text.replaceAll(/^\s*(#.*|---.*|\.\.\.)$/gm, '')
}

/** Reason and place, never the excerpt that the library adds: it quotes the file, secrets included. */
function mistakeIn(e: unknown): string {
  if (!(e instanceof YAMLException)) return messageOf(e).split('\n')[0] ?? ''
  const { reason, mark } = e
  const fix = /duplicated/.test(reason)
    ? '; remove one of the two'
    : /tab/.test(reason)
      ? '; indent with spaces'
      : ''
  return mark ? `${reason} in line ${mark.line + 1}, column ${mark.column + 1}${fix}` : reason
}

export function isSettings(value: unknown): value is Settings {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** `over` on top of `under`, map by map; what `over` leaves empty stays. */
export function merged(under: Settings, over: Settings): Settings {
  const result: Record<string, unknown> = { ...under }
  for (const [key, value] of Object.entries(over)) {
    const old = result[key]
    if (value === null || value === undefined) continue
    result[key] = isSettings(old) && isSettings(value) ? merged(old, value) : value
  }
  return result
}
