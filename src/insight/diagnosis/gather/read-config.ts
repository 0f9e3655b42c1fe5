import { parseConfig } from '../../../api/config.ts'
import { messageOf, UserError } from '../../../errors.ts'
import { CONFIG_MAP } from '../../../kube/resources.ts'
import { ApiError } from '../../../kube/types.ts'
import type { KubeObject } from '../../../kube/types.ts'
import type { DoctorDeps } from '../deps.ts'
import type { ConfigFacts } from '../facts.ts'

/** Where the Deployment mounts it. */
const MOUNTED = '/etc/couchestor/config.yaml'
const NAME = 'couchestor-config'

type Found = { readonly text: string; readonly where: string }

/**
 * config.yaml from `--config`, else as it is mounted here, else from its ConfigMap; `--prometheus` goes before what it
 * says. A file with mistakes is a fact, and defaults take its place; one that cannot be read throws `UserError`.
 */
export async function readConfig(
  deps: Pick<DoctorDeps, 'readFile' | 'kube' | 'namespace'>,
  flags: Readonly<Record<string, string | undefined>>,
): Promise<ConfigFacts> {
  const facts = await read(deps, flags['config'])
  const endpoint = flags['prometheus']
  if (endpoint === undefined) return facts
  const { config } = facts
  return { ...facts, config: { ...config, prometheus: { ...config.prometheus, endpoint } } }
}

async function read(
  deps: Pick<DoctorDeps, 'readFile' | 'kube' | 'namespace'>,
  path: string | undefined,
): Promise<ConfigFacts> {
  const defaults = parseConfig('', 'defaults')
  let found: Found | undefined
  try {
    found = (await ofFile(deps, path)) ?? (await ofConfigMap(deps))
  } catch (e) {
    if (e instanceof UserError) throw e
    return { config: defaults, where: undefined, mistakes: [], unread: messageOf(e) }
  }
  if (found === undefined)
    return { config: defaults, where: undefined, mistakes: [], unread: undefined }
  const { text, where } = found
  try {
    return { config: parseConfig(text, where), where, mistakes: [], unread: undefined }
  } catch (e) {
    return { config: defaults, where, mistakes: mistakesOf(e), unread: undefined }
  }
}

async function ofFile(
  { readFile }: Pick<DoctorDeps, 'readFile'>,
  path: string | undefined,
): Promise<Found | undefined> {
  const where = path ?? MOUNTED
  try {
    return { text: await readFile(where), where }
  } catch (e) {
    if (path === undefined) return undefined
    throw new UserError(
      'ConfigInvalid',
      `--config names ${path}, which cannot be read: ${messageOf(e)}`,
      {
        fix: 'name another file',
        cause: e,
      },
    )
  }
}

async function ofConfigMap({
  kube,
  namespace,
}: Pick<DoctorDeps, 'kube' | 'namespace'>): Promise<Found | undefined> {
  try {
    const map = await kube.client.get<KubeObject & { data?: Record<string, string> }>(
      CONFIG_MAP,
      NAME,
      namespace,
    )
    const text = map.data?.['config.yaml']
    const where = `config.yaml of ConfigMap ${namespace}/${NAME}`
    return text === undefined ? undefined : { text, where }
  } catch (e) {
    if (e instanceof ApiError && e.status === 404) return undefined
    throw e
  }
}

/** One mistake a line, after the heading that counts them. */
function mistakesOf(e: unknown): readonly string[] {
  const [first = '', ...rest] = messageOf(e).split('\n')
  return rest.length === 0 ? [first] : rest.map((line) => line.replace(/^- /, ''))
}
