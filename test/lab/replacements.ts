import type { VolumeMigration } from '../../src/api/volume-migration.ts'
import { OWN_FINALIZER, PARKED_DRIVER } from '../../src/migration/snapshot-restore/manifest.ts'
import { ApiClient } from '../contract/apiserver-client.ts'
import type { Json } from '../contract/apiserver-client.ts'
import { labTarget } from '../contract/target-apiserver.ts'
import { cinderAdmin } from './cinder-admin.ts'
import { theLab } from './env.ts'
import { eventually } from './eventually.ts'
import { kubectl } from './kubectl.ts'
import { openstack } from './openstack.ts'

type Claim = {
  metadata: { uid: string; annotations?: Record<string, string> }
  spec: { volumeName: string }
  status: { phase: string }
}
type PersistentVolume = {
  metadata: { name: string; uid: string; finalizers?: string[] }
  spec: {
    persistentVolumeReclaimPolicy: string
    volumeMode?: string
    csi: { driver: string; volumeHandle: string }
    claimRef?: { namespace: string }
  }
}

/** How long a Pod waited, in ms since it was created. */
export type Waited = { readonly scheduled: number; readonly attached: number }

/** A row of Cinder that a move has made. */
export type Made = { readonly kind: (typeof KINDS)[number]; readonly id: string }

/** What replacements in a namespace have done to its PersistentVolumes and in Cinder, and the end of what a failed test leaves. */
export interface Replacements {
  claim(name: string): Promise<Claim>
  findPersistentVolume(name: string): Promise<PersistentVolume | undefined>
  /** Throws when it is gone. */
  persistentVolume(name: string): Promise<PersistentVolume>
  /** What the PersistentVolume stands for now. */
  volumeOf(persistentVolume: string): Promise<string>
  /** Of that move, or of all. */
  made(moveUid?: string): Promise<readonly Made[]>
  /** Names of the records of all moves. */
  records(): Promise<readonly string[]>
  /** How often the API server has refused something by the admission policies of the opt-in rights. */
  denials(): Promise<number>
  /**
   * A Pod that the scheduler places, unlike one with `nodeName`, which goes where its claim cannot. Resolves when the real
   * attacher has attached its volume, or throws after `seconds`.
   */
  pod(name: string, claim: string, options?: { readonly block?: boolean }): Promise<Waited>
  /** Takes what a move that was cut short still holds: before the namespace goes, which waits for it. */
  release(): Promise<void>
  /** Deletes what is left in Cinder: after the claims, which take their copies with them. */
  down(): Promise<void>
}

