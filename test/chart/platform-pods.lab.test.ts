import { expect, it } from 'vitest'
import { describeLab } from '../lab/describe-lab.ts'
import { ALL, COMPONENTS, each, EXPORTER, podOf, pods, renderOn, workloadOf } from './components.ts'
import { render } from './helm.ts'
import { agentOf, controllerOf, one } from './shapes.ts'
import type { PodSpec } from './shapes.ts'
import type { Manifest } from '../crds/manifests.ts'

describeLab('security contexts', () => {
  const IDS = /"runAs(User|Group)"/

  it('name a fixed user by default, in every pod', async () => {
    for (const pod of pods(await render(EXPORTER)))
      expect(pod['securityContext']).toMatchObject({ runAsUser: 65_532, runAsNonRoot: true })
  })

  it.each([
    ['on a cluster with OpenShift, by itself', {}, ['--api-versions', 'security.openshift.io/v1']],
    ['without a cluster, when configured', { openshift: { dropFixedIds: 'Always' } }, []],
  ])('leave user and group to OpenShift: %s', async (_, values, args) => {
    const all = pods(await renderOn(args, { ...EXPORTER, ...values }))
    expect(all).toHaveLength(4)
    for (const pod of all) {
      expect(JSON.stringify(pod)).not.toMatch(IDS)
      expect(pod['securityContext']).toEqual({
        runAsNonRoot: true,
        seccompProfile: { type: 'RuntimeDefault' },
      })
      expect(pod.containers[0].securityContext).toMatchObject({ readOnlyRootFilesystem: true })
    }
  })

  it('stay as they are on OpenShift, when configured', async () => {
    const values = { ...EXPORTER, openshift: { dropFixedIds: 'Never' } }
    const all = pods(await renderOn(['--api-versions', 'security.openshift.io/v1'], values))
    for (const pod of all) expect(JSON.stringify(pod)).toMatch(IDS)
  })

  it.each([
    ['a field', { podSecurityContext: { runAsUser: null, runAsGroup: null } }],
    ['the whole', { podSecurityContext: null, containerSecurityContext: null }],
  ])('lose %s by null, in every pod', async (what, values) => {
    for (const pod of pods(await render(each(values)))) {
      expect(JSON.stringify(pod)).not.toMatch(IDS)
      if (what !== 'the whole') continue
      expect(pod['securityContext']).toBeUndefined()
      expect(pod.containers[0].securityContext).toBeUndefined()
    }
  })

  it('take what is added', async () => {
    const values = {
      podSecurityContext: { runAsUser: 1_000_650_000, fsGroup: 7 },
      containerSecurityContext: { readOnlyRootFilesystem: false },
    }
    for (const pod of pods(await render(each(values)))) {
      expect(pod['securityContext']).toMatchObject({ runAsUser: 1_000_650_000, fsGroup: 7 })
      expect(pod.containers[0].securityContext).toMatchObject({
        readOnlyRootFilesystem: false,
        allowPrivilegeEscalation: false,
      })
    }
  })
})

