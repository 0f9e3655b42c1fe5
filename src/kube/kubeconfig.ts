import { dirname, isAbsolute, join } from 'node:path'
import { KubeConfig } from '@kubernetes/client-node'
import type { Cluster, User } from '@kubernetes/client-node'
import { load } from 'js-yaml'
import type { Clock } from '../clock.ts'
import { messageOf, UserError } from '../errors.ts'
import type { HttpOptions } from '../http.ts'
import { bearer, cachedAuthorization } from './authorization.ts'
import { redact } from './redact.ts'
import type { Authorization } from './transport.ts'

export type Endpoint = {
  readonly server: string
  readonly tls: HttpOptions
  readonly authorization: Authorization
}

type Deps = { readonly clock: Clock; readonly readFile: (path: string) => string }

type Chosen = { readonly cluster: Cluster; readonly user: User | null; readonly tokenFile?: string }

/**
 * Server, certificates and credential of a kubeconfig's current context. `paths` as in KUBECONFIG: several files
 * separated by colons, where the first that names a thing wins. Throws a `UserError`.
 */
export async function loadKubeconfig(paths: string, deps: Deps): Promise<Endpoint> {
  const files = paths.split(':').filter((p) => p !== '')
  const chosen = choose(files, deps)
  const { cluster, user } = chosen
  refuseUnsupported(cluster, user, paths)
  const own = certificates(cluster, user, deps)
  const external = user?.exec || user?.authProvider ? plugin(files, user, deps) : undefined
  const fromPlugin = external ? await external(false) : undefined
  const tls = {
    ...own,
    ...(fromPlugin?.cert && { cert: fromPlugin.cert }),
    ...(fromPlugin?.key && { key: fromPlugin.key }),
  }
  return {
    server: cluster.server.replace(/\/+$/, ''),
    tls,
    authorization: cachedAuthorization(deps.clock, async (refresh) =>
      external ? (await external(refresh)).authorization : staticCredential(chosen, deps),
    ),
  }
}

function choose(files: readonly string[], deps: Deps): Chosen {
  const configs = files.map((file) => ({ file, text: read(file, 'kubeconfig', deps) }))
  const kubeConfig = merged(configs)
  const cluster = kubeConfig.getCurrentCluster()
  if (!cluster)
    throw new UserError(
      'KUBECONFIG_NO_CONTEXT',
      `kubeconfig ${files.join(':')}: current-context "${kubeConfig.getCurrentContext() ?? ''}" names no ` +
        'context with a cluster; choose one with kubectl config use-context <name>',
    )
  const user = kubeConfig.getCurrentUser()
  const tokenFile = user ? tokenFileOf(configs, user.name) : undefined
  return { cluster, user, ...(tokenFile !== undefined && { tokenFile }) }
}

type Source = { readonly file: string; readonly text: string }

function merged(configs: readonly Source[]): KubeConfig {
  const all = new KubeConfig()
  for (const { file, text } of configs) {
    const one = parsed(file, text)
    all.currentContext ||= one.currentContext
    for (const kind of ['clusters', 'users', 'contexts'] as const) {
      const known = new Set(all[kind].map((x) => x.name))
      ;(all[kind] as { name: string }[]).push(...one[kind].filter((x) => !known.has(x.name)))
    }
  }
  return all
}

function parsed(file: string, text: string): KubeConfig {
  const one = new KubeConfig()
  try {
    one.loadFromString(text)
  } catch (e) {
    throw new UserError(
      'KUBECONFIG_INVALID',
      // a YAML error may quote the line, and the line may be a token
      `kubeconfig ${file} cannot be read: ${messageOf(e).split('\n')[0]}; check it with kubectl config view`,
    )
  }
  one.makePathsAbsolute(dirname(file))
  return one
}

/** `tokenFile` as kubectl knows it; the library reads another name once. */
function tokenFileOf(configs: readonly Source[], userName: string): string | undefined {
  for (const { file, text } of configs) {
    const { users } = load(text) as {
      users?: { name?: string; user?: { tokenFile?: string } }[]
    }
    const entry = users?.find((u) => u.name === userName)
    if (!entry) continue
    const path = entry.user?.tokenFile
    return path === undefined || isAbsolute(path) ? path : join(dirname(file), path)
  }
  return undefined
}

function refuseUnsupported(cluster: Cluster, user: User | null, paths: string): void {
  const found =
    (cluster.proxyUrl && 'proxy-url') ||
    (cluster.tlsServerName && 'tls-server-name') ||
    (user?.impersonateUser && 'as (impersonation)')
  if (found)
    throw new UserError(
      'KUBECONFIG_UNSUPPORTED',
      `kubeconfig ${paths}: "${found}" is not supported; use a context without it`,
    )
}

function certificates(cluster: Cluster, user: User | null, deps: Deps): HttpOptions {
  const pem = (file: string | undefined, data: string | undefined, what: string) =>
    file ? read(file, what, deps) : data ? Buffer.from(data, 'base64').toString('utf8') : undefined
  const ca = pem(cluster.caFile, cluster.caData, 'certificate-authority')
  const cert = pem(user?.certFile, user?.certData, 'client-certificate')
  const key = pem(user?.keyFile, user?.keyData, 'client-key')
  return {
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(cluster.skipTLSVerify && { insecureSkipVerify: true }),
  }
}

function staticCredential({ user, tokenFile }: Chosen, deps: Deps): string | undefined {
  if (tokenFile) return bearer(read(tokenFile, 'tokenFile', deps), tokenFile)
  if (user?.token) return bearer(user.token, `user "${user.name}" of the kubeconfig`)
  if (!user?.username) return undefined
  return `Basic ${Buffer.from(`${user.username}:${user.password ?? ''}`).toString('base64')}`
}

type FromPlugin = {
  readonly authorization: string | undefined
  readonly cert?: string
  readonly key?: string
}

/** Asks the user's exec plugin or auth provider through the library, which keeps the answer until it expires. */
function plugin(files: readonly string[], user: User, deps: Deps) {
  const fresh = () => merged(files.map((file) => ({ file, text: read(file, 'kubeconfig', deps) })))
  let kubeConfig = fresh()
  return async (refresh: boolean): Promise<FromPlugin> => {
    // the library has no other way to forget a token that the server refused before its time
    if (refresh) kubeConfig = fresh()
    const filled: PluginOptions = { headers: {} }
    try {
      await kubeConfig.applyToHTTPSOptions(
        filled as Parameters<KubeConfig['applyToHTTPSOptions']>[0],
      )
    } catch (e) {
      const said = redact(messageOf(e)).split('\n')[0]!.slice(0, 200)
      const what = user.exec ? `command "${user.exec.command}"` : 'auth provider'
      throw new UserError(
        'KUBE_EXEC_FAILED',
        `the credential ${what} of user "${user.name}" failed: ${said}; run it by hand to see more`,
      )
    }
    return {
      authorization: filled.headers['Authorization'],
      ...(filled.cert && { cert: String(filled.cert) }),
      ...(filled.key && { key: String(filled.key) }),
    }
  }
}

type PluginOptions = {
  readonly headers: Record<string, string>
  readonly cert?: string | Buffer
  readonly key?: string | Buffer
}

function read(path: string, what: string, { readFile }: Deps): string {
  try {
    return readFile(path)
  } catch (e) {
    throw new UserError(
      'KUBE_FILE_UNREADABLE',
      `cannot read the ${what} "${path}": ${messageOf(e)}; correct the path or the file's permissions`,
    )
  }
}
