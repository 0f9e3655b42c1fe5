import { dirname, isAbsolute, join } from 'node:path'
import {
  boolCoreTag,
  FAILSAFE_SCHEMA,
  floatCoreTag,
  intCoreTag,
  load,
  mergeTag,
  NOT_RESOLVED,
  nullCoreTag,
} from 'js-yaml'
import type { ScalarTagDefinition } from 'js-yaml'
import { messageOf, UserError } from '../errors.ts'
import { invalid, readEntry } from './kubeconfig-entries.ts'
import type { Cluster, Context, EntryKind, RawEntry, User } from './kubeconfig-entries.ts'

/** `--context`, `--cluster` and `--user`, which go before the current context and what it names. */
export type Choice = {
  readonly context?: string | undefined
  readonly cluster?: string | undefined
  readonly user?: string | undefined
}

export type Chosen = {
  readonly cluster: Cluster & { readonly server: string }
  readonly user: User
  readonly userName: string
  readonly namespace: string | undefined
}

/** Numbers that would not be written the same again stay texts: names and passwords are often digits, such as 0123. */
const SCHEMA = FAILSAFE_SCHEMA.withTags(
  nullCoreTag,
  exact(boolCoreTag),
  exact(intCoreTag),
  exact(floatCoreTag),
  mergeTag,
)

function exact<T>(tag: ScalarTagDefinition<T>): ScalarTagDefinition<T> {
  const resolve: typeof tag.resolve = (source, isExplicit, tagName) => {
    const value = tag.resolve(source, isExplicit, tagName)
    return String(value) === source ? value : NOT_RESOLVED
  }
  return { ...tag, resolve }
}

type ReadFile = (path: string) => string
type Named = ReadonlyMap<string, RawEntry>
type Merged = {
  readonly currentContext: string
  readonly clusters: Named
  readonly users: Named
  readonly contexts: Named
}

const FILES = ['certificate-authority', 'client-certificate', 'client-key', 'tokenFile'] as const

/**
 * Cluster and user that kubectl would take: the first file that names a thing wins, a file of the list that is not there
 * is passed over, and a relative path is relative to the file that it stands in. Throws a `UserError`.
 */
export function choose(files: readonly string[], choice: Choice, readFile: ReadFile): Chosen {
  const where = files.join(':')
  const all = merged(files, readFile)
  const contextName = choice.context ?? all.currentContext
  const context = contextOf(all.contexts, contextName)
  if (context === undefined && choice.context !== undefined)
    throw missing(where, '--context', choice.context, 'context', all.contexts)
  const clusterName = choice.cluster ?? context?.cluster ?? ''
  const cluster = clusterOf(all.clusters, clusterName)
  if (cluster === undefined && choice.cluster !== undefined)
    throw missing(where, '--cluster', choice.cluster, 'cluster', all.clusters)
  if (cluster === undefined)
    throw new UserError(
      'KubeconfigNoContext',
      `kubeconfig ${where}: ${contextName === '' ? 'current-context is not set' : `context "${contextName}" names no cluster that is in the file`}`,
      { fix: 'choose one with kubectl config use-context NAME, or pass --context NAME' },
    )
  return {
    cluster: { ...cluster, server: serverOf(cluster, clusterName, where) },
    ...chosenUser(all, choice.user, context?.user ?? '', where),
    namespace: context?.namespace || undefined,
  }
}

function chosenUser(
  { users }: Merged,
  wanted: string | undefined,
  ofContext: string,
  where: string,
): Pick<Chosen, 'user' | 'userName'> {
  const userName = wanted ?? ofContext
  const user = userOf(users, userName)
  if (user !== undefined || userName === '') return { user: user ?? {}, userName }
  if (wanted !== undefined) throw missing(where, '--user', wanted, 'user', users)
  throw new UserError(
    'KubeconfigNoContext',
    `kubeconfig ${where}: the context names user "${userName}", who is not in the file`,
    { fix: 'correct the context, or pass --user NAME' },
  )
}

function missing(where: string, flag: string, name: string, kind: string, known: Named): UserError {
  const names = [...known.keys()]
  const fix = names.length === 0 ? `add a ${kind}` : `choose one of ${names.join(', ')}`
  return new UserError(
    'KubeconfigNoContext',
    `kubeconfig ${where}: ${flag} "${name}" is not in the file`,
    { fix },
  )
}

