import { silentLog } from '../../src/log.ts'
import type { Clock } from '../../src/clock.ts'
import { createHttpClient } from '../../src/http.ts'
import { createKubeClient } from '../../src/kube/client.ts'
import { createPersistentVolumes } from '../../src/kube/persistent-volumes.ts'
import type { PersistentVolumes } from '../../src/kube/persistent-volumes.ts'
import { systemClock } from '../../src/main/system-clock.ts'
import { createApiServer } from '../../src/sim/apiserver/apiserver.ts'
import { serve } from '../../src/sim/server.ts'
import type { Lab } from '../lab/env.ts'
import { createVirtualClock } from '../virtual-clock.ts'
import { ApiClient } from './apiserver-client.ts'
import { credentialAuth, openSession } from './cloud-target.ts'
import { labTarget as labCloud } from './lab-target.ts'
import { labTarget as labApi } from './target-apiserver.ts'

/** A cluster whose PersistentVolumes are replaced, with the volumes behind them. */
export type ReplacementTarget = {
  /** Raw requests, for what a move itself never does. */
  readonly api: ApiClient
  readonly volumes: PersistentVolumes
  readonly namespace: string
  /** Node that may be named in a VolumeAttachment. */
  readonly node: string
  /** A claim of 1 GiB that is Bound to a PersistentVolume of the Cinder driver with policy Delete. Resolves to its uid. */
  claim(name: string): Promise<{ readonly uid: string; readonly persistentVolume: string }>
  /** A volume of 1 GiB beside; resolves to its handle. */
  volume(): Promise<string>
  hasVolume(handle: string): Promise<boolean>
  pass(ms: number): Promise<void>
  close(): Promise<void>
}

const POLL_MS = 250

/** Lets time pass until it holds: as long as the slowest of the controllers takes on a busy machine. */
export async function eventually<T>(
  { pass }: Pick<ReplacementTarget, 'pass'>,
  what: string,
  read: () => Promise<T | undefined | false>,
): Promise<T> {
  for (let waited = 0; waited < 180_000; waited += POLL_MS) {
    const found = await read()
    if (found !== undefined && found !== false) return found
    await pass(POLL_MS)
  }
  throw new Error(`waited in vain for ${what}`)
}

/** A client as the controller has it, with no credentials but those of `api`. */
export function clientOf(
  api: { http: Parameters<typeof createKubeClient>[0]['http']; url: string },
  clock: Clock,
) {
  return createKubeClient({
    http: api.http,
    server: api.url,
    authorization: () => Promise.resolve(undefined),
    clock,
    random: () => 0.5,
    log: silentLog,
  })
}

/** The stand-in behind a real socket, on a clock that only `pass` moves. */
export async function simReplacement(): Promise<ReplacementTarget> {
  const clock = createVirtualClock()
  const handles = new Set<string>()
  const server = createApiServer({
    clock,
    driver: { deleteVolume: (handle) => handles.delete(handle) || true },
  })
  const served = await serve(server.handle)
  const http = createHttpClient()
  const api = new ApiClient(http, served.url)
  const namespace = 'contract'
  await api.post('/api/v1/namespaces', { metadata: { name: namespace } })
  const volume = () => {
    const handle = `volume-${handles.size + 1}`
    handles.add(handle)
    return Promise.resolve(handle)
  }
  return {
    api,
    volumes: createPersistentVolumes(clientOf({ http, url: served.url }, systemClock)),
    namespace,
    node: 'lab-node',
    volume,
    claim: async (name) => {
      const persistentVolume = `pvc-${name}`
      server.seed({
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: { namespace, name, finalizers: ['kubernetes.io/pvc-protection'] },
        spec: { ...CLAIM, volumeName: persistentVolume },
        status: { phase: 'Bound', capacity: { storage: '1Gi' } },
      })
      const path = `/api/v1/namespaces/${namespace}/persistentvolumeclaims/${name}`
      const uid: string = (await api.get(path)).body.metadata.uid
      await api.post('/api/v1/persistentvolumes', {
        metadata: { name: persistentVolume },
        spec: {
          ...CLAIM,
          resources: undefined,
          capacity: { storage: '1Gi' },
          persistentVolumeReclaimPolicy: 'Delete',
          claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name, uid },
          csi: { driver: 'cinder.csi.openstack.org', volumeHandle: await volume() },
        },
      })
      return { uid, persistentVolume }
    },
    hasVolume: (handle) => Promise.resolve(handles.has(handle)),
    pass: (ms) => clock.advance(ms),
    close: async () => {
      await http.close()
      await served.close()
    },
  }
}

const CLAIM = {
  accessModes: ['ReadWriteOnce'],
  storageClassName: 'couchestor-hot',
  resources: { requests: { storage: '1Gi' } },
}

/** The lab: real API server, controller manager, provisioner, attacher and Cinder. */
export async function labReplacement(lab: Lab): Promise<ReplacementTarget> {
  const target = labApi(lab)
  const cloud = await labCloud()
  const session = await openSession(cloud, credentialAuth(cloud.operator))
  const api = new ApiClient(target.http, target.url)
  const namespace = `${target.prefix}-pv`
  const made: string[] = []
  await api.post('/api/v1/namespaces', { metadata: { name: namespace } })
  const { items } = (await api.get('/api/v1/nodes')).body
  const self: ReplacementTarget = {
    api,
    volumes: createPersistentVolumes(clientOf(target, systemClock)),
    namespace,
    node: items[0].metadata.name,
    claim: async (name) => {
      const path = `/api/v1/namespaces/${namespace}/persistentvolumeclaims`
      await api.post(path, { metadata: { name }, spec: CLAIM })
      const bound = await eventually(self, `claim ${name}`, async () => {
        const { body } = await api.get(`${path}/${name}`)
        return body.status?.phase === 'Bound'
          ? { uid: body.metadata.uid as string, persistentVolume: body.spec.volumeName as string }
          : undefined
      })
      const { body } = await api.get(`/api/v1/persistentvolumes/${bound.persistentVolume}`)
      made.push(body.spec.csi.volumeHandle)
      return bound
    },
    volume: async () => {
      const body = { volume: { size: 1, name: `${namespace}-copy`, volume_type: 'couchestor-hot' } }
      const { id } = (await session.cinder('POST', '/volumes', { body })).body.volume
      made.push(id)
      await eventually(self, `volume ${id}`, async () => {
        const { volume } = (await session.cinder('GET', `/volumes/${id}`)).body
        return volume.status === 'available'
      })
      return id
    },
    hasVolume: async (id) => (await session.cinder('GET', `/volumes/${id}`)).status === 200,
    pass: (ms) => cloud.pass(ms),
    close: async () => {
      await api.delete(`/api/v1/namespaces/${namespace}`)
      for (const pv of (await api.get('/api/v1/persistentvolumes')).body.items) {
        if (pv.spec.claimRef?.namespace !== namespace) continue
        const path = `/api/v1/persistentvolumes/${pv.metadata.name}`
        await api.patch(path, { spec: { persistentVolumeReclaimPolicy: 'Retain' } })
        await api.delete(path)
        await api.patch(path, { metadata: { finalizers: null } })
      }
      for (const id of made) await session.cinder('DELETE', `/volumes/${id}`)
      await cloud.stop()
      await target.close()
    },
  }
  return self
}
