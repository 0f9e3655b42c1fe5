import { createSecureContext } from 'node:tls'
import type { Clock } from '../clock.ts'
import { messageOf, UserError } from '../errors.ts'
import type { HttpOptions, TlsMaterial } from '../http.ts'
import { fixedProxy } from '../proxy.ts'
import { bearer, cachedAuthorization } from './authorization.ts'
import { execCredential } from './exec-credential.ts'
import type { ExecCredential } from './exec-credential.ts'
import { choose, unreadable } from './kubeconfig-files.ts'
import type { Choice, Chosen } from './kubeconfig-files.ts'
import type { User } from './kubeconfig-entries.ts'
import { renewedMaterial } from './renewed-material.ts'
import type { Authorization } from './transport.ts'

export type Endpoint = {
  readonly server: string
  readonly tls: HttpOptions
  readonly authorization: Authorization
}

export type KubeconfigDeps = {
  readonly clock: Clock
  readonly readFile: (path: string) => string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly interactive: boolean
}

/** Server, certificates and credential that kubectl would use with these files. Throws a `UserError`. */
export async function loadKubeconfig(
  files: readonly string[],
  choice: Choice,
  deps: KubeconfigDeps,
): Promise<Endpoint & { readonly namespace: string | undefined }> {
  const chosen = choose(files, choice, deps.readFile)
  const { cluster, user } = chosen
  const where = files.join(':')
  refuseUnsupported(chosen, where)
  const exec = user.exec && !hasOwnToken(user) ? execCredential(user.exec, chosen, deps) : undefined
  // the command's own answer is kept until it expires, and asked for again by the authorization
  const freshMs = exec === undefined ? FRESH_MS : 0
  const renewed = await renewedMaterial(deps.clock, freshMs, async () =>
    material(chosen, await exec?.(false), deps),
  )
  return {
    server: cluster.server,
    namespace: chosen.namespace,
    tls: {
      ...renewed,
      ...(cluster['tls-server-name'] && { servername: cluster['tls-server-name'] }),
      ...(cluster['proxy-url'] && {
        proxy: fixedProxy(cluster['proxy-url'], `proxy-url of kubeconfig ${where}`),
      }),
      ...(cluster['insecure-skip-tls-verify'] === true && { insecureSkipVerify: true }),
      ...impersonation(user),
    },
    authorization: cachedAuthorization(deps.clock, async (refresh) => {
      if (exec === undefined) return staticCredential(files, choice, chosen, deps)
      const { token } = await exec(refresh)
      return token === undefined ? undefined : bearer(token, `command "${user.exec?.command}"`)
    }),
  }
}

function hasOwnToken({ token, tokenFile, username }: User): boolean {
  return Boolean(token || tokenFile || username)
}

const FRESH_MS = 60_000

function refuseUnsupported({ user, userName }: Chosen, where: string): void {
  if (!user.as && (user['as-uid'] || user['as-groups']?.length || user['as-user-extra']))
    throw new UserError(
      'KubeconfigInvalid',
      `kubeconfig ${where}: user "${userName}" impersonates a uid, groups or extra fields, but no user`,
      { fix: 'add "as"' },
    )
  const provider = user['auth-provider']?.name
  if (provider !== undefined && provider !== 'oidc')
    throw new UserError(
      'KubeconfigUnsupported',
      `kubeconfig ${where}: auth-provider "${provider}" of user "${userName}" is one that kubectl has given up too`,
      { fix: 'use its exec plugin' },
    )
}

/** Headers in which the API server reads whose rights are meant. */
function impersonation(user: User): Pick<HttpOptions, 'headers'> {
  if (!user.as) return {}
  const extra = Object.entries(user['as-user-extra'] ?? {}).map(
    ([key, values]) =>
      [`impersonate-extra-${encodeURIComponent(key.toLowerCase())}`, values] as const,
  )
  return {
    headers: {
      'impersonate-user': user.as,
      ...(user['as-uid'] && { 'impersonate-uid': user['as-uid'] }),
      ...(user['as-groups']?.length && { 'impersonate-group': user['as-groups'] }),
      ...Object.fromEntries(extra),
    },
  }
}