describeLab('a pod of each component', () => {
  const extra = { name: 'side', image: 'side:1' }
  const FIELDS = {
    hostAliases: [{ ip: '10.0.0.1', hostnames: ['keystone.internal'] }],
    dnsPolicy: 'None',
    dnsConfig: { nameservers: ['10.0.0.2'] },
    terminationGracePeriodSeconds: 77,
    initContainers: [{ name: 'first', image: 'first:1' }],
    priorityClassName: 'high',
  }

  it.each(COMPONENTS)('has the fields that are set: %s', async (component) => {
    const pod = podOf(await render(each(FIELDS)), component)
    expect(pod).toMatchObject(FIELDS)
  })

  it.each(COMPONENTS)('has side-cars beside it: %s', async (component) => {
    const { containers } = podOf(await render(each({ sidecars: [extra] })), component)
    expect(containers.map((c) => c.image).at(-1)).toBe('side:1')
    expect(containers).toHaveLength(2)
  })

  it.each(COMPONENTS)('takes whole ConfigMaps as variables: %s', async (component) => {
    const envFrom = [{ configMapRef: { name: 'corporate' } }]
    const [container] = podOf(await render(each({ envFrom })), component).containers
    expect(container).toMatchObject({ envFrom })
  })

  it.each(COMPONENTS)('is spread with the labels of the component: %s', async (component) => {
    const spread = { maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'ScheduleAnyway' }
    const own = { ...spread, labelSelector: { matchLabels: { mine: 'x' } } }
    const objects = await render(each({ topologySpreadConstraints: [spread, own] }))
    const { selector } = workloadOf(objects, component).spec
    expect(podOf(objects, component)['topologySpreadConstraints']).toEqual([
      { ...spread, labelSelector: { matchLabels: selector.matchLabels } },
      own,
    ])
  })

  it.each(COMPONENTS)('has probes that can be set, replaced and removed: %s', async (component) => {
    const exec = { exec: { command: ['true'] }, periodSeconds: 99 }
    const values = {
      livenessProbe: { periodSeconds: 99 },
      readinessProbe: null,
      startupProbe: exec,
    }
    const [container] = podOf(await render(each(values)), component).containers
    expect(container).toMatchObject({
      livenessProbe: { periodSeconds: 99, httpGet: { path: '/healthz' } },
      startupProbe: exec,
    })
    expect(container).not.toHaveProperty('readinessProbe')
    expect(container).not.toHaveProperty('startupProbe.httpGet')
  })

  it.each(COMPONENTS)(
    'runs under an account of any name, with or without a token: %s',
    async (component) => {
      const account = {
        name: 'mine',
        annotations: { 'example.com/role': 'r' },
        automountServiceAccountToken: component !== 'controller',
      }
      const objects = await render({
        ...ALL,
        [component]: { enabled: true, serviceAccount: account },
        ...(component === 'controller' && { controller: { serviceAccount: account } }),
      })
      const pod = podOf(objects, component)
      expect(pod.serviceAccountName).toBe('mine')
      expect(pod.automountServiceAccountToken).toBe(component === 'controller' ? false : undefined)
      expect(one(objects, 'ServiceAccount', 'mine').metadata).toMatchObject({
        annotations: account.annotations,
      })
    },
  )
})

describeLab('a workload of each component', () => {
  it.each(COMPONENTS)('has its history, pace and annotations: %s', async (component) => {
    const values = {
      annotations: { 'reloader.example.com/auto': 'true' },
      revisionHistoryLimit: 0,
      minReadySeconds: 9,
    }
    const { metadata, spec } = workloadOf(await render(each(values)), component)
    expect(metadata).toMatchObject({ annotations: values.annotations })
    expect(spec).toMatchObject({ revisionHistoryLimit: 0, minReadySeconds: 9 })
  })

  it('is replaced as the values say', async () => {
    const recreate = { updateStrategy: { type: 'Recreate' } }
    const onDelete = { updateStrategy: { type: 'OnDelete' } }
    const objects = await render({
      controller: recreate,
      exporter: { enabled: true, ...recreate },
      agent: onDelete,
    })
    expect(controllerOf(objects).spec).toMatchObject({ strategy: { type: 'Recreate' } })
    expect(controllerOf(objects).spec).not.toHaveProperty('strategy.rollingUpdate')
    expect(workloadOf(objects, 'exporter').spec).toMatchObject({ strategy: { type: 'Recreate' } })
    expect(agentOf(objects).spec).toHaveProperty('updateStrategy', { type: 'OnDelete' })
  })

  it.each([
    ['controller', 'couchestor-controller'],
    ['exporter', 'ceilometer-exporter'],
  ])('is kept available as the values say: %s', async (_, name) => {
    const promised = async (budget: object) => {
      const podDisruptionBudget = { enabled: true, ...budget }
      const exporter = { enabled: true, podDisruptionBudget }
      const objects = await render({ controller: { podDisruptionBudget }, exporter })
      return one(objects, 'PodDisruptionBudget', name)['spec']
    }
    expect(await promised({})).toMatchObject({ maxUnavailable: 1 })
    expect(await promised({ minAvailable: 1 })).toMatchObject({ minAvailable: 1 })
    expect(await promised({ minAvailable: 0 })).toMatchObject({ minAvailable: 0 })
    expect(await promised({ maxUnavailable: '25%' })).toMatchObject({ maxUnavailable: '25%' })
    expect(await promised({ minAvailable: 1 })).not.toHaveProperty('maxUnavailable')
  })

  it('has Services of another type, with labels and annotations', async () => {
    const service = { type: 'NodePort', annotations: { a: 'b' }, labels: { app: 'no', team: 'x' } }
    const objects = await render({
      ...(each({ service }) as { controller: object }),
      monitoring: { serviceMonitor: { enabled: true } },
    })
    const services = objects.filter((o) => o.kind === 'Service')
    expect(services).toHaveLength(3)
    for (const { metadata, spec } of services as (Manifest & { spec: object })[]) {
      expect(spec).toMatchObject({ type: 'NodePort' })
      expect(metadata).toMatchObject({ annotations: { a: 'b' }, labels: { team: 'x' } })
      expect(metadata.labels?.['app']).not.toBe('no')
    }
  })
})

