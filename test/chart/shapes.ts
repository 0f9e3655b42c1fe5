import type { Manifest } from '../crds/manifests.ts'

type Container = {
  readonly image: string
  readonly args: readonly string[]
  readonly env: readonly { readonly name: string; readonly value?: string; valueFrom?: object }[]
  readonly securityContext: Readonly<Record<string, unknown>>
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[]
  readonly resources?: object
}

export type PodSpec = {
  readonly serviceAccountName: string
  readonly automountServiceAccountToken?: boolean
  readonly hostNetwork?: boolean
  readonly hostPID?: boolean
  readonly affinity?: { readonly podAntiAffinity?: Readonly<Record<string, object[]>> }
  readonly nodeSelector?: object
  readonly tolerations?: readonly object[]
  readonly containers: readonly [Container]
  readonly [key: string]: unknown
}

export type Workload = Manifest & {
  readonly spec: {
    readonly replicas?: number
    readonly selector: { readonly matchLabels: object }
    readonly template: {
      readonly metadata: {
        readonly labels: Readonly<Record<string, string>>
        readonly annotations?: Readonly<Record<string, string>>
      }
      readonly spec: PodSpec
    }
  }
}

/** `Deployment/couchestor-controller`, sorted. */
export function names(objects: readonly Manifest[]): string[] {
  return objects.map((o) => `${o.kind}/${o.metadata.name}`).toSorted()
}

/** The one object of that kind and name. Throws with what there is when it is missing. */
export function one<T extends Manifest = Manifest>(
  objects: readonly Manifest[],
  kind: string,
  name: string,
): T {
  const found = objects.filter((o) => o.kind === kind && o.metadata.name === name)
  if (found.length !== 1)
    throw new Error(`${found.length} of ${kind}/${name} in ${names(objects).join(', ')}`)
  return found[0] as T
}

export function controllerOf(objects: readonly Manifest[]): Workload {
  return one<Workload>(objects, 'Deployment', 'couchestor-controller')
}

export function agentOf(objects: readonly Manifest[]): Workload {
  return one<Workload>(objects, 'DaemonSet', 'couchestor-agent')
}