/** What is written into the kubeconfig goes before the file it names, as for kubectl. */
function material(
  { cluster, user, userName }: Chosen,
  external: ExecCredential | undefined,
  deps: KubeconfigDeps,
): TlsMaterial {
  const pem = (data: string | undefined, file: string | undefined, what: string) => {
    const text = data
      ? Buffer.from(data, 'base64').toString('utf8')
      : file && fileOf(file, what, deps)
    // what cannot be used would show only with the first connection, as one that broke off
    if (!text || text.includes('-----BEGIN ')) return text || undefined
    throw unusable(
      data ? `${what}-data` : `${what} "${file}"`,
      `it is no PEM text${data ? ' in base64' : ''}`,
    )
  }
  const ca = pem(
    cluster['certificate-authority-data'],
    cluster['certificate-authority'],
    'certificate-authority',
  )
  const cert =
    external?.cert ??
    pem(user['client-certificate-data'], user['client-certificate'], 'client-certificate')
  const key = external?.key ?? pem(user['client-key-data'], user['client-key'], 'client-key')
  if (cert !== undefined || key !== undefined) checkPair(cert, key, userName)
  return {
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
  }
}

function checkPair(cert: string | undefined, key: string | undefined, userName: string): void {
  const what = `the client certificate of user "${userName}"`
  if (cert === undefined || key === undefined)
    throw unusable(what, `its ${cert === undefined ? 'certificate' : 'key'} is missing`)
  try {
    createSecureContext({ cert, key })
  } catch (e) {
    throw unusable(what, messageOf(e))
  }
}

function unusable(what: string, why: string): UserError {
  return new UserError('KubeconfigInvalid', `${what} of the kubeconfig cannot be used: ${why}`, {
    fix: 'log in again, or correct it',
  })
}

function staticCredential(
  files: readonly string[],
  choice: Choice,
  { user, userName }: Chosen,
  deps: KubeconfigDeps,
): string | undefined {
  const token = user.token ? String(user.token) : undefined
  if (user.tokenFile) {
    const text = tokenOf(user.tokenFile, token, deps)
    return bearer(text, text === token ? `user "${userName}" of the kubeconfig` : user.tokenFile)
  }
  if (token !== undefined) return bearer(token, `user "${userName}" of the kubeconfig`)
  if (user.username)
    return `Basic ${Buffer.from(`${user.username}:${user.password ?? ''}`).toString('base64')}`
  // kubectl writes a renewed token into the file
  return user['auth-provider'] && idToken(choose(files, choice, deps.readFile), deps)
}

/** The file goes before the token beside it, which holds while there is no file. */
function tokenOf(path: string, token: string | undefined, deps: KubeconfigDeps): string {
  try {
    return deps.readFile(path)
  } catch (e) {
    if (token !== undefined) return token
    throw unreadable('tokenFile', path, e)
  }
}

/** The token of auth-provider oidc; only kubectl can renew it, since a refresh token is good for one use. */
function idToken({ user, userName }: Chosen, { clock }: KubeconfigDeps): string {
  const token = user['auth-provider']?.config?.['id-token'] ?? ''
  const expires = expiryOf(token)
  if (token !== '' && clock.now() < expires) return bearer(token, `user "${userName}"`)
  throw new UserError(
    'KubeTokenInvalid',
    `the id-token of user "${userName}" (auth-provider oidc) ${token === '' ? 'is missing' : 'has expired'}`,
    { fix: 'run kubectl get namespaces once, which renews it' },
  )
}

function expiryOf(token: string): number {
  try {
    const claims = JSON.parse(
      Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'),
    ) as { exp?: unknown }
    return typeof claims.exp === 'number' ? claims.exp * 1000 : Infinity
  } catch {
    return Infinity
  }
}

function fileOf(path: string, what: string, { readFile }: KubeconfigDeps): string {
  try {
    return readFile(path)
  } catch (e) {
    throw unreadable(what, path, e)
  }
}
