import { readFileSync } from 'node:fs'
import { load } from 'js-yaml'
import { expect, it } from 'vitest'
import { parseConfig } from '../../src/api/config.ts'
import { parseExporterConfig } from '../../src/exporter/config.ts'
import { manifestsIn, GUIDE } from '../crds/manifests.ts'
import type { Manifest } from '../crds/manifests.ts'
import { describeLab } from '../lab/describe-lab.ts'
import { CHART, helm, refusal, render } from './helm.ts'
import { agentOf, controllerOf, names, one } from './shapes.ts'
import type { Workload } from './shapes.ts'
import { EVERYTHING, SWITCHES } from './switches.ts'

type Ports = readonly { readonly port: number; readonly protocol: string }[]
type NetworkPolicy = Manifest & {
  readonly spec: { readonly egress?: readonly { readonly ports: Ports }[] }
}

async function configOf(values: object) {
  const map = one(await render(values), 'ConfigMap', 'couchestor-config')
  return parseConfig((map['data'] as Record<string, string>)['config.yaml'] ?? '', 'config.yaml')
}

/** `path=value` of every number. */
function numbersIn(value: unknown, path = ''): readonly string[] {
  if (typeof value === 'number') return [`${path}=${value}`]
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, child]) => numbersIn(child, `${path}.${key}`))
}

