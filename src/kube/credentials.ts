import { join } from 'node:path'
import { DEFAULT_NAMESPACE } from '../api/names.ts'
import type { Clock } from '../clock.ts'
import { messageOf, UserError } from '../errors.ts'
import { bearer, cachedAuthorization } from './authorization.ts'
import type { Endpoint } from './kubeconfig.ts'

export type KubeAccess = Endpoint & {
  /** Our own namespace: the pod's, else `couchestor-system`. */
  readonly namespace: string
  /** Where it was found, for messages: a file name or `in-cluster`. */
  readonly source: string
}

export type KubeAccessOptions = {
  /** `--kubeconfig`. Goes before KUBECONFIG, the pod's service account and ~/.kube/config, in this order. */
  readonly kubeconfigPath?: string | undefined
  readonly env: Readonly<Record<string, string | undefined>>
  /** The text of a file; throws when there is none. */
  readonly readFile: (path: string) => string
  readonly clock: Clock
}

const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount'

/**
 * How to reach the API server and as whom: `server` for the client, `tls` for `createHttpClient`, `authorization` for
 * each request. Throws a `UserError` that says what was looked for and what to do.
 */
export async function loadKubeAccess(options: KubeAccessOptions): Promise<KubeAccess> {
  const { kubeconfigPath, env, readFile } = options
  const namespace = attempt(() => readFile(`${SERVICE_ACCOUNT}/namespace`).trim())
  const known = { namespace: namespace || DEFAULT_NAMESPACE }
  const explicit = kubeconfigPath ?? env['KUBECONFIG']
  if (explicit) return { ...(await fromKubeconfig(explicit, options)), ...known, source: explicit }
  if (env['KUBERNETES_SERVICE_HOST'])
    return { ...inCluster(options), ...known, source: 'in-cluster' }
  const home = join(env['HOME'] ?? '~', '.kube', 'config')
  if (attempt(() => readFile(home)) !== undefined)
    return { ...(await fromKubeconfig(home, options)), ...known, source: home }
  throw new UserError(
    'KUBE_NOT_CONFIGURED',
    'no Kubernetes cluster is configured: --kubeconfig and KUBECONFIG are not set, this is no pod ' +
      `(KUBERNETES_SERVICE_HOST is not set) and ${home} cannot be read; pass --kubeconfig <file>`,
  )
}

/** Loaded only where there is a kubeconfig: what reads one takes 19 MB that a pod has better uses for. */
async function fromKubeconfig(paths: string, options: KubeAccessOptions): Promise<Endpoint> {
  const { loadKubeconfig } = await import('./kubeconfig.ts')
  return loadKubeconfig(paths, options)
}

function inCluster({ env, readFile, clock }: KubeAccessOptions): Endpoint {
  const host = env['KUBERNETES_SERVICE_HOST']!
  const port = env['KUBERNETES_SERVICE_PORT'] || '443'
  const tokenPath = `${SERVICE_ACCOUNT}/token`
  const read = (path: string) => {
    try {
      return readFile(path)
    } catch (e) {
      throw new UserError(
        'KUBE_NO_SERVICE_ACCOUNT',
        `KUBERNETES_SERVICE_HOST is set but "${path}" cannot be read: ${messageOf(e)}; ` +
          'set automountServiceAccountToken: true for the pod, or pass --kubeconfig <file>',
      )
    }
  }
  const tls = { ca: read(`${SERVICE_ACCOUNT}/ca.crt`) }
  // read now, so that a missing token is told at the start
  bearer(read(tokenPath), tokenPath)
  return {
    server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    tls,
    authorization: cachedAuthorization(clock, () => bearer(read(tokenPath), tokenPath)),
  }
}

function attempt<T>(fn: () => T): T | undefined {
  try {
    return fn()
  } catch {
    return undefined
  }
}
