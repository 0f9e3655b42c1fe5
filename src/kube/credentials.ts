import { join } from 'node:path'
import { DEFAULT_NAMESPACE } from '../api/names.ts'
import type { Clock } from '../clock.ts'
import { messageOf, UserError } from '../errors.ts'
import { bearer, cachedAuthorization } from './authorization.ts'
import type { Endpoint } from './kubeconfig.ts'
import type { Choice } from './kubeconfig-files.ts'
import { renewedMaterial } from './renewed-material.ts'

export type KubeAccess = Endpoint & {
  /** Our own namespace: the pod's, else `couchestor-system`. */
  readonly namespace: string
  /** The namespace that kubectl would use without `-n`: the context's, or the pod's. */
  readonly defaultNamespace: string
  /** Where it was found, for messages: a file name or `in-cluster`. */
  readonly source: string
}

export type KubeAccessOptions = {
  /** `--kubeconfig`. Goes before KUBECONFIG, the pod's service account and ~/.kube/config, in this order. */
  readonly kubeconfigPath?: string | undefined
  /** `--context`, `--cluster` and `--user`, which choose in a kubeconfig: a pod's own account is not meant then. */
  readonly choice?: Choice
  /** A person sits before a terminal, whom a credential command may ask. */
  readonly interactive?: boolean
  readonly env: Readonly<Record<string, string | undefined>>
  /** The text of a file; throws when there is none. */
  readonly readFile: (path: string) => string
  readonly clock: Clock
}

/** A cluster's certificate authority is renewed while the pod runs. */
const FRESH_MS = 60_000
const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount'

/**
 * How to reach the API server and as whom: `server` for the client, `tls` for `createHttpClient`, `authorization` for
 * each request. Throws a `UserError` that says what was searched for and what to do.
 */
export async function loadKubeAccess(options: KubeAccessOptions): Promise<KubeAccess> {
  const { kubeconfigPath, env, readFile } = options
  const namespace = attempt(() => readFile(`${SERVICE_ACCOUNT}/namespace`).trim())
  const own = namespace || DEFAULT_NAMESPACE
  // --kubeconfig names one file; KUBECONFIG may be a list
  if (kubeconfigPath) return fromKubeconfig([kubeconfigPath], own, options)
  const listed = (env['KUBECONFIG'] ?? '').split(':').filter((path) => path !== '')
  if (listed.length > 0) return fromKubeconfig(listed, own, options)
  const chosen = (['context', 'cluster', 'user'] as const).filter((n) => options.choice?.[n])
  const inPod = Boolean(env['KUBERNETES_SERVICE_HOST'])
  if (inPod && chosen.length === 0) return inCluster(own, namespace, options)
  const home = join(env['HOME'] ?? '~', '.kube', 'config')
  if (attempt(() => readFile(home)) !== undefined) return fromKubeconfig([home], own, options)
  throw new UserError(
    'KubeNotConfigured',
    inPod
      ? `--${chosen[0]} chooses in a kubeconfig, and there is none: --kubeconfig and KUBECONFIG are not set and ${home} cannot be read`
      : `no Kubernetes cluster is configured: --kubeconfig and KUBECONFIG are not set, this is not a pod (KUBERNETES_SERVICE_HOST is not set) and ${home} cannot be read`,
    {
      fix: inPod
        ? `pass --kubeconfig <file>, or leave --${chosen.join(' and --')} out to use the pod's own account`
        : 'pass --kubeconfig <file>',
    },
  )
}

/** Loaded only where there is a kubeconfig: a pod needs no YAML for its access. */
async function fromKubeconfig(
  files: readonly string[],
  own: string,
  options: KubeAccessOptions,
): Promise<KubeAccess> {
  const { loadKubeconfig } = await import('./kubeconfig.ts')
  const { namespace, ...endpoint } = await loadKubeconfig(files, options.choice ?? {}, {
    clock: options.clock,
    readFile: options.readFile,
    env: options.env,
    interactive: options.interactive ?? false,
  })
  return {
    ...endpoint,
    namespace: own,
    defaultNamespace: namespace ?? 'default',
    source: files.join(':'),
  }
}

async function inCluster(
  own: string,
  podNamespace: string | undefined,
  { env, readFile, clock }: KubeAccessOptions,
): Promise<KubeAccess> {
  const host = env['KUBERNETES_SERVICE_HOST']!
  const port = env['KUBERNETES_SERVICE_PORT'] || '443'
  const tokenPath = `${SERVICE_ACCOUNT}/token`
  const read = (path: string) => {
    try {
      return readFile(path)
    } catch (e) {
      throw new UserError(
        'KubeNoServiceAccount',
        `KUBERNETES_SERVICE_HOST is set but "${path}" cannot be read: ${messageOf(e)}`,
        { fix: 'set automountServiceAccountToken: true for the pod, or pass --kubeconfig <file>' },
      )
    }
  }
  const tls = await renewedMaterial(clock, FRESH_MS, () => ({
    ca: read(`${SERVICE_ACCOUNT}/ca.crt`),
  }))
  // read now, so that a missing token is reported at the start
  bearer(read(tokenPath), tokenPath)
  return {
    server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    tls,
    authorization: cachedAuthorization(clock, () => bearer(read(tokenPath), tokenPath)),
    namespace: own,
    defaultNamespace: podNamespace || 'default',
    source: 'in-cluster',
  }
}

function attempt<T>(fn: () => T): T | undefined {
  try {
    return fn()
  } catch {
    return undefined
  }
}
