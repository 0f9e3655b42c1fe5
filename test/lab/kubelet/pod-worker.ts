import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Api } from './api.ts'
import { Container, seconds } from './container.ts'
import type { Launch } from './container.ts'
import { environmentOf, expand } from './environment.ts'
import type { Image } from './image.ts'
import { addNetwork, nft, removeNetwork } from './network.ts'
import type { Network } from './network.ts'
import { NotYet } from './objects.ts'
import { podStatus } from './pod-status.ts'
import type { ContainerSpec, ContainerStatus, Pod } from './types.ts'
import { userOf, Volumes } from './volumes.ts'

export type PodWorkerOptions = {
  readonly api: Api
  /** Of this kubelet: pods/ and logs/ are below. */
  readonly folder: string
  /** The Node program for the containers. */
  readonly node: string
  readonly hostNetwork: Network
  readonly imageOf: (name: string) => Image | undefined
  /** What NetworkPolicies make of the pod at present, for nftables. */
  readonly rulesOf: (pod: Pod) => string
  readonly warn: (message: string) => void
}

/** Where the log of a container is, also after its pod is gone; that of the run before is beside it, with ".previous". */
export const logFile = (
  folder: string,
  namespace: string,
  pod: string,
  container: string,
): string => join(folder, 'logs', `${namespace}_${pod}_${container}.log`)

/** One pod, from its first to its last process. `sync` is called about every second with the pod as it is now. */
export class PodWorker {
  readonly #options: PodWorkerOptions
  readonly #folder: string
  readonly #startTime = new Date()
  #pod: Pod
  #network: Network | undefined
  #volumes: Volumes | undefined
  #init: Container[] = []
  #containers: Container[] = []
  #initialized = false
  #waiting: { reason: string; message?: string } = { reason: 'ContainerCreating' }
  #reported = ''
  #rules = ''
  #stopped: Promise<void> | undefined
  #volumesAt = 0
  #initializing = false

  constructor(pod: Pod, options: PodWorkerOptions) {
    this.#pod = pod
    this.#options = options
    this.#folder = join(options.folder, 'pods', pod.metadata.uid)
  }