/** In the order in which they are deleted. */
const KINDS = ['backups', 'snapshots', 'volumes'] as const
const PREFIX = /^couchestor-(snapshot|copy|backup|restored)-/
const DENIED =
  /^apiserver_validating_admission_policy_check_total\{enforcement_action="deny",.*policy="couchestor-.* (\d+)$/
const CHECKPOINTS = '/apis/couchestor.io/v1alpha1/tieringcheckpoints'
const VOLUMES = '/api/v1/persistentvolumes'

export async function createReplacements(namespace: string): Promise<Replacements> {
  const target = labTarget(theLab())
  const api = new ApiClient(target.http, target.url)
  const member = await openstack('operator')
  const cinder = await cinderAdmin()
  const inNamespace = `/api/v1/namespaces/${namespace}`

  const items = async (path: string): Promise<Json[]> => (await api.get(path)).body.items ?? []
  const claim = async (name: string): Promise<Claim> =>
    (await api.get(`${inNamespace}/persistentvolumeclaims/${name}`)).body
  const findPersistentVolume = async (name: string): Promise<PersistentVolume | undefined> => {
    const { status, body } = await api.get(`${VOLUMES}/${name}`)
    if (status !== 200 && status !== 404) throw new Error(`PersistentVolume ${name}: ${status}`)
    return status === 200 ? body : undefined
  }
  const persistentVolume = async (name: string) => {
    const found = await findPersistentVolume(name)
    if (found === undefined) throw new Error(`no PersistentVolume ${name}`)
    return found
  }
  const made = async (moveUid = ''): Promise<readonly Made[]> => {
    const rows = await Promise.all(
      KINDS.map(async (kind) => {
        const { body } = await member.request('GET', `/${kind}/detail`)
        const all = body[kind] as { id: string; name: string | null }[]
        return all
          .filter(({ name }) => PREFIX.test(name ?? '') && name?.endsWith(moveUid))
          .map(({ id }) => ({ kind, id }))
      }),
    )
    return rows.flat()
  }
  const records = async () =>
    (await items(CHECKPOINTS))
      .map((c): string => c.metadata.name)
      .filter((name) => name.startsWith('replacement-'))
  const remove = async ({ kind, id }: Made) => {
    if (kind === 'backups') return cinder.deleteBackup(id)
    return kind === 'snapshots' ? cinder.deleteSnapshot(id) : cinder.deleteVolume(id)
  }
  const isAttached = async (pv: string) =>
    (await items('/apis/storage.k8s.io/v1/volumeattachments')).some(
      ({ spec, status }) =>
        spec.source.persistentVolumeName === pv &&
        spec.attacher !== PARKED_DRIVER &&
        status?.attached === true,
    )

  return {
    claim,
    findPersistentVolume,
    persistentVolume,
    volumeOf: async (name) => (await persistentVolume(name)).spec.csi.volumeHandle,
    made,
    records,
    denials: async () => {
      const metrics = await kubectl(['get', '--raw', '/metrics'])
      return metrics.split('\n').reduce((sum, line) => sum + Number(DENIED.exec(line)?.[1] ?? 0), 0)
    },
    pod: async (name, claimName, { block = false } = {}) => {
      const from = performance.now()
      const passed = () => Math.round(performance.now() - from)
      const { status, body } = await api.post(`${inNamespace}/pods`, podOf(name, claimName, block))
      if (status !== 201) throw new Error(`Pod ${name}: ${JSON.stringify(body)}`)
      const placed = async () =>
        (await api.get(`${inNamespace}/pods/${name}`)).body.spec.nodeName !== undefined
      await eventually(`Pod ${name} is scheduled`, placed, 240, 50)
      const scheduled = passed()
      const { volumeName } = (await claim(claimName)).spec
      await eventually(`${claimName} is attached`, () => isAttached(volumeName), 240, 50)
      return { scheduled, attached: passed() }
    },
    release: async () => {
      for (const name of await records()) await api.delete(`${CHECKPOINTS}/${name}`)
      for (const pv of (await items(VOLUMES)) as PersistentVolume[]) {
        if (pv.spec.claimRef?.namespace !== namespace) continue
        if (!pv.metadata.finalizers?.includes(OWN_FINALIZER)) continue
        const path = `${VOLUMES}/${pv.metadata.name}`
        await api.patch(path, { spec: { persistentVolumeReclaimPolicy: 'Retain' } })
        await api.delete(path)
        await api.patch(path, { metadata: { finalizers: null } })
      }
      await kubectl(['-n', namespace, 'delete', 'pods', '--all', '--force', '--grace-period=0'])
      await kubectl(['-n', namespace, 'delete', 'volumesnapshots', '--all', '--timeout=110s'])
      for (const row of await made()) if (row.kind !== 'volumes') await remove(row)
      const moves: VolumeMigration[] = await items(
        `/apis/couchestor.io/v1alpha1/namespaces/${namespace}/volumemigrations`,
      )
      for (const { status } of moves) {
        const former = status?.replacement?.formerVolumeId
        if (status?.step !== 'Failed' && former !== undefined) await cinder.deleteVolume(former)
      }
    },
    down: async () => {
      for (const row of await made()) await remove(row)
      await target.close()
    },
  }
}

function podOf(name: string, claimName: string, block: boolean): object {
  const devices = block ? 'volumeDevices' : 'volumeMounts'
  const at = { name: 'v', [block ? 'devicePath' : 'mountPath']: '/v' }
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: {
      // the kubelet of the lab taints its nodes, and leaves Pods of other images alone
      nodeSelector: { 'kubernetes.io/hostname': 'lab-node' },
      tolerations: [{ operator: 'Exists' }],
      containers: [{ name: 'c', image: 'none', [devices]: [at] }],
      volumes: [{ name: 'v', persistentVolumeClaim: { claimName } }],
    },
  }
}
