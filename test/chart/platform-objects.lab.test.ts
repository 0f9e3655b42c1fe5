import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { dump, load, loadAll } from 'js-yaml'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Manifest } from '../crds/manifests.ts'
import { describeLab } from '../lab/describe-lab.ts'
import { EXPORTER, podOf, pods, renderOn } from './components.ts'
import { CHART, helm, NAMESPACE, refusal, render } from './helm.ts'
import { names, one } from './shapes.ts'
import type { Workload } from './shapes.ts'

describeLab('what holds for all objects', () => {
  it('is annotated everywhere, beside the annotations of its own', async () => {
    const objects = await render({
      ...EXPORTER,
      commonAnnotations: { 'example.com/owner': 'storage' },
      policies: { p: { tiers: [{ name: 'hot' }] } },
      storageClasses: { enabled: true },
      networkPolicy: { enabled: true },
      admission: { restrictForceTier: true },
      strategies: { snapshotRestore: { enabled: true } },
      workloads: { restart: { enabled: true } },
      monitoring: {
        podMonitor: { enabled: true },
        prometheusRule: { enabled: true },
        dashboards: { enabled: true, annotations: { grafana_folder: 'x' } },
      },
    })
    const without = objects.filter(
      ({ metadata }) =>
        (metadata as { annotations?: Record<string, string> }).annotations?.[
          'example.com/owner'
        ] !== 'storage',
    )
    expect(names(without)).toEqual([])
    expect(
      one(objects, 'CustomResourceDefinition', 'storagepolicies.couchestor.io').metadata,
    ).toMatchObject({
      annotations: { 'helm.sh/resource-policy': 'keep' },
    })
    expect(one(objects, 'Pod', 'couchestor-doctor').metadata).toMatchObject({
      annotations: { 'helm.sh/hook': 'test' },
    })
  })

  it.each([
    ['fullnameOverride', { fullnameOverride: 'tiering' }],
    ['nameOverride', { nameOverride: 'tiering' }],
  ])('has another name by %s, and all references follow', async (_, values) => {
    const objects = await render({
      ...EXPORTER,
      ...values,
      networkPolicy: { enabled: true },
      monitoring: { serviceMonitor: { enabled: true }, prometheusRule: { enabled: true } },
    })
    const fixed = ['couchestor-config', 'openstack-credentials']
    const kept = objects
      .filter((o) => o.kind !== 'CustomResourceDefinition')
      .map((o) => o.metadata.name ?? '')
      .filter((name) => !name.startsWith('tiering') && !fixed.includes(name))
    expect(kept).toEqual([])
    const binding = one(objects, 'ClusterRoleBinding', 'tiering')
    expect(binding).toMatchObject({ roleRef: { name: 'tiering' }, subjects: [{ name: 'tiering' }] })
    expect(names(objects)).toEqual(
      expect.arrayContaining(['ServiceAccount/tiering', 'Deployment/tiering-ceilometer-exporter']),
    )
    const { spec } = one<Workload>(objects, 'Deployment', 'tiering-controller')
    expect(spec.template.spec.serviceAccountName).toBe('tiering')
    // pods are found by the labels of the guide under any name
    expect(spec.selector.matchLabels).toEqual({ app: 'couchestor', component: 'controller' })
    const policy = one(objects, 'ValidatingAdmissionPolicyBinding', 'tiering-migrations')
    expect(policy).toMatchObject({ spec: { policyName: 'tiering-migrations' } })
  })

  it('lies in another namespace by namespaceOverride, its credential too', async () => {
    const objects = await render({
      ...EXPORTER,
      namespaceOverride: 'storage',
      networkPolicy: { enabled: true },
    })
    const namespaces = new Set(objects.flatMap((o) => o.metadata.namespace ?? []))
    expect(namespaces).toEqual(new Set(['storage']))
    const text = JSON.stringify(objects.filter((o) => o.kind !== 'CustomResourceDefinition'))
    expect(text).not.toContain(NAMESPACE)
    expect(text).toContain('--namespace=storage')
  })

  it.each([
    ['ghcr.io/abiolaogu/couchestor', 'mirror.example.com/all/abiolaogu/couchestor:0.1.0'],
    ['localhost:5000/couchestor', 'mirror.example.com/all/couchestor:0.1.0'],
    ['team/couchestor', 'mirror.example.com/all/team/couchestor:0.1.0'],
  ])('comes from the registry of all charts: %s', async (repository, image) => {
    const global = { imageRegistry: 'mirror.example.com/all/' }
    for (const pod of pods(await render({ ...EXPORTER, image: { repository }, global })))
      expect(pod.containers[0].image).toBe(image)
  })

  it('is fetched with the Secrets of all charts and its own, each once', async () => {
    const global = { imagePullSecrets: ['a', { name: 'b' }], other: { chart: true } }
    for (const pod of pods(
      await render({ ...EXPORTER, imagePullSecrets: [{ name: 'b' }], global }),
    ))
      expect(pod['imagePullSecrets']).toEqual([{ name: 'b' }, { name: 'a' }])
  })
})