  /** One step: whatever can be done now; never throws for what may be there later. */
  async sync(pod: Pod): Promise<void> {
    this.#pod = pod
    if (pod.metadata.deletionTimestamp !== undefined) return this.#delete()
    if (this.#over()) return
    try {
      await this.#advance()
    } catch (e) {
      if (!(e instanceof NotYet)) throw e
      this.#waiting = { reason: e.reason, message: e.message }
    }
    await this.#report()
  }

  /** Ends the processes; the network and the files go with them. The output stays. */
  stop(graceSeconds: number): Promise<void> {
    this.#stopped ??= (async () => {
      const all = [...this.#init, ...this.#containers]
      await Promise.all(all.map((c) => c.stop(graceSeconds)))
      if (this.#network && this.#network !== this.#options.hostNetwork)
        await removeNetwork(this.#network)
      rmSync(this.#folder, { recursive: true, force: true })
    })()
    return this.#stopped
  }

  #over(): boolean {
    return ['Succeeded', 'Failed'].includes(this.#pod.status?.phase ?? '')
  }

  async #delete(): Promise<void> {
    const { namespace, name, uid, deletionGracePeriodSeconds = 30 } = this.#pod.metadata
    const stopping = this.stop(deletionGracePeriodSeconds)
    await this.#report()
    await stopping
    await this.#report()
    await this.#options.api.deleteNow(`/api/v1/namespaces/${namespace}/pods/${name}`, uid)
  }

  async #advance(): Promise<void> {
    const { api, hostNetwork } = this.#options
    const { uid } = this.#pod.metadata
    this.#network ??= this.#pod.spec.hostNetwork === true ? hostNetwork : await addNetwork(uid)
    await this.#applyPolicies(this.#network)
    this.#volumes ??= new Volumes(api, join(this.#folder, 'volumes'), this.#addresses())
    // a kubelet checks about once a minute; that is long for a test of what follows a change
    if (Date.now() - this.#volumesAt > 5000) {
      await this.#volumes.refresh(this.#pod)
      this.#volumesAt = Date.now()
    }
    if (this.#initialized) return
    if (!this.#initializing) {
      this.#initializing = true
      void this.#initialize().catch((e: unknown) => this.#options.warn(String(e)))
    }
  }

  /** Before the first process, and whenever they change. A pod on the node's own network has none. */
  async #applyPolicies(network: Network): Promise<void> {
    if (network === this.#options.hostNetwork) return
    const rules = this.#options.rulesOf(this.#pod)
    if (rules === this.#rules) return
    await nft(rules, network.namespace)
    this.#rules = rules
  }

  async #initialize(): Promise<void> {
    const policy = this.#pod.spec.restartPolicy ?? 'Always'
    for (const spec of this.#pod.spec.initContainers ?? []) {
      const one = this.#container(spec, policy === 'Never' ? 'Never' : 'OnFailure')
      this.#init.push(one)
      await one.ended
      if (one.status.state.terminated?.exitCode !== 0) return
    }
    if (this.#stopped !== undefined) return
    this.#initialized = true
    this.#containers = this.#pod.spec.containers.map((spec) => this.#container(spec, policy))
  }

  #container(spec: ContainerSpec, restart: 'Always' | 'OnFailure' | 'Never'): Container {
    const { namespace, name } = this.#pod.metadata
    const before = this.#pod.status?.containerStatuses?.find((c) => c.name === spec.name)
    const ran = before?.state.running ?? before?.state.terminated ?? before?.lastState.terminated
    return new Container({
      spec,
      restart,
      ip: this.#addresses().podIP,
      logFile: logFile(this.#options.folder, namespace, name, spec.name),
      restartCount: ran === undefined ? 0 : (before?.restartCount ?? 0) + 1,
      launch: () => this.#launch(spec),
      event: (reason, message) => void this.#event(reason, message),
    })
  }

  #addresses(): { podIP: string; hostIP: string } {
    const { hostNetwork } = this.#options
    return { podIP: (this.#network ?? hostNetwork).ip, hostIP: hostNetwork.ip }
  }

  async #launch(spec: ContainerSpec): Promise<Launch> {
    const { api, node } = this.#options
    const pod = this.#pod
    const image = this.#options.imageOf(spec.image)
    if (image === undefined)
      throw new NotYet('CreateContainerConfigError', `no such image here: ${spec.image}`)
    const env = await environmentOf(api, pod, spec, this.#addresses())
    const context = { ...pod.spec.securityContext, ...spec.securityContext }
    const user = context.runAsUser ?? userOf(pod)
    if (context.runAsNonRoot === true && user === 0)
      throw new NotYet('CreateContainerConfigError', 'container would run as root')
    const group = context.runAsGroup ?? (context.runAsUser === undefined ? 65532 : 0)
    const folder = join(this.#folder, spec.name)
    mkdirSync(join(folder, 'root'), { recursive: true })
    const bundle = join(folder, 'couchestor.js')
    pull(image.bundle, bundle)
    const mounts = join(folder, 'mounts')
    writeFileSync(mounts, this.#mounts(spec, folder))
    const command = [
      ...(spec.command ?? image.entrypoint),
      ...(spec.args ?? (spec.command === undefined ? image.args : [])),
    ].map((text) => expand(text, env))
    return {
      namespace: (this.#network ?? this.#options.hostNetwork).namespace,
      hostPID: pod.spec.hostPID === true,
      env,
      args: [
        join(folder, 'root'),
        node,
        bundle,
        mounts,
        String(user),
        String(group),
        String(context.readOnlyRootFilesystem === true),
        String(context.privileged === true),
        pod.spec.hostNetwork === true ? (pod.spec.nodeName ?? '') : pod.metadata.name,
        String(context.fsGroup ?? ''),
        ...command,
      ],
    }
  }

  #mounts(spec: ContainerSpec, folder: string): string {
    const hosts = join(folder, 'hosts')
    const aliases = (this.#pod.spec.hostAliases ?? []).map(
      (a) => `${a.ip} ${a.hostnames.join(' ')}`,
    )
    const api = '10.96.0.1 kubernetes kubernetes.default kubernetes.default.svc'
    const self = `${this.#addresses().podIP} ${this.#pod.metadata.name}`
    writeFileSync(hosts, ['127.0.0.1 localhost', api, self, ...aliases, ''].join('\n'))
    const lines = (spec.volumeMounts ?? []).map(({ name, mountPath, subPath = '', readOnly }) => {
      const source = join(this.#volumes?.path(this.#pod, name) ?? '', subPath)
      const volume = this.#pod.spec.volumes?.find((v) => v.name === name)
      const writable = volume?.emptyDir !== undefined || volume?.hostPath !== undefined
      return [source, mountPath, writable && readOnly !== true ? 'rw' : 'ro'].join('\t')
    })
    return [`${hosts}\t/etc/hosts\tro`, ...lines, ''].join('\n')
  }

  async #report(): Promise<void> {
    const { namespace, name } = this.#pod.metadata
    const created: ContainerStatus[] = this.#containers.map((c) => c.status)
    const waiting = this.#pod.spec.containers.map((c) => waitingStatus(c, this.#waiting))
    const status = podStatus(this.#pod, {
      initialized: this.#initialized,
      init: this.#init.map((c) => c.status),
      containers: created.length > 0 ? created : waiting,
      startTime: this.#startTime,
      ...this.#addresses(),
    })
    // conditions keep their times only once the pod has them: compared without
    const text = JSON.stringify(status, (k, v: unknown) => (k === 'lastTransitionTime' ? '' : v))
    if (text === this.#reported) return
    await this.#options.api.patch(`/api/v1/namespaces/${namespace}/pods/${name}/status`, { status })
    this.#reported = text
  }

  async #event(reason: string, message: string): Promise<void> {
    const { namespace, name, uid } = this.#pod.metadata
    const now = seconds(new Date())
    await this.#options.api
      .create(`/api/v1/namespaces/${namespace}/events`, {
        metadata: { generateName: `${name}.` },
        involvedObject: { apiVersion: 'v1', kind: 'Pod', namespace, name, uid },
        source: { component: 'kubelet', host: this.#pod.spec.nodeName },
        type: 'Warning',
        reason,
        message,
        count: 1,
        firstTimestamp: now,
        lastTimestamp: now,
      })
      .catch((e: unknown) => this.#options.warn(String(e)))
  }
}

/** A copy of its own, as a pulled image is: the bundle may be built again at any moment. */
function pull(from: string, to: string): void {
  try {
    copyFileSync(from, to)
  } catch (e) {
    throw new NotYet('ErrImagePull', `there is no ${from} yet (npm run build): ${String(e)}`)
  }
}

function waitingStatus(
  { name, image }: ContainerSpec,
  waiting: { reason: string; message?: string },
): ContainerStatus {
  const not = { ready: false, started: false, restartCount: 0, lastState: {} }
  return { name, image, imageID: '', ...not, state: { waiting } }
}