/** kubectl takes an address without a scheme as plain HTTP. */
function serverOf({ server = '' }: Cluster, name: string, where: string): string {
  const text = /^[a-z]+:\/\//i.test(server) ? server : `http://${server}`
  const url = server === '' ? null : URL.parse(text)
  const what = `server "${server.split('?')[0]?.replace(/\/\/.*@/, '//[hidden]@')}" of cluster "${name}"`
  const refused = (why: string, fix: string) =>
    new UserError('KubeconfigInvalid', `kubeconfig ${where}: ${what} ${why}`, { fix })
  if (url === null || !/^https?:$/.test(url.protocol))
    throw refused('is no address', 'write one such as https://10.0.0.1:6443')
  if (url.username !== '' || url.password !== '')
    throw refused('carries a user', 'write username and password, or a token, to the user instead')
  if (url.search !== '' || url.hash !== '')
    throw refused('carries a query', 'write the address alone, such as https://10.0.0.1:6443')
  return text.replace(/\/+$/, '')
}

function merged(files: readonly string[], readFile: ReadFile): Merged {
  const clusters = new Map<string, RawEntry>()
  const users = new Map<string, RawEntry>()
  const contexts = new Map<string, RawEntry>()
  let currentContext = ''
  let found = 0
  for (const file of files) {
    const text = textOfOne(file, files.length > 1, readFile)
    if (text === undefined) continue
    found += 1
    const one = parsed(file, text)
    currentContext ||= String(one['current-context'] ?? '')
    add(clusters, file, 'cluster', one.clusters)
    add(users, file, 'user', one.users)
    add(contexts, file, 'context', one.contexts)
  }
  if (found === 0)
    throw new UserError(
      'KubeFileUnreadable',
      `none of the files of the kubeconfig ${files.join(':')} exists`,
      { fix: 'correct KUBECONFIG, or pass --kubeconfig FILE' },
    )
  return { currentContext, clusters, users, contexts }
}

/** undefined for a file that may be missing, and is. */
function textOfOne(file: string, mayBeMissing: boolean, readFile: ReadFile): string | undefined {
  try {
    return readFile(file)
  } catch (e) {
    if (mayBeMissing && isMissing(e)) return undefined
    throw unreadable('kubeconfig', file, e)
  }
}

function isMissing(e: unknown): boolean {
  return (e as { code?: unknown }).code === 'ENOENT' || messageOf(e).startsWith('ENOENT')
}

export function unreadable(what: string, path: string, e: unknown): UserError {
  return new UserError('KubeFileUnreadable', `cannot read the ${what} "${path}": ${messageOf(e)}`, {
    fix: "correct the path or the file's permissions",
    cause: e,
  })
}

type Name = string | number | boolean
type Listed = ({ readonly name?: Name } & Readonly<Partial<Record<EntryKind, unknown>>>) | null
type File = {
  readonly 'current-context'?: Name | null
  readonly clusters?: readonly Listed[] | null
  readonly users?: readonly Listed[] | null
  readonly contexts?: readonly Listed[] | null
}

function parsed(file: string, text: string): File {
  let value: unknown
  try {
    value = text.trim() === '' ? {} : load(text, { schema: SCHEMA })
  } catch (e) {
    // a YAML error may quote the line, and the line may be a token
    throw invalid(file, `it is not YAML (${messageOf(e).split('\n')[0]})`)
  }
  if (value === null) return {}
  if (typeof value !== 'object' || Array.isArray(value)) throw invalid(file, 'it is not a mapping')
  for (const kind of ['clusters', 'users', 'contexts'] as const) {
    const list = (value as Record<string, unknown>)[kind]
    const fine = list === undefined || list === null || Array.isArray(list)
    if (!fine) throw invalid(file, `"${kind}" is not a list`)
  }
  return value
}

function add(
  known: Map<string, RawEntry>,
  file: string,
  kind: EntryKind,
  listed: readonly Listed[] | null | undefined,
): void {
  for (const one of listed ?? []) {
    const name = String(one?.name ?? '')
    const value = one?.[kind] ?? {}
    if (name !== '' && !known.has(name)) known.set(name, { file, name, value })
  }
}

function contextOf(known: Named, name: string): Context | undefined {
  const raw = known.get(name)
  return raw && readEntry('context', raw)
}

function clusterOf(known: Named, name: string): Cluster | undefined {
  const raw = known.get(name)
  return raw && absolute(raw.file, readEntry('cluster', raw))
}

function userOf(known: Named, name: string): User | undefined {
  const raw = known.get(name)
  return raw && withCommand(raw.file, absolute(raw.file, readEntry('user', raw)))
}

function absolute<T extends object>(file: string, entry: T): T {
  const paths = FILES.flatMap((key) => {
    const path = (entry as Record<string, unknown>)[key]
    return typeof path === 'string' && path !== '' ? [[key, beside(file, path)]] : []
  })
  return { ...entry, ...(Object.fromEntries(paths) as Partial<T>) }
}

/** A command with a slash is a path beside the file; one without is searched in PATH. */
function withCommand(file: string, user: User): User {
  if (!user.exec?.command.includes('/')) return user
  return { ...user, exec: { ...user.exec, command: beside(file, user.exec.command) } }
}

function beside(file: string, path: string): string {
  return isAbsolute(path) ? path : join(dirname(file), path)
}