describeLab('variables', () => {
  const twice = (env: readonly { readonly name: string }[]) =>
    env.map((e) => e.name).filter((name, i, all) => all.indexOf(name) !== i)

  it.each(COMPONENTS)(
    'are never there twice; the one of the values wins: %s',
    async (component) => {
      const extraEnv = [
        { name: 'COUCHESTOR_LOG_LEVEL', value: 'debug' },
        { name: 'OS_REGION_NAME', value: 'mine' },
        { name: 'NODE_NAME', value: 'mine' },
        { name: 'HTTPS_PROXY', value: 'http://mine:1' },
      ]
      const objects = await render({
        ...each({ extraEnv }),
        proxy: { httpsProxy: 'http://theirs:2' },
      })
      const [{ env }] = podOf(objects, component).containers
      expect(twice(env)).toEqual([])
      expect(env).toEqual(expect.arrayContaining(extraEnv))
      const doctor = one(objects, 'Pod', 'couchestor-doctor')['spec'] as PodSpec
      expect(twice(doctor.containers[0].env)).toEqual([])
    },
  )

  it('of a credential that are listed twice are required once', async () => {
    const credentials = { keys: ['OS_AUTH_URL'], optionalKeys: ['OS_AUTH_URL', 'OS_REGION_NAME'] }
    const [{ env }] = controllerOf(await render({ credentials })).spec.template.spec.containers
    expect(twice(env)).toEqual([])
    expect(JSON.stringify(env.find((e) => e.name === 'OS_AUTH_URL'))).not.toContain('optional')
  })

  it('of the proxy reach what talks to the outside, and keep the cluster direct', async () => {
    const objects = await render({
      ...EXPORTER,
      proxy: {
        httpsProxy: 'http://proxy:3128',
        httpProxy: 'http://proxy:3129',
        noProxy: '.corp,10.0.0.0/8',
      },
      config: { prometheus: { endpoint: 'http://prometheus.monitoring:9090' } },
      networkPolicy: { enabled: true },
    })
    const silent = podOf(objects, 'agent')
    expect(JSON.stringify(silent)).not.toContain('_PROXY')
    for (const pod of pods(objects).filter((p) => p !== silent)) {
      const env = new Map(pod.containers[0].env.map((e) => [e.name, e.value]))
      expect(env.get('HTTPS_PROXY')).toBe('http://proxy:3128')
      expect(env.get('HTTP_PROXY')).toBe('http://proxy:3129')
      expect(env.get('NO_PROXY')?.split(',')).toEqual([
        'localhost',
        '127.0.0.1',
        '::1',
        '$(KUBERNETES_SERVICE_HOST)',
        '.svc',
        '.cluster.local',
        'prometheus.monitoring',
        '.corp',
        '10.0.0.0/8',
      ])
    }
    const policy = JSON.stringify(one(objects, 'NetworkPolicy', 'couchestor-controller-policy'))
    expect(policy).toContain('"port":3128')
    expect(policy).toContain('"port":3129')
  })

  it('of the proxy come from a Secret where the URL has a password', async () => {
    const objects = await render({ proxy: { existingSecret: 'proxy' } })
    const [{ env }] = controllerOf(objects).spec.template.spec.containers
    const ref = (key: string) => ({
      name: key,
      valueFrom: { secretKeyRef: { name: 'proxy', key, optional: true } },
    })
    expect(env).toEqual(expect.arrayContaining([ref('HTTPS_PROXY'), ref('HTTP_PROXY')]))
    expect(env.find((e) => e.name === 'NO_PROXY')?.value).toContain('.svc')
  })

  it('of a proxy are not there without one', async () => {
    expect(JSON.stringify(await render(EXPORTER))).not.toContain('_PROXY')
  })
})
