import type { Api } from './api.ts'
import { keysOf, NotYet } from './objects.ts'
import type { ContainerSpec, EnvVar, KeyRef, Pod } from './types.ts'

/** What a pod knows of itself before its status says so. */
export type Addresses = { readonly podIP: string; readonly hostIP: string }

const UNITS: Readonly<Record<string, number>> = {
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
}

/** The environment of a container as a kubelet makes it: the cluster's address, envFrom, env with $(NAME) filled in. */
export async function environmentOf(
  api: Api,
  pod: Pod,
  container: ContainerSpec,
  addresses: Addresses,
): Promise<Record<string, string>> {
  const env: Record<string, string> = {
    PATH: '/usr/local/bin',
    NODE_ENV: 'production',
    HOME: '/',
    HOSTNAME: pod.metadata.name,
    KUBERNETES_SERVICE_HOST: '10.96.0.1',
    KUBERNETES_SERVICE_PORT: '443',
    KUBERNETES_SERVICE_PORT_HTTPS: '443',
  }
  const keys = (kind: 'configmaps' | 'secrets', ref: { name: string; optional?: boolean }) =>
    keysOf(api, pod.metadata.namespace, kind, ref, 'CreateContainerConfigError')
  for (const { prefix = '', configMapRef, secretRef } of container.envFrom ?? []) {
    if (configMapRef)
      for (const [k, v] of await keys('configmaps', configMapRef)) env[prefix + k] = String(v)
    if (secretRef)
      for (const [k, v] of await keys('secrets', secretRef)) env[prefix + k] = String(v)
  }
  for (const one of container.env ?? []) {
    const value = await valueOf(one)
    if (value !== undefined) env[one.name] = value
  }
  return env

  async function valueOf({ value, valueFrom }: EnvVar): Promise<string | undefined> {
    if (valueFrom === undefined) return expand(value ?? '', env)
    const { configMapKeyRef, secretKeyRef, fieldRef, resourceFieldRef } = valueFrom
    if (configMapKeyRef) return keyed(await keys('configmaps', configMapKeyRef), configMapKeyRef)
    if (secretKeyRef) return keyed(await keys('secrets', secretKeyRef), secretKeyRef)
    if (fieldRef) return fieldOf(pod, fieldRef.fieldPath, addresses)
    if (resourceFieldRef) return resource(container, resourceFieldRef.resource)
    return undefined
  }
}

function keyed(keys: Map<string, Buffer>, ref: KeyRef): string | undefined {
  const value = keys.get(ref.key)
  if (value !== undefined) return String(value)
  if (ref.optional === true) return undefined
  throw new NotYet('CreateContainerConfigError', `no key "${ref.key}" in "${ref.name}"`)
}

/** Fills in $(NAME); $$(NAME) stays as $(NAME), and an unknown name as it is. */
export function expand(text: string, env: Readonly<Record<string, string>>): string {
  return text.replace(/\$(\$|\(([\w.-]+)\))/g, (whole, _, name: string | undefined) =>
    name === undefined ? '$' : (env[name] ?? whole),
  )
}

/** A field of the downward API, as text. */
export function fieldOf(pod: Pod, path: string, addresses: Addresses): string {
  const { metadata, spec } = pod
  const keyed = /^metadata\.(labels|annotations)\['(.+)'\]$/.exec(path)
  if (keyed) return metadata[keyed[1] as 'labels' | 'annotations']?.[keyed[2]!] ?? ''
  const fields: Readonly<Record<string, string | undefined>> = {
    'metadata.name': metadata.name,
    'metadata.namespace': metadata.namespace,
    'metadata.uid': metadata.uid,
    'spec.nodeName': spec.nodeName,
    'spec.serviceAccountName': spec.serviceAccountName,
    'status.podIP': addresses.podIP,
    'status.podIPs': addresses.podIP,
    'status.hostIP': addresses.hostIP,
  }
  return fields[path] ?? ''
}

function resource(container: ContainerSpec, name: string): string {
  const [kind, what] = name.split('.') as ['limits' | 'requests', string]
  const [, number, unit = ''] =
    /^([\d.]+)(\w*)$/.exec(container.resources?.[kind]?.[what] ?? '0') ?? []
  return String(Math.ceil(Number(number) * (UNITS[unit] ?? 1)))
}
