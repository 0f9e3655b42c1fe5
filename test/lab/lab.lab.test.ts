import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cinderAdmin } from './cinder-admin.ts'
import type { AdminVolume, CinderAdmin } from './cinder-admin.ts'
import { describeLab } from './describe-lab.ts'
import { eventually } from './eventually.ts'
import { apply, kubectl, kubectlJson } from './kubectl.ts'
import { openstack } from './openstack.ts'
import { restart, signal } from './processes.ts'
import { backfill, query, scrapeTarget } from './prometheus.ts'
import { findImage, sha256, writeRandom } from './rbd.ts'

type Claim = { spec: { volumeName: string }; status: { phase: string } }
type Volume = { spec: { csi: { volumeHandle: string } } }

const NAMESPACE = 'lab-self-test'
let cinder: CinderAdmin

async function imageOf(id: string): Promise<NonNullable<Awaited<ReturnType<typeof findImage>>>> {
  const volume = await cinder.volume(id)
  const image = await findImage(id, volume?.['os-vol-mig-status-attr:name_id'])
  if (image === undefined) throw new Error(`no image of volume ${id}`)
  return image
}

function claim(name: string, storageClassName: string): object {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name, namespace: NAMESPACE },
    spec: {
      storageClassName,
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: '1Gi' } },
    },
  }
}

function pod(name: string, claimName: string): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: NAMESPACE },
    spec: {
      nodeName: 'lab-node',
      containers: [{ name: 'c', image: 'none', volumeMounts: [{ name: 'v', mountPath: '/v' }] }],
      volumes: [{ name: 'v', persistentVolumeClaim: { claimName } }],
    },
  }
}

async function boundVolume(name: string): Promise<string> {
  const bound = await eventually(`claim ${name} is bound`, async () => {
    const pvc = await kubectlJson<Claim>(['-n', NAMESPACE, 'get', 'pvc', name])
    return pvc.status.phase === 'Bound' && pvc
  })
  const pv = await kubectlJson<Volume>(['get', 'pv', bound.spec.volumeName])
  return pv.spec.csi.volumeHandle
}

/** The type alone may be there before the move is over. */
async function restsOn(id: string, type: string): Promise<void> {
  const fits = (v: AdminVolume) => v.volume_type === type && v.status === 'available'
  await cinder.volumeWhen(id, `rests on ${type}`, fits)
}

describeLab('the lab', () => {
  beforeAll(async () => {
    cinder = await cinderAdmin()
    await kubectl(['create', 'namespace', NAMESPACE])
  })
  afterAll(async () => {
    await kubectl(['-n', NAMESPACE, 'delete', 'pods', '--all', '--force', '--grace-period=0'])
    await kubectl(['delete', 'namespace', NAMESPACE], { timeoutMs: 240_000 })
  })

  it('moves a detached volume to the other pool with its data', async () => {
    const { id } = await cinder.createVolume('couchestor-hot', 1, 'lab-self-test')
    await writeRandom(await imageOf(id))
    const before = await sha256(await imageOf(id))
    await cinder.retype(id, 'couchestor-cold')
    await restsOn(id, 'couchestor-cold')
    const image = await imageOf(id)
    expect(image.pool).toBe('cold-pool')
    expect(await sha256(image)).toBe(before)
    await cinder.deleteVolume(id)
    expect(await findImage(id)).toBeUndefined()
  })

  it('moves an attached volume between the live types with its data, still attached', async () => {
    await apply(claim('live', 'couchestor-live-hot'))
    const id = await boundVolume('live')
    await apply(pod('user', 'live'))
    await cinder.volumeWhen(id, 'is attached', (v) => v.status === 'in-use')
    await writeRandom(await imageOf(id))
    const before = await sha256(await imageOf(id))
    await cinder.retype(id, 'couchestor-live-warm')
    // Cinder shows the new type and in-use some time before it shows the attachment again
    await cinder.volumeWhen(
      id,
      'is warm, in use and attached once',
      (v) =>
        v.volume_type === 'couchestor-live-warm' &&
        v.status === 'in-use' &&
        v.attachments.length === 1,
    )
    const image = await imageOf(id)
    expect(image.pool).toBe('warm-pool')
    expect(await sha256(image)).toBe(before)
  })

  it('refuses a snapshotted volume silently, and lets the administrator repair a state', async () => {
    const { id } = await cinder.createVolume('couchestor-hot', 1, 'lab-self-test')
    const snapshot = await cinder.createSnapshot(id)
    await cinder.retype(id, 'couchestor-warm')
    await cinder.volumeWhen(id, 'is back', (v) => v.status === 'available')
    expect((await cinder.volume(id))?.volume_type).toBe('couchestor-hot')
    await cinder.deleteSnapshot(snapshot)
    await cinder.resetState(id, 'error')
    expect((await cinder.volume(id))?.status).toBe('error')
    await cinder.deleteVolume(id)
  })

  it('limits a project by quota', async () => {
    const key = 'gigabytes_couchestor-live-cold'
    await cinder.setQuota('other', { [key]: 0 })
    const member = await openstack('other')
    const body = { volume: { size: 1, name: 'lab-self-test', volume_type: 'couchestor-live-cold' } }
    expect((await member.request('POST', '/volumes', body)).status).toBe(413)
    await cinder.setQuota('other', { [key]: -1 })
  })

  it('suspends and continues a service, and restarts one that was killed', async () => {
    const { id } = await cinder.createVolume('couchestor-hot', 1, 'lab-self-test')
    signal('cinder-volume', 'SIGSTOP')
    await cinder.retype(id, 'couchestor-cold')
    await cinder.volumeWhen(id, 'is retyping', (v) => v.status === 'retyping')
    signal('cinder-volume', 'SIGCONT')
    await restsOn(id, 'couchestor-cold')
    signal('cinder-volume', 'SIGKILL')
    await restart('cinder-volume')
    await cinder.retype(id, 'couchestor-hot')
    await restsOn(id, 'couchestor-hot')
    expect((await imageOf(id)).pool).toBe('hot-pool')
    await cinder.deleteVolume(id)
  })

  it('restarts the API server with all its objects', async () => {
    await restart('kube-apiserver')
    const ns = await kubectlJson<{ metadata: { name: string } }>(['get', 'namespace', NAMESPACE])
    expect(ns.metadata.name).toBe(NAMESPACE)
  })

  describe('Prometheus', () => {
    it('answers for three weeks of back-filled history', async () => {
      const now = Math.floor(Date.now() / 1000)
      const samples = Array.from({ length: 21 * 24 }, (_, i) => ({
        at: now - (21 * 24 - i) * 3600,
        value: i,
      }))
      const labels = { image: `volume-${now}`, pool: 'hot-pool' }
      await backfill([{ name: 'lab_self_test_ops', labels, samples }])
      const [first] = await query(
        `lab_self_test_ops{image="volume-${now}"}`,
        now - 21 * 24 * 3600 + 60,
      )
      expect(first?.value).toBe(0)
    })

    it('scrapes a target as soon as a file names it, and forgets it afterwards', async () => {
      const server = createServer((_req, res) => res.end('lab_self_test_target 42\n'))
      await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
      const { port } = server.address() as AddressInfo
      const remove = scrapeTarget('lab-self-test', `127.0.0.1:${port}`, { tested: 'yes' })
      const sample = await eventually(
        'the first scrape',
        async () => (await query('lab_self_test_target{tested="yes"}'))[0],
      )
      expect(sample.value).toBe(42)
      remove()
      await eventually('the target is gone', async () => {
        return (await query('lab_self_test_target')).length === 0
      })
      server.close()
    })
  })
})