describeLab('Kubernetes before 1.30', () => {
  it('gets everything but the kinds that it does not know', async () => {
    const at = async (version: string) =>
      names(await renderOn(['--kube-version', version], EXPORTER))
    const [old, now] = [await at('1.28.0'), await at('1.36.0')]
    const lacking = now.filter((name) => !old.includes(name))
    expect(lacking).toEqual([
      'ValidatingAdmissionPolicy/couchestor-migrations',
      'ValidatingAdmissionPolicyBinding/couchestor-migrations',
    ])
    expect(await at('1.30.0-eks-1')).toEqual(now)
  })

  it('warns that forcing cannot be restricted there', async () => {
    const values = { admission: { restrictForceTier: true } }
    await expect(renderOn(['--kube-version', '1.29.4'], values)).rejects.toThrow(
      /restrictForceTier is true, but Kubernetes v?1\.29\.4.*set it to false/,
    )
  })

  it.each([
    ['strategies.snapshotRestore.enabled', { strategies: { snapshotRestore: { enabled: true } } }],
    ['workloads.restart.enabled', { workloads: { restart: { enabled: true } } }],
  ])('gives no rights that nothing narrows: %s', async (value, values) => {
    const old = ['--kube-version', '1.29.4']
    await expect(renderOn(old, values)).rejects.toThrow(
      new RegExp(`${value} is true, but Kubernetes v?1\\.29\\.4.*accept_plain_rbac: true`),
    )
    const config = { admission: { accept_plain_rbac: true } }
    const kinds = (await renderOn(old, { ...values, config })).map((o) => o.kind)
    expect(kinds.filter((kind) => kind === 'ClusterRole').length).toBeGreaterThan(1)
    expect(kinds).not.toContain('ValidatingAdmissionPolicy')
  })

  it('takes that plain RBAC is accepted', async () => {
    const values = { config: { admission: { accept_plain_rbac: true } } }
    const map = one(
      await renderOn(['--kube-version', '1.28.0'], values),
      'ConfigMap',
      'couchestor-config',
    )
    const text = (map['data'] as Record<string, string>)['config.yaml'] ?? ''
    expect(load(text)).toMatchObject({ admission: { accept_plain_rbac: true } })
  })
})

describeLab('a parent chart', () => {
  let parent = ''
  beforeAll(() => {
    parent = mkdtempSync(join(tmpdir(), 'couchestor-parent-'))
    mkdirSync(join(parent, 'charts'))
    cpSync(CHART, join(parent, 'charts', 'couchestor'), { recursive: true })
    const dependencies = [{ name: 'couchestor', version: '>=0', condition: 'couchestor.enabled' }]
    writeFileSync(
      join(parent, 'Chart.yaml'),
      dump({ apiVersion: 'v2', name: 'platform', version: '1.0.0', dependencies }),
    )
  })
  afterAll(() => rmSync(parent, { recursive: true, force: true }))
  const of = async (values: object) => {
    const text = await helm(['template', 'platform', parent, '--namespace', NAMESPACE], values)
    return loadAll(text).filter((document) => document != null) as Manifest[]
  }

  it('switches it on and off by its condition', async () => {
    expect(names(await of({ couchestor: { enabled: true } }))).toContain(
      'Deployment/couchestor-controller',
    )
    expect(await of({ couchestor: { enabled: false } })).toEqual([])
    expect(names(await of({}))).toContain('Deployment/couchestor-controller')
  })

  it('passes what is global, and removes fields by null', async () => {
    const couchestor = { agent: { podSecurityContext: { runAsUser: null } } }
    const objects = await of({
      global: { imageRegistry: 'r.example.com', storageClass: 'x' },
      couchestor,
    })
    expect(podOf(objects, 'controller').containers[0].image).toMatch(/^r\.example\.com\//)
    expect(podOf(objects, 'agent')['securityContext']).not.toHaveProperty('runAsUser', 65_532)
  })
})

describeLab('values of a platform that cannot work are refused with field and way out', () => {
  it.each([
    ['switched off by itself', { enabled: false }, /enabled is false.*uninstall the release/],
    [
      'an annotation of Helm for all',
      { commonAnnotations: { 'helm.sh/hook': 'x' } },
      /commonAnnotations has helm\.sh\/hook/,
    ],
    [
      'a password in a proxy URL',
      { proxy: { httpsProxy: 'http://u:p@proxy:3128' } },
      /proxy\.httpsProxy holds a password.*proxy\.existingSecret/,
    ],
    [
      'one account made twice',
      { controller: { serviceAccount: { name: 'a' } }, agent: { serviceAccount: { name: 'a' } } },
      /agent\.serviceAccount\.name is a, and so is another component's/,
    ],
    [
      'two proxies',
      { proxy: { httpsProxy: 'http://p:1', existingSecret: 's' } },
      /are both given: take one/,
    ],
    [
      'a variable given twice',
      { agent: { extraEnv: [{ name: 'A' }, { name: 'A' }] } },
      /agent\.extraEnv has A twice/,
    ],
    [
      'two promises of availability',
      { controller: { podDisruptionBudget: { minAvailable: 1, maxUnavailable: 1 } } },
      /minAvailable \(1\) and maxUnavailable \(1\)/,
    ],
    [
      'an alert that is none',
      { monitoring: { prometheusRule: { alerts: { Typo: { enabled: false } } } } },
      /alerts has Typo.*docs\/alerts\.md/,
    ],
    [
      'a typo in an alert',
      { monitoring: { prometheusRule: { alerts: { CouchestorNoLeader: { enable: false } } } } },
      /'enable'/,
    ],
    [
      'a typo in global',
      { global: { imagePullSecrets: [{ nam: 'x' }] } },
      /global\/imagePullSecrets/,
    ],
    [
      'a typo in a monitor',
      { monitoring: { podMonitor: { relabeling: [] } } },
      /'relabeling' not allowed/,
    ],
    ['a name that is none', { fullnameOverride: 'Not_A_Name' }, /fullnameOverride/],
  ])('%s', async (_, values, message) => {
    expect(await refusal(values)).toMatch(message)
  })
})
