import type { Config } from '../api/config.ts'
import { DEFAULT_NAMESPACE } from '../api/names.ts'
import { messageOf, UserError } from '../errors.ts'
import { readPem } from '../http.ts'
import type { HttpOptions } from '../http.ts'
import { textOf } from '../text-file.ts'
import { SECRET } from '../kube/resources.ts'
import type { KubeClient, KubeObject } from '../kube/types.ts'
import { cloudFilePaths } from '../openstack/clouds-file.ts'
import type { CloudFile, TextFile } from '../openstack/clouds-file.ts'
import type { CredentialSources } from '../openstack/credential-variables.ts'
import { readCredentials } from '../openstack/credentials.ts'
import type { Credentials } from '../openstack/credentials.ts'

type Parts = {
  /** Where the Secret of `openstack.credential_ref` is; without, the environment must do. */
  readonly kube?: KubeClient
  readonly namespace?: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly config: () => Config
  readonly readFile: (path: string) => Promise<string>
}

/** The OpenStack credential, read again at each login; the Secret is asked only when the environment does not do. */
export function openStackCredentials(parts: Parts) {
  const read = async (): Promise<Credentials> => {
    const { openstack } = parts.config()
    const sources = {
      env: parts.env,
      config: {
        ...(openstack.authUrl === undefined ? {} : { auth_url: openstack.authUrl }),
        ...(openstack.region === undefined ? {} : { region: openstack.region }),
        ...(openstack.interface === undefined ? {} : { interface: openstack.interface }),
        ...(openstack.endpointOverride === undefined
          ? {}
          : { endpoint_override: openstack.endpointOverride }),
      },
      ...(await cloudFiles(parts)),
    }
    try {
      return withGnocchi(readCredentials(sources), parts.config())
    } catch (e) {
      const ref = openstack.credentialRef
      if (ref === undefined || !(e instanceof UserError)) throw e
      if (parts.kube === undefined) throw e
      const namespace = ref.namespace ?? parts.namespace ?? DEFAULT_NAMESPACE
      const secret = await secretData(parts.kube, ref.secretName, namespace)
      return withGnocchi(readCredentials({ ...sources, secretData: secret }), parts.config())
    }
  }
  const tls = async (): Promise<HttpOptions> => {
    const { openstack } = parts.config()
    const given = await read().then(
      (c) => c.tls,
      () => undefined,
    )
    const ca = openstack.caFile ?? given?.ca
    return {
      ...(ca === undefined ? {} : { ca: pem(ca, 'the certificate authority of OpenStack') }),
      ...(given?.cert === undefined
        ? {}
        : { cert: pem(given.cert, 'the client certificate for OpenStack') }),
      ...(given?.key === undefined ? {} : { key: pem(given.key, 'the client key for OpenStack') }),
      insecureSkipVerify: openstack.insecure || given?.insecure === true,
    }
  }
  return { read, tls }
}

function withGnocchi(credentials: Credentials, { gnocchi }: Config): Credentials {
  if (gnocchi.endpoint === undefined) return credentials
  const endpointOverrides = { ...credentials.endpointOverrides, metric: gnocchi.endpoint }
  return { ...credentials, endpointOverrides }
}

function pem(fileOrText: string, what: string): string {
  return fileOrText.includes('-----BEGIN') ? fileOrText : readPem(fileOrText, what)
}

type CloudFiles = Pick<
  CredentialSources,
  'cloudsYaml' | 'cloudsYamlPath' | 'secureYaml' | 'vendorsYaml' | 'unreadable'
>

async function cloudFiles(parts: Parts): Promise<CloudFiles> {
  const unreadable: string[] = []
  const clouds = await firstFile(parts, 'clouds', unreadable)
  const secureYaml = await firstFile(parts, 'secure', unreadable)
  const vendorsYaml = await firstFile(parts, 'clouds-public', unreadable)
  return {
    ...(clouds === undefined ? {} : { cloudsYaml: clouds.text, cloudsYamlPath: clouds.where }),
    ...(secureYaml === undefined ? {} : { secureYaml }),
    ...(vendorsYaml === undefined ? {} : { vendorsYaml }),
    unreadable,
  }
}

/** What is not there is passed over, and so is what cannot be read, which is noted. */
async function firstFile(
  { env, readFile }: Parts,
  file: CloudFile,
  unreadable: string[],
): Promise<TextFile | undefined> {
  for (const path of cloudFilePaths(env, file)) {
    try {
      return { text: await readFile(path), where: path }
    } catch (e) {
      const code = (e as { code?: unknown } | null)?.code
      const isGiven = path === env['OS_CLIENT_CONFIG_FILE'] || path === env['OS_CLIENT_SECURE_FILE']
      if (code === 'EISDIR') unreadable.push(`${path} is a directory and not a file`)
      else if (code === 'ENOENT' && isGiven) unreadable.push(`${path} does not exist`)
      else if (typeof code === 'string' && code !== 'ENOENT' && code !== 'ENOTDIR')
        unreadable.push(`${path} cannot be read (${code})`)
    }
  }
  return undefined
}

async function secretData(
  kube: KubeClient,
  name: string,
  namespace: string,
): Promise<Readonly<Record<string, string>>> {
  try {
    const secret = await kube.get<KubeObject & { data?: Record<string, string> }>(
      SECRET,
      name,
      namespace,
    )
    return Object.fromEntries(
      Object.entries(secret.data ?? {}).map(([k, v]) => [k, textOf(Buffer.from(v, 'base64'))]),
    )
  } catch (e) {
    throw new UserError(
      'OpenStackCredentials',
      `the environment has no OpenStack credential, and Secret ${namespace}/${name} of openstack.credential_ref cannot be read: ${messageOf(e)}`,
      {
        fix: 'set the OS_* variables from it, as the Deployment of the guide does, or let the ServiceAccount get this Secret',
        cause: e,
      },
    )
  }
}