describeLab('the chart', () => {
  it.each(SWITCHES)('passes helm lint --strict with %s', async (_, values) => {
    expect(await helm(['lint', '--strict', CHART], values)).toContain('0 chart(s) failed')
  })

  it.each(['controller', 'agent'] as const)(
    "finds the %s's pods by the labels of the guide, and no others, whatever labels are added",
    async (component) => {
      const values = { commonLabels: { team: 'x' }, [component]: { podLabels: { app: 'other' } } }
      const objects = await render(values)
      const { spec } = component === 'agent' ? agentOf(objects) : controllerOf(objects)
      expect(spec.selector.matchLabels).toEqual({ app: 'couchestor', component })
      expect(spec.template.metadata.labels).toMatchObject({
        app: 'couchestor',
        component,
        team: 'x',
      })
    },
  )

  it('has every object of the guide under its name', async () => {
    const ours = names(await render({ ...EVERYTHING, agent: { privileged: true } }))
    const guide = [
      'couchestor-config-openstack.yaml',
      'couchestor-deployment-openstack.yaml',
      'couchestor-agent-openstack.yaml',
      'rbac.yaml',
      'storage-classes.yaml',
      'network-policies.yaml',
      'ceilometer-exporter.yaml',
    ].flatMap((file) => manifestsIn(GUIDE, file))
    expect(ours).toEqual(expect.arrayContaining(names(guide)))
  })

  it('starts the controller as the guide does, and adds arguments behind', async () => {
    const [guide] = manifestsIn(GUIDE, 'couchestor-deployment-openstack.yaml') as [Workload]
    const objects = await render({ controller: { extraArgs: ['--log-level=debug'] } })
    const { args } = controllerOf(objects).spec.template.spec.containers[0]
    expect(args).toEqual([...guide.spec.template.spec.containers[0].args, '--log-level=debug'])
  })

  it('never adds a pod during an update, since two may not share a node', async () => {
    expect(controllerOf(await render()).spec).toMatchObject({
      replicas: 2,
      strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } },
    })
  })

  it.each([
    ['Required', 'requiredDuringSchedulingIgnoredDuringExecution'],
    ['Preferred', 'preferredDuringSchedulingIgnoredDuringExecution'],
  ])('keeps controllers apart: %s', async (podAntiAffinity, rule) => {
    const objects = await render({ controller: { podAntiAffinity } })
    const { affinity } = controllerOf(objects).spec.template.spec
    expect(Object.keys(affinity?.podAntiAffinity ?? {})).toEqual([rule])
    expect(JSON.stringify(affinity)).toContain('kubernetes.io/hostname')
  })

  it("leaves the placement to the values' own affinity with None", async () => {
    const affinity = { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [] } }
    const objects = await render({ controller: { podAntiAffinity: 'None', affinity } })
    expect(controllerOf(objects).spec.template.spec.affinity).toEqual(affinity)
    const none = await render({ controller: { podAntiAffinity: 'None' } })
    expect(controllerOf(none).spec.template.spec.affinity).toBeUndefined()
  })

  it.each([
    ['two replicas', {}, true],
    ['one replica, whose node could not be drained', { replicas: 1 }, false],
    ['it switched off', { podDisruptionBudget: { enabled: false } }, false],
  ])('has a PodDisruptionBudget with %s: %j', async (_, controller, there) => {
    const objects = await render({ controller })
    expect(names(objects).includes('PodDisruptionBudget/couchestor-controller')).toBe(there)
  })

  it.each([
    ['the version of the chart', {}, 'ghcr.io/abiolaogu/couchestor:0.1.0'],
    ['a tag', { tag: 'v9' }, 'ghcr.io/abiolaogu/couchestor:v9'],
    [
      'a digest, whatever the tag',
      { tag: 'v9', digest: `sha256:${'a'.repeat(64)}` },
      `ghcr.io/abiolaogu/couchestor@sha256:${'a'.repeat(64)}`,
    ],
    ['another registry', { repository: 'r.example.com/x', tag: '1' }, 'r.example.com/x:1'],
  ])('runs %s in every pod', async (_, image, expected) => {
    const objects = await render({ image, exporter: { enabled: true } })
    const pods = objects.flatMap((o) => {
      const spec = o.kind === 'Pod' ? o['spec'] : (o as Workload).spec?.template?.spec
      return spec === undefined ? [] : [(spec as { containers: { image: string }[] }).containers]
    })
    expect(pods.map(([container]) => container?.image)).toEqual(Array(4).fill(expected))
  })

  it('gives the agent no rights, no token and no credential in either form', async () => {
    for (const privileged of [false, true]) {
      const { spec } = agentOf(await render({ agent: { privileged } })).spec.template
      expect(spec.automountServiceAccountToken).toBe(false)
      expect(spec.serviceAccountName).toBe('couchestor-agent')
      expect(JSON.stringify(spec)).not.toContain('openstack-credentials')
    }
  })

  it('runs the privileged agent as the guide does, as root and with its mounts', async () => {
    const [guide] = manifestsIn(GUIDE, 'couchestor-agent-openstack.yaml') as [Workload]
    const { spec } = agentOf(await render({ agent: { privileged: true } })).spec.template
    const theirs = guide.spec.template.spec
    expect(spec).toMatchObject({ hostPID: true, hostNetwork: true, volumes: theirs['volumes'] })
    expect(spec.tolerations).toEqual(theirs.tolerations)
    expect(spec.containers[0].volumeMounts).toEqual(theirs.containers[0].volumeMounts)
    expect(spec.containers[0].securityContext).toEqual({ privileged: true, runAsUser: 0 })
    expect(spec['securityContext']).toBeUndefined()
  })

  it('gives nobody but the controller and the doctor a token', async () => {
    const objects = await render({ exporter: { enabled: true } })
    const { spec } = one<Workload>(objects, 'Deployment', 'ceilometer-exporter').spec.template
    expect(spec.automountServiceAccountToken).toBe(false)
    const subjects = objects.flatMap((o) => (o['subjects'] ?? []) as { name: string }[])
    expect(new Set(subjects.map((s) => s.name))).toEqual(
      new Set(['couchestor', 'couchestor-doctor']),
    )
  })

  it('never writes a credential into a ConfigMap, an argument or an annotation', async () => {
    const objects = await render(EVERYTHING)
    const others = objects.filter((o) => o.kind !== 'Secret')
    const { OS_APPLICATION_CREDENTIAL_SECRET: secret } = EVERYTHING.credentials.data
    expect(JSON.stringify(one(objects, 'Secret', 'openstack-credentials'))).toContain(`"${secret}"`)
    expect(JSON.stringify(others)).not.toContain(`"${secret}"`)
  })

  it('passes the OS_* variables from the Secret, or lets the controller read it', async () => {
    const env = async (delivery: string) =>
      controllerOf(
        await render({ credentials: { delivery, secretName: 'mine' } }),
      ).spec.template.spec.containers[0].env.filter((e) => e.name.startsWith('OS_'))
    const passed = await env('Environment')
    expect(passed.map((e) => e.name)).toEqual([
      'OS_AUTH_URL',
      'OS_APPLICATION_CREDENTIAL_ID',
      'OS_APPLICATION_CREDENTIAL_SECRET',
      'OS_REGION_NAME',
    ])
    expect(JSON.stringify(passed).match(/"name":"mine"/g)).toHaveLength(4)
    expect(await env('API')).toEqual([])
  })

  it('makes a config.yaml that the controller reads, with the Secret and namespace of the release', async () => {
    const config = await configOf({
      credentials: { secretName: 'mine' },
      config: { migration: { concurrent_migrations: 7 }, prometheus: { preset: 'libvirt' } },
    })
    expect(config.openstack.credentialRef).toEqual({
      secretName: 'mine',
      namespace: 'couchestor-system',
    })
    expect(config.migration).toMatchObject({
      concurrentMigrations: 7,
      cooldownPeriodMs: 86_400_000,
    })
    expect(config.prometheus).toMatchObject({
      preset: 'libvirt',
      endpoint: 'http://prometheus-server.monitoring.svc:9090',
    })
    expect(Object.keys(config.tiers).toSorted()).toEqual(['cold', 'hot', 'warm'])
  })

  it('lets the controller get the Secret that is named, and no other', async () => {
    const role = one(await render({ credentials: { secretName: 'mine' } }), 'Role', 'couchestor')
    const rules = role['rules'] as { resources: string[]; resourceNames?: string[] }[]
    const secrets = rules.filter((r) => r.resources.includes('secrets'))
    expect(secrets).toEqual([
      { apiGroups: [''], resources: ['secrets'], resourceNames: ['mine'], verbs: ['get'] },
    ])
  })

  it('restarts the pods when config.yaml changes, unless asked not to', async () => {
    const sum = async (paused: boolean, restartOnConfigChange = true) =>
      controllerOf(
        await render({ config: { migration: { paused } }, controller: { restartOnConfigChange } }),
      ).spec.template.metadata.annotations?.['checksum/config']
    expect(await sum(true)).not.toBe(await sum(false))
    expect(await sum(false)).toBe(await sum(false))
    expect(await sum(true, false)).toBeUndefined()
  })

  it('keeps large numbers of a policy as they are', async () => {
    const policy = one(await render(EVERYTHING), 'StoragePolicy', 'observe')
    expect(policy['spec']).toEqual(EVERYTHING.policies.observe)
  })

  it('has CRDs that a release brings up to date and leaves behind', async () => {
    const crds = (await render()).filter((o) => o.kind === 'CustomResourceDefinition')
    expect(crds).toHaveLength(3)
    for (const crd of crds) {
      const source = manifestsIn(
        'crds',
        `couchestor.io_${crd.metadata.name?.split('.')[0]}.yaml`,
      )[0]
      expect(crd['spec']).toEqual(source?.['spec'])
      expect(crd.metadata).toMatchObject({
        annotations: { 'helm.sh/resource-policy': 'keep' },
        labels: { 'app.kubernetes.io/managed-by': 'Helm' },
      })
    }
    expect(names(await render({ crds: { enabled: false } })).join()).not.toContain('CustomResource')
  })

  it('makes StorageClasses of the guide and one without a type for restores', async () => {
    const objects = await render({ storageClasses: { enabled: true, types: { fast: 'ssd' } } })
    const types = objects
      .filter((o) => o.kind === 'StorageClass')
      .map((o) => [o.metadata.name, (o['parameters'] as { type?: string } | undefined)?.type])
    expect(Object.fromEntries(types)).toEqual({
      'couchestor-hot': 'couchestor-hot',
      'couchestor-warm': 'couchestor-warm',
      'couchestor-cold': 'couchestor-cold',
      'couchestor-restore': undefined,
      fast: 'ssd',
    })
  })

  it('opens the ports of the guide, those it forgot, and those of the addresses in config', async () => {
    const objects = await render({
      networkPolicy: { enabled: true, openstackPorts: [8776] },
      config: {
        openstack: { auth_url: 'https://cloud.example.com/identity/v3' },
        prometheus: { endpoint: 'http://thanos.monitoring:10902' },
      },
    })
    const policy = one<NetworkPolicy>(objects, 'NetworkPolicy', 'couchestor-controller-policy')
    const open = policy.spec.egress?.flatMap((rule) =>
      rule.ports.map((p) => `${p.protocol} ${p.port}`),
    )
    expect(new Set(open)).toEqual(
      new Set([
        'UDP 53',
        'TCP 53',
        'TCP 443',
        'TCP 6443',
        'TCP 8776',
        'TCP 9090',
        'TCP 10902',
        'TCP 8041',
      ]),
    )
    const agent = one<NetworkPolicy>(objects, 'NetworkPolicy', 'couchestor-agent-policy')
    expect(agent.spec).toMatchObject({ policyTypes: ['Ingress', 'Egress'] })
    expect(agent.spec.egress).toBeUndefined()
  })

  it('scrapes each component once, by Services or by pods', async () => {
    for (const [monitor, kind] of [
      ['serviceMonitor', 'ServiceMonitor'],
      ['podMonitor', 'PodMonitor'],
    ] as const) {
      const values = { exporter: { enabled: true }, monitoring: { [monitor]: { enabled: true } } }
      const objects = await render(values)
      const made = objects.filter((o) => o.apiVersion === 'monitoring.coreos.com/v1')
      expect(names(made)).toEqual([
        `${kind}/ceilometer-exporter`,
        `${kind}/couchestor-agent`,
        `${kind}/couchestor-controller`,
      ])
      const services = objects.filter((o) => o.kind === 'Service').length
      expect(services).toBe(kind === 'ServiceMonitor' ? 3 : 2)
    }
  })

  it('ships the dashboards as they are', async () => {
    const objects = await render({ monitoring: { dashboards: { enabled: true } } })
    const maps = objects.filter((o) => o.metadata.name?.startsWith('couchestor-dashboard-'))
    expect(maps.length).toBeGreaterThan(0)
    for (const map of maps) {
      expect(map.metadata.labels).toMatchObject({ grafana_dashboard: '1' })
      for (const [file, text] of Object.entries(map['data'] as Record<string, string>))
        expect(text.trim()).toBe(readFileSync(`${CHART}/files/dashboards/${file}`, 'utf8').trim())
    }
  })

  it("passes the guide's ceilometer.yaml to the exporter", async () => {
    const [guide] = manifestsIn(GUIDE, 'ceilometer-integration.yaml') as unknown as [
      { data: Record<string, string> },
    ]
    const config = load(guide.data['ceilometer.yaml'] ?? '') as object
    const objects = await render({ exporter: { enabled: true, config } })
    const map = one(objects, 'ConfigMap', 'couchestor-ceilometer-config')
    const text = (map['data'] as Record<string, string>)['ceilometer.yaml'] ?? ''
    expect(load(text)).toEqual(config)
    expect(parseExporterConfig(text, 'ceilometer.yaml').gnocchiEndpoint).toContain(':8041')
    const { spec } = one<Workload>(objects, 'Deployment', 'ceilometer-exporter').spec.template
    expect(spec.containers[0].args).toEqual([
      'exporter',
      '--config=/etc/couchestor/ceilometer.yaml',
    ])
    const without = one<Workload>(
      await render({ exporter: { enabled: true } }),
      'Deployment',
      'ceilometer-exporter',
    )
    expect(without.spec.template.spec.containers[0].args).toEqual(['exporter'])
  })

  it('keeps names of digits as texts, the namespace of the release included', async () => {
    const digits = '1234567'
    const account = { serviceAccount: { name: digits } }
    const objects = await render(
      {
        ...EVERYTHING,
        fullnameOverride: digits,
        credentials: { secretName: digits },
        controller: { ...account, priorityClassName: digits },
        storageClasses: { enabled: true, restoreName: digits, types: { hot: digits } },
      },
      digits,
    )
    expect(numbersIn(objects).filter((found) => found.endsWith(`=${digits}`))).toEqual([])
    const controller = one(objects, 'Deployment', `${digits}-controller`)
    expect(controller.metadata.namespace).toBe(digits)
  })

  it('takes null for "not set" where a value may be left out', async () => {
    const plain = await render({})
    const unset = await render({
      proxy: { httpsProxy: null, httpProxy: null },
      controller: {
        affinity: null,
        podDisruptionBudget: { minAvailable: null, maxUnavailable: null },
      },
    })
    expect(unset).toEqual(plain)
    const some = { controller: { podDisruptionBudget: { minAvailable: null, maxUnavailable: 0 } } }
    const budget = one(await render(some), 'PodDisruptionBudget', 'couchestor-controller')
    expect(budget['spec']).toMatchObject({ maxUnavailable: 0 })
    const lists = { prometheusPorts: null, gnocchiPorts: null }
    expect(await refusal({ networkPolicy: { enabled: true, ...lists } })).toBe('accepted')
    expect(await refusal({ storageClasses: { enabled: true, types: null } })).toBe('accepted')
  })

  it.each([
    [{ proxy: null }, /missing property 'proxy'/],
    [{ controller: { service: null } }, /at '\/controller': missing property 'service'/],
    [{ networkPolicy: { apiServerPorts: null } }, /missing property 'apiServerPorts'/],
    [{ networkPolicy: { egressCidrs: null } }, /missing property 'egressCidrs'/],
    [{ crds: { keep: null } }, /at '\/crds': missing property 'keep'/],
    [{ admission: { enabled: null } }, /at '\/admission': missing property 'enabled'/],
    [{ credentials: { secretName: null } }, /at '\/credentials': missing property 'secretName'/],
  ])('says which section must not be null: %j', async (values, message) => {
    const said = await refusal(values)
    expect(said).toMatch(message)
    expect(said).not.toContain('nil pointer')
  })

  it('renders texts in extraObjects', async () => {
    const more = one(await render(EVERYTHING), 'ConfigMap', 'more')
    expect(more.metadata.namespace).toBe('couchestor-system')
  })

  it('asks the doctor with the file and the variables of the controller, and with read rights of its own', async () => {
    const objects = await render()
    const doctor = one(objects, 'Pod', 'couchestor-doctor')
    const spec = doctor['spec'] as Workload['spec']['template']['spec']
    const theirs = controllerOf(objects).spec.template.spec
    expect(doctor.metadata).toMatchObject({ annotations: { 'helm.sh/hook': 'test' } })
    expect(spec.serviceAccountName).toBe('couchestor-doctor')
    const rights = objects.filter((o) => o.metadata.name === 'couchestor-doctor' && 'rules' in o)
    const verbs = rights.flatMap((o) => o['rules'] as { resources: string[]; verbs: string[] }[])
    const changing = verbs.filter((r) => r.verbs.some((v) => !['get', 'list', 'watch'].includes(v)))
    expect(changing.map((r) => r.resources)).toEqual([['subjectaccessreviews']])
    const bare = one(await render({ rbac: { create: false } }), 'Pod', 'couchestor-doctor')
    expect(bare['spec']).toMatchObject({ serviceAccountName: theirs.serviceAccountName })
    expect(spec.containers[0].args[0]).toBe('doctor')
    expect(spec.containers[0].env).toEqual(theirs.containers[0].env)
    expect(spec.containers[0].volumeMounts).toEqual(theirs.containers[0].volumeMounts)
    expect(doctor.metadata.labels).not.toMatchObject({ component: 'controller' })
  })
})

