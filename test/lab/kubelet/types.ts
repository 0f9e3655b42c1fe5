/** What this kubelet reads of a pod; all else is ignored. Shapes of core/v1. */
export type Pod = {
  readonly metadata: Metadata & {
    readonly deletionTimestamp?: string
    readonly deletionGracePeriodSeconds?: number
  }
  readonly spec: PodSpec
  readonly status?: PodStatus
}

export type Metadata = {
  readonly name: string
  readonly namespace: string
  readonly uid: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
}

export type PodSpec = {
  readonly nodeName?: string
  readonly hostNetwork?: boolean
  readonly hostPID?: boolean
  readonly serviceAccountName?: string
  readonly restartPolicy?: 'Always' | 'OnFailure' | 'Never'
  readonly terminationGracePeriodSeconds?: number
  readonly securityContext?: {
    readonly runAsUser?: number
    readonly runAsGroup?: number
    readonly runAsNonRoot?: boolean
    readonly fsGroup?: number
  }
  readonly hostAliases?: readonly { readonly ip: string; readonly hostnames: readonly string[] }[]
  readonly volumes?: readonly Volume[]
  readonly initContainers?: readonly ContainerSpec[]
  readonly containers: readonly ContainerSpec[]
}

export type ContainerSpec = {
  readonly name: string
  readonly image: string
  readonly command?: readonly string[]
  readonly args?: readonly string[]
  readonly workingDir?: string
  readonly ports?: readonly { readonly name?: string; readonly containerPort: number }[]
  readonly env?: readonly EnvVar[]
  readonly envFrom?: readonly {
    readonly prefix?: string
    readonly configMapRef?: ObjectRef
    readonly secretRef?: ObjectRef
  }[]
  readonly resources?: {
    readonly requests?: Readonly<Record<string, string>>
    readonly limits?: Readonly<Record<string, string>>
  }
  readonly securityContext?: {
    readonly runAsUser?: number
    readonly runAsGroup?: number
    readonly runAsNonRoot?: boolean
    readonly readOnlyRootFilesystem?: boolean
    readonly privileged?: boolean
  }
  readonly volumeMounts?: readonly {
    readonly name: string
    readonly mountPath: string
    readonly subPath?: string
    readonly readOnly?: boolean
  }[]
  readonly startupProbe?: ProbeSpec
  readonly livenessProbe?: ProbeSpec
  readonly readinessProbe?: ProbeSpec
}

export type ObjectRef = { readonly name: string; readonly optional?: boolean }
export type KeyRef = ObjectRef & { readonly key: string }

export type EnvVar = {
  readonly name: string
  readonly value?: string
  readonly valueFrom?: {
    readonly configMapKeyRef?: KeyRef
    readonly secretKeyRef?: KeyRef
    readonly fieldRef?: { readonly fieldPath: string }
    readonly resourceFieldRef?: { readonly containerName?: string; readonly resource: string }
  }
}

export type ProbeSpec = {
  readonly httpGet?: {
    readonly path?: string
    readonly port: number | string
    readonly scheme?: 'HTTP' | 'HTTPS'
    readonly httpHeaders?: readonly { readonly name: string; readonly value: string }[]
  }
  readonly tcpSocket?: { readonly port: number | string }
  readonly exec?: { readonly command: readonly string[] }
  readonly initialDelaySeconds?: number
  readonly periodSeconds?: number
  readonly timeoutSeconds?: number
  readonly successThreshold?: number
  readonly failureThreshold?: number
}

export type KeyToPath = { readonly key: string; readonly path: string; readonly mode?: number }

export type Source = {
  readonly configMap?: ObjectRef & { readonly items?: readonly KeyToPath[] }
  readonly secret?: ObjectRef & { readonly items?: readonly KeyToPath[] }
  readonly downwardAPI?: {
    readonly items?: readonly { readonly path: string; readonly fieldRef: { fieldPath: string } }[]
  }
  readonly serviceAccountToken?: {
    readonly audience?: string
    readonly expirationSeconds?: number
    readonly path: string
  }
}

export type Volume = {
  readonly name: string
  readonly configMap?: Source['configMap'] & { readonly defaultMode?: number }
  readonly secret?: Omit<NonNullable<Source['secret']>, 'name'> & {
    readonly secretName: string
    readonly defaultMode?: number
  }
  readonly downwardAPI?: Source['downwardAPI'] & { readonly defaultMode?: number }
  readonly projected?: { readonly sources: readonly Source[]; readonly defaultMode?: number }
  readonly emptyDir?: object
  readonly hostPath?: { readonly path: string }
}

export type ContainerState = {
  readonly waiting?: { readonly reason: string; readonly message?: string }
  readonly running?: { readonly startedAt: string }
  readonly terminated?: {
    readonly exitCode: number
    readonly reason: string
    readonly startedAt: string
    readonly finishedAt: string
  }
}

export type ContainerStatus = {
  readonly name: string
  readonly image: string
  readonly imageID: string
  readonly containerID?: string
  readonly ready: boolean
  readonly started: boolean
  readonly restartCount: number
  readonly state: ContainerState
  readonly lastState: ContainerState
}

export type Condition = {
  readonly type: string
  readonly status: 'True' | 'False'
  readonly lastTransitionTime?: string
  readonly reason?: string
  readonly message?: string
}

export type PodStatus = {
  readonly phase?: 'Pending' | 'Running' | 'Succeeded' | 'Failed'
  readonly conditions?: readonly Condition[]
  readonly containerStatuses?: readonly ContainerStatus[]
  readonly initContainerStatuses?: readonly ContainerStatus[]
  readonly podIP?: string
  readonly podIPs?: readonly { readonly ip: string }[]
  readonly hostIP?: string
  readonly hostIPs?: readonly { readonly ip: string }[]
  readonly startTime?: string
}
