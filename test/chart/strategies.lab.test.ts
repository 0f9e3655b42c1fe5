import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CINDER_DRIVER } from '../../src/api/names.ts'
import { REPLACEMENT_RIGHTS } from '../../src/kube/persistent-volumes.ts'
import {
  copyOf,
  heldOf,
  originalOf,
  OWN_FINALIZER,
  PARKED_DRIVER,
} from '../../src/migration/snapshot-restore/manifest.ts'
import type { PersistentVolumeManifest } from '../../src/migration/snapshot-restore/manifest.ts'
import { describeLab } from '../lab/describe-lab.ts'
import { eventually } from '../lab/eventually.ts'
import { install } from '../lab/install.ts'
import { apply, kubectl } from '../lab/kubectl.ts'

const NAMESPACE = 'chart-strategies'
const CONTROLLER = 'system:serviceaccount:couchestor-system:couchestor'
const ADMINISTRATOR = ''
const FILES = ['-f', 'deploy/snapshot-restore.yaml', '-f', 'deploy/workload-restart.yaml']
const DRY = '--dry-run=server'

/** "done", or the API server's refusal. */
const as = (user: string, args: readonly string[], object?: object): Promise<string> =>
  kubectl([...(user === ADMINISTRATOR ? [] : ['--as', user]), '-n', NAMESPACE, ...args], {
    ...(object && { input: JSON.stringify(object) }),
  }).then(
    () => 'done',
    (e: unknown) => String(e),
  )

/** A volume that Cinder does not have, of no class and no claim: nothing binds, attaches or deletes it. */
const ORIGINAL: PersistentVolumeManifest = {
  metadata: { name: 'chart-strategies-a', labels: { team: 'x' } },
  spec: {
    accessModes: ['ReadWriteOnce'],
    capacity: { storage: '1Gi' },
    storageClassName: 'chart-strategies',
    persistentVolumeReclaimPolicy: 'Delete',
    claimRef: { namespace: NAMESPACE, name: 'data', uid: '6f1c0f6e-0000-4000-8000-000000000001' },
    csi: { driver: CINDER_DRIVER, volumeHandle: 'chart-strategies-a', fsType: 'ext4' },
    nodeAffinity: {
      required: {
        nodeSelectorTerms: [
          {
            matchExpressions: [
              { key: 'topology.cinder.csi.openstack.org/zone', operator: 'In', values: ['nova'] },
            ],
          },
        ],
      },
    },
  },
}
const COPY = copyOf(ORIGINAL, { volumeId: 'chart-strategies-b', availabilityZone: 'nova' })

const asObject = (manifest: PersistentVolumeManifest): object => ({
  apiVersion: 'v1',
  kind: 'PersistentVolume',
  ...manifest,
})
/** As an administrator has it: without a claim, so that it stays `Available`. */
function existing(name: string, spec: object, finalizers: readonly string[] = []): object {
  const { claimRef: _claimRef, ...rest } = ORIGINAL.spec
  return asObject({ metadata: { name, finalizers }, spec: { ...rest, ...spec } })
}

const patch = (pv: string, operations: readonly object[], user = CONTROLLER) =>
  as(user, ['patch', 'pv', pv, '--type=json', '-p', JSON.stringify(operations), DRY])
const policy = (value: string) => ({
  op: 'replace',
  path: '/spec/persistentVolumeReclaimPolicy',
  value,
})

