import type { WorldOptions, WorldVolume } from '../../src/sim/world.ts'
import type { ApiServerOptions } from '../../src/sim/apiserver/apiserver.ts'
import { HOUR, Stage } from './stage.ts'

const DRIVER = 'cinder.csi.openstack.org'
const NODE = 'node-1'
const APPS = '/apis/apps/v1'
const PATH = { Deployment: 'deployments', StatefulSet: 'statefulsets' } as const

type Kind = keyof typeof PATH
type Object = ReturnType<Stage['pvc']>
type Pod = Object & {
  readonly spec: { readonly volumes?: { persistentVolumeClaim?: { claimName?: string } }[] }
}

const ALLOWED = { 'couchestor.io/allow-restart': 'true' }

/** A stage with the controllers of workloads, and with nodes that attach what their Pods use. */
export class WorkloadStage extends Stage {
  readonly #volumes = new Map<string, WorldVolume>()

  constructor(apiServer: Partial<ApiServerOptions> = {}, cloud: WorldOptions['cloud'] = {}) {
    super({ csi: true, cloud, apiServer: { workloads: 'Ready', ...apiServer } })
  }

  /** Idle claims on the fastest tier, used by the Pods of a Deployment. */
  async deployment(
    name: string,
    options: {
      readonly claims: readonly string[]
      readonly replicas?: number
      readonly annotations?: Readonly<Record<string, string>>
    },
  ): Promise<readonly WorldVolume[]> {
    const { claims, replicas = 1, annotations = ALLOWED } = options
    const made = claims.map((claim) => this.used(claim))
    await this.#post('Deployment', name, annotations, {
      replicas,
      template: {
        spec: {
          volumes: claims.map((claimName) => ({
            name: claimName,
            persistentVolumeClaim: { claimName },
          })),
        },
      },
    })
    return made
  }

  /** Idle claims `data-NAME-ORDINAL` on the fastest tier, one for each Pod of a StatefulSet. */
  async statefulSet(name: string, replicas: number): Promise<readonly WorldVolume[]> {
    const made = Array.from({ length: replicas }, (_, i) => this.used(`data-${name}-${i}`))
    await this.#post('StatefulSet', name, ALLOWED, {
      replicas,
      serviceName: name,
      template: { spec: {} },
      volumeClaimTemplates: [
        {
          metadata: { name: 'data' },
          spec: {
            accessModes: ['ReadWriteOnce'],
            resources: { requests: { storage: '1Gi' } },
          },
        },
      ],
    })
    return made
  }

  /** A claim of which the node knows. */
  used(name: string): WorldVolume {
    const volume = this.claim({ name, node: NODE })
    this.#volumes.set(name, volume)
    return volume
  }

  /** At most one Pod may be unavailable. */
  async budget(app: string): Promise<void> {
    const spec = { selector: { matchLabels: { app } }, maxUnavailable: 1 }
    await this.send('POST', '/apis/policy/v1/namespaces/default/poddisruptionbudgets', {
      metadata: { name: app },
      spec,
    })
  }

  workload(kind: Kind, name: string) {
    const found = this.object(`${APPS}/${PATH[kind]}`, name, 'default')
    if (found === undefined) throw new Error(`no ${kind} ${name}`)
    return found as Object & { readonly spec: { replicas: number; ordinals?: { start: number } } }
  }

  replicas(name: string, kind: Kind = 'Deployment'): number {
    return this.workload(kind, name).spec.replicas
  }

  mark(name: string, kind: Kind = 'Deployment'): string | undefined {
    return this.workload(kind, name).metadata.annotations?.['couchestor.io/stopped-for']
  }

  /** As GitOps would: two replicas from the first ordinal on. */
  async scaleBack(name: string): Promise<void> {
    const path = `${APPS}/namespaces/default/statefulsets/${name}`
    await this.send('PATCH', path, { spec: { replicas: 2, ordinals: null } })
  }

  pods(app: string): readonly Pod[] {
    const all = this.world.api.objects('/api/v1/pods') as unknown as readonly Pod[]
    return all.filter((p) => p.metadata.labels?.['app'] === app)
  }

  /** Records of stopped workloads. */
  stops() {
    return this.world.api
      .objects('/apis/couchestor.io/v1alpha1/tieringcheckpoints')
      .filter((c) => c.metadata.name.startsWith('workload-stop-'))
  }

  /** Reasons of the events about a workload, oldest first. */
  eventsOn(kind: Kind, name: string): readonly string[] {
    type Event = {
      reason: string
      firstTimestamp?: string
      involvedObject: { kind: string; name: string }
    }
    return (this.world.api.objects('/api/v1/events') as unknown as Event[])
      .filter(({ involvedObject: o }) => o.kind === kind && o.name === name)
      .map((e) => e.reason)
  }

  override async until(isSo: () => boolean, longestMs = HOUR, stepMs = 1_000): Promise<boolean> {
    return super.until(
      () => {
        this.nodes()
        return isSo()
      },
      longestMs,
      stepMs,
    )
  }

  async passes(ms: number): Promise<void> {
    await this.until(() => false, ms)
  }

  /** What kubelet, attacher and Nova do: volumes of Pods that are gone are detached, those of new ones attached. */
  nodes(): void {
    for (const [claim, made] of this.#volumes) {
      const { volumeName } = this.pvc(claim)['spec'] as { volumeName: string }
      const pv = this.object('/api/v1/persistentvolumes', volumeName)
      const csi = (pv?.['spec'] as { csi?: { driver: string; volumeHandle: string } } | undefined)
        ?.csi
      const attachment = `csi-${made.pv}`
      const isAttached = this.object('/apis/storage.k8s.io/v1/volumeattachments', attachment)
      const isUsed = this.#isUsed(claim)
      if (isAttached !== undefined && !isUsed) {
        const { handle } = isAttached.metadata.annotations ?? {}
        this.cloud.detach(handle ?? made.id)
        void this.remove(`/apis/storage.k8s.io/v1/volumeattachments/${attachment}`)
      }
      if (isAttached !== undefined || !isUsed || csi?.driver !== DRIVER) continue
      const { volumeHandle: handle } = csi
      if (this.cloud.volume(handle)?.status !== 'available') continue
      this.cloud.attach(handle, `server-${NODE}`)
      this.world.api.seed({
        apiVersion: 'storage.k8s.io/v1',
        kind: 'VolumeAttachment',
        metadata: { name: attachment, annotations: { handle } },
        spec: { attacher: DRIVER, nodeName: NODE, source: { persistentVolumeName: volumeName } },
        status: { attached: true },
      })
    }
  }

  #isUsed(claim: string): boolean {
    const pods = this.world.api.objects('/api/v1/pods') as unknown as readonly Pod[]
    return pods.some((p) =>
      p.spec.volumes?.some((v) => v.persistentVolumeClaim?.claimName === claim),
    )
  }

  async #post(
    kind: Kind,
    name: string,
    annotations: Readonly<Record<string, string>>,
    {
      template,
      ...spec
    }: Readonly<Record<string, unknown>> & { readonly template: { readonly spec: object } },
  ): Promise<void> {
    const labels = { app: name }
    await this.send('POST', `${APPS}/namespaces/default/${PATH[kind]}`, {
      metadata: { name, annotations },
      spec: {
        ...spec,
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: { containers: [{ name: 'main', image: 'none' }], ...template.spec },
        },
      },
    })
  }

  async send(method: string, url: string, body: object): Promise<void> {
    const { signal } = new AbortController()
    const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json'
    const headers = { 'content-type': type }
    const request = { method, url, headers, body: JSON.stringify(body), signal }
    const { status } = await this.world.api.handle(request)
    if (status >= 300) throw new Error(`${method} ${url}: ${status}`)
  }
}