describeLab('values that cannot work are refused with field and way out', () => {
  const bothMonitors = { serviceMonitor: { enabled: true }, podMonitor: { enabled: true } }
  it.each([
    ['a typo', { controller: { replica: 3 } }, /\/controller'.*'replica' not allowed/],
    ['a typo at the top', { controler: {} }, /'controler' not allowed/],
    ['a wrong type', { controller: { replicas: 'two' } }, /\/controller\/replicas'.*integer/],
    [
      'a typo in config.yaml',
      { config: { migration: { pause: true } } },
      /config\/migration'.*'pause'/,
    ],
    ['a wrong choice', { config: { prometheus: { preset: 'agnt' } } }, /preset'.*'agent'/],
    [
      'a duration without unit',
      { config: { migration: { cooldown_period: '24' } } },
      /cooldown_period/,
    ],
    [
      'a typo in a policy',
      { policies: { p: { tiers: [{ name: 'a', iops: 1 }] } } },
      /p\/tiers\/0'.*'iops'/,
    ],
    ['a policy without tiers', { policies: { p: {} } }, /policies\/p'.*missing property 'tiers'/],
    ['a typo in resources', { agent: { resources: { limit: {} } } }, /agent\/resources'.*'limit'/],
    [
      'a typo in a toleration',
      { agent: { tolerations: [{ keys: 'a' }] } },
      /tolerations\/0'.*'keys'/,
    ],
    ['a cut digest', { image: { digest: 'sha256:abc' } }, /image\/digest/],
    ['a port that is none', { networkPolicy: { dnsPorts: [0] } }, /dnsPorts\/0/],
    [
      'a password in config',
      { config: { openstack: { password: 'x' } } },
      /openstack'.*'password'/,
    ],
    [
      'both monitors',
      { monitoring: bothMonitors },
      /serviceMonitor\.enabled and .*podMonitor\.enabled.*Set one/,
    ],
    ['a Secret of nothing', { credentials: { create: true } }, /credentials\.data is empty/],
    [
      'a Secret without a key that pods need',
      { credentials: { create: true, data: { OS_AUTH_URL: 'x' } } },
      /credentials\.keys asks for OS_APPLICATION_CREDENTIAL_ID/,
    ],
    [
      'data that nobody takes',
      { credentials: { data: { OS_AUTH_URL: 'x' } } },
      /credentials\.create is false/,
    ],
    [
      'another Secret in config',
      { config: { openstack: { credential_ref: { secret_name: 'other' } } } },
      /take it out of config, and set credentials\.secretName/,
    ],
    [
      'an argument given twice',
      { controller: { extraArgs: ['--leader-elect=false'] } },
      /extraArgs has --leader-elect=false, which the chart gives itself/,
    ],
    [
      'two anti-affinities',
      { controller: { affinity: { podAntiAffinity: {} } } },
      /set controller\.podAntiAffinity to None/,
    ],
    ['a label of the selector', { commonLabels: { app: 'x' } }, /commonLabels has app/],
    [
      'one name for two classes',
      { storageClasses: { enabled: true, restoreName: 'couchestor-hot' } },
      /choose another name/,
    ],
  ])('%s', async (_, values, message) => {
    expect(await refusal(values)).toMatch(message)
  })
})