describeLab('the opt-in rights on the real authorizer and admission', () => {
  beforeAll(async () => {
    await install()
    await kubectl(['apply', ...FILES])
    await apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } })
    const foreign = { ...COPY, spec: { ...COPY.spec, csi: { driver: 'x', volumeHandle: 'y' } } }
    await eventually('the admission policies are in force', async () =>
      (await as(CONTROLLER, ['create', DRY, '-f', '-'], asObject(foreign))).includes(
        'spec.csi.driver',
      ),
    )
  })
  afterAll(async () => {
    await kubectl(['delete', '--ignore-not-found', ...FILES])
    await kubectl(['delete', 'namespace', NAMESPACE, '--ignore-not-found'])
    const volumes = ['kept', 'deleted', 'shared', 'leaving'].map(
      (name) => `pv/${NAMESPACE}-${name}`,
    )
    for (const volume of volumes) {
      await kubectl(['delete', volume, '--ignore-not-found', '--wait=false'])
      const bare = ['--type=merge', '-p', '{"metadata":{"finalizers":null}}']
      await kubectl(['patch', volume, ...bare]).catch(() => 'gone already')
    }
  })

  it('are all that a replacement asks for', async () => {
    for (const { verb, resource } of REPLACEMENT_RIGHTS) {
      const name = resource.group === '' ? resource.plural : `${resource.plural}.${resource.group}`
      const everywhere = ['auth', 'can-i', verb, name, '--as', CONTROLLER, '--all-namespaces']
      expect([verb, name, (await kubectl(everywhere)).trim()]).toEqual([verb, name, 'yes'])
    }
  })

  describe('a PersistentVolume that the controller creates', () => {
    const create = (manifest: PersistentVolumeManifest, user = CONTROLLER) =>
      as(user, ['create', DRY, '-f', '-'], asObject(manifest))
    const withSpec = (spec: object): PersistentVolumeManifest => ({
      ...COPY,
      spec: { ...COPY.spec, ...spec },
    })

    it.each([
      ['the original', originalOf(ORIGINAL)],
      ['the copy', COPY],
      ['the held one', heldOf(ORIGINAL, 'chart-strategies-a', { any: 'record' })],
    ])('may be %s', async (_, manifest) => {
      expect(await create(manifest)).toBe('done')
    })

    it.each([
      [
        'another driver',
        withSpec({ csi: { driver: 'nfs.csi.k8s.io', volumeHandle: 'x' } }),
        /csi\.driver: nfs\.csi\.k8s\.io/,
      ],
      [
        'a directory of the node',
        withSpec({ csi: undefined, hostPath: { path: '/' } }),
        /csi\.driver: none/,
      ],
      ['policy Delete', withSpec({ persistentVolumeReclaimPolicy: 'Delete' }), /with Retain only/],
      ['no claim', withSpec({ claimRef: undefined }), /spec\.claimRef/],
      [
        'a claim without uid',
        withSpec({ claimRef: { namespace: 'a', name: 'b' } }),
        /spec\.claimRef/,
      ],
      [
        'no finalizer of ours',
        { ...COPY, metadata: { name: 'chart-strategies-a' } },
        new RegExp(OWN_FINALIZER),
      ],
    ])('may not have %s', async (_, manifest, refusal) => {
      expect(await create(manifest)).toMatch(refusal)
      // nobody else is held to it
      expect(await create(manifest, ADMINISTRATOR)).toBe('done')
    })
  })

  describe('a PersistentVolume that is there', () => {
    beforeAll(async () => {
      const retain = { persistentVolumeReclaimPolicy: 'Retain' }
      await apply(existing(`${NAMESPACE}-kept`, retain, ['example.com/theirs', OWN_FINALIZER]))
      await apply(existing(`${NAMESPACE}-deleted`, {}))
      const nfs = { csi: { driver: 'nfs.csi.k8s.io', volumeHandle: 'x' } }
      await apply(existing(`${NAMESPACE}-shared`, { ...retain, ...nfs }))
      await apply(existing(`${NAMESPACE}-leaving`, retain, ['example.com/theirs', OWN_FINALIZER]))
      await kubectl(['delete', `pv/${NAMESPACE}-leaving`, '--wait=false'])
    })

    const finalizersOf = async (name: string) => {
      const path = 'jsonpath={.metadata.finalizers}'
      return JSON.parse(
        await kubectl(['get', 'pv', `${NAMESPACE}-${name}`, '-o', path]),
      ) as string[]
    }
    /** The patch that leaves only these of its finalizers. */
    const keeping = async (name: string, keep: (f: string) => boolean) => {
      const value = (await finalizersOf(name)).filter(keep)
      return patch(`${NAMESPACE}-${name}`, [{ op: 'replace', path: '/metadata/finalizers', value }])
    }

    it('changes its reclaim policy and nothing else of its spec', async () => {
      expect(await patch(`${NAMESPACE}-kept`, [policy('Delete')])).toBe('done')
      expect(await patch(`${NAMESPACE}-deleted`, [policy('Retain')])).toBe('done')
      const capacity = { op: 'replace', path: '/spec/capacity/storage', value: '2Gi' }
      expect(await patch(`${NAMESPACE}-kept`, [capacity])).toMatch(/and nothing else/)
      const mounted = { op: 'add', path: '/spec/mountOptions', value: ['suid'] }
      expect(await patch(`${NAMESPACE}-kept`, [mounted])).toMatch(/and nothing else/)
      const noClass = { op: 'remove', path: '/spec/storageClassName' }
      expect(await patch(`${NAMESPACE}-kept`, [noClass])).toMatch(/and nothing else/)
      expect(await patch(`${NAMESPACE}-shared`, [policy('Delete')])).toMatch(/spec\.csi\.driver/)
    })

    it('keeps its labels and annotations', async () => {
      const add = (field: string) => [{ op: 'add', path: `/metadata/${field}`, value: { a: 'b' } }]
      for (const field of ['labels', 'annotations'])
        expect(await patch(`${NAMESPACE}-kept`, add(field))).toMatch(/metadata: CoucheStor may/)
    })

    it('loses our finalizer, and those of Kubernetes only while it is being deleted', async () => {
      expect(await finalizersOf('kept')).toContain('kubernetes.io/pv-protection')
      expect(await keeping('kept', (f) => f !== OWN_FINALIZER)).toBe('done')
      expect(await keeping('kept', (f) => !f.startsWith('kubernetes.io/'))).toMatch(/may take off/)
      expect(await keeping('leaving', (f) => f.startsWith('example.com/'))).toBe('done')
    })

    it('keeps the finalizers of other controllers, and gets none of theirs', async () => {
      for (const name of ['kept', 'leaving'])
        expect(await keeping(name, (f) => !f.startsWith('example.com/'))).toMatch(/may take off/)
      const added = { op: 'add', path: '/metadata/finalizers/-', value: 'example.com/more' }
      expect(await patch(`${NAMESPACE}-kept`, [added])).toMatch(/may take off/)
    })

    it('is deleted with policy Retain only', async () => {
      const remove = (name: string) =>
        as(CONTROLLER, ['delete', 'pv', `${NAMESPACE}-${name}`, DRY, '--wait=false'])
      expect(await remove('kept')).toBe('done')
      expect(await remove('deleted')).toMatch(/delete PersistentVolumes with Retain only/)
      expect(await remove('shared')).toMatch(/spec\.csi\.driver/)
    })

    it('is anything to anyone else', async () => {
      const mounted = { op: 'add', path: '/spec/mountOptions', value: ['ro'] }
      expect(await patch(`${NAMESPACE}-kept`, [mounted], ADMINISTRATOR)).toBe('done')
    })
  })

  describe('a VolumeAttachment', () => {
    const attachment = (attacher: string) => ({
      apiVersion: 'storage.k8s.io/v1',
      kind: 'VolumeAttachment',
      metadata: { name: `${NAMESPACE}-${attacher.split('.')[0]}` },
      spec: {
        attacher,
        nodeName: 'nowhere',
        source: { persistentVolumeName: `${NAMESPACE}-kept` },
      },
    })
    const OTHER = 'nobody.example.com'

    beforeAll(async () => {
      await apply(attachment(PARKED_DRIVER))
      await apply(attachment(OTHER))
    })
    afterAll(async () => {
      const names = [PARKED_DRIVER, OTHER].map(
        (a) => `volumeattachment/${attachment(a).metadata.name}`,
      )
      await kubectl(['delete', '--ignore-not-found', ...names])
    })

    it('is deleted where it attaches nothing', async () => {
      const remove = (attacher: string) =>
        as(CONTROLLER, ['delete', 'volumeattachment', attachment(attacher).metadata.name, DRY])
      expect(await remove(PARKED_DRIVER)).toBe('done')
      expect(await remove(OTHER)).toMatch(/nobody\.example\.com attaches a volume/)
    })
  })

  describe('a workload', () => {
    const labels = { app: 'chart-strategies' }
    const ALLOW = 'couchestor.io/allow-restart'
    const MARK = 'couchestor.io/stopped-for'
    const workload = (kind: string, name: string, own: object) => ({
      apiVersion: 'apps/v1',
      kind,
      metadata: { name, namespace: NAMESPACE, annotations: { 'example.com/note': 'x', ...own } },
      spec: {
        replicas: 0,
        selector: { matchLabels: labels },
        ...(kind === 'StatefulSet' ? { serviceName: 'web' } : {}),
        template: {
          metadata: { labels },
          spec: { containers: [{ name: 'web', image: 'registry.example.com/web:1' }] },
        },
      },
    })
    const change = (kind: string, change: object, name = 'web') =>
      as(CONTROLLER, ['patch', kind, name, '--type=merge', DRY, '-p', JSON.stringify(change)])
    const scaled = { spec: { replicas: 3 } }

    beforeAll(async () => {
      for (const kind of ['Deployment', 'StatefulSet'])
        await apply(workload(kind, 'web', { [ALLOW]: 'true' }))
      await apply(workload('Deployment', 'silent', {}))
      await apply(workload('Deployment', 'against', { [ALLOW]: 'false' }))
      await apply(workload('Deployment', 'stopped', { [ALLOW]: 'false', [MARK]: 'uid' }))
    })

    it.each(['Deployment', 'StatefulSet'])('%s is scaled, and nothing else of it', async (kind) => {
      expect(await change(kind, scaled)).toBe('done')
      const marked = { metadata: { annotations: { [MARK]: 'uid' } } }
      expect(await change(kind, marked)).toBe('done')
      const image = { containers: [{ name: 'web', image: 'registry.example.com/other:1' }] }
      expect(await change(kind, { spec: { template: { spec: image } } })).toMatch(/nothing else/)
      const theirs = { metadata: { annotations: { 'example.com/note': 'y' } } }
      expect(await change(kind, theirs)).toMatch(/nothing else/)
      expect(
        await change(kind, { metadata: { annotations: { 'example.com/note': null } } }),
      ).toMatch(/nothing else/)
      expect(await change(kind, { metadata: { labels: { a: 'b' } } })).toMatch(/nothing else/)
    })

    it('is left alone unless its owner, or that of its namespace, allows it', async () => {
      const namespace = (value: string) =>
        kubectl(['annotate', 'namespace', NAMESPACE, '--overwrite', `${ALLOW}${value}`])
      for (const own of ['silent', 'against'])
        expect(await change('Deployment', scaled, own)).toMatch(/allow-restart: CoucheStor may/)
      const marked = { metadata: { annotations: { [MARK]: 'uid' } } }
      expect(await change('Deployment', marked, 'silent')).toMatch(/allow-restart: CoucheStor may/)
      const itself = { metadata: { annotations: { [ALLOW]: 'true' } } }
      for (const own of ['silent', 'against', 'stopped'])
        expect(await change('Deployment', itself, own)).toMatch(/CoucheStor may change/)
      await namespace('=true')
      expect(await change('Deployment', scaled, 'silent')).toBe('done')
      expect(await change('Deployment', scaled, 'against')).toMatch(/allow-restart/)
      await namespace('-')
    })

    it('comes back when its owner has changed their mind', async () => {
      const restored = { ...scaled, metadata: { annotations: { [MARK]: null } } }
      expect(await change('Deployment', restored, 'stopped')).toBe('done')
    })

    it('StatefulSet begins at another ordinal', async () => {
      expect(await change('StatefulSet', { spec: { ordinals: { start: 1 } } })).toBe('done')
    })
  })
})
