import { load } from 'js-yaml'
import { expect, it } from 'vitest'
import { GUIDE, manifestsIn } from '../crds/manifests.ts'
import type { Manifest } from '../crds/manifests.ts'
import { controllerOf, one } from './shapes.ts'
import { notes, refusal, render } from './helm.ts'
import { describeLab } from '../lab/describe-lab.ts'

type Egress = readonly { readonly ports: readonly { readonly port: number }[] }[]

describeLab('network policies', () => {
  const opened = (objects: readonly Manifest[], name: string) => {
    const { egress } = one(objects, 'NetworkPolicy', name)['spec'] as { egress: Egress }
    return egress.flatMap((rule) => rule.ports.map(({ port }) => port))
  }

  it('open the port of a Gnocchi that config.yaml or ceilometer.yaml names', async () => {
    const objects = await render({
      networkPolicy: { enabled: true },
      config: { gnocchi: { endpoint: 'http://gnocchi.example.com:18041' } },
      exporter: {
        enabled: true,
        config: { gnocchi: { endpoint: 'https://metric.example.com' } },
      },
    })
    expect(opened(objects, 'couchestor-controller-policy')).toContain(18_041)
    expect(opened(objects, 'ceilometer-exporter-policy')).toContain(443)
  })
})

describeLab('a name of its own', () => {
  it('is what the alerts look for in the names of scrape jobs', async () => {
    const monitoring = { podMonitor: { enabled: true }, prometheusRule: { enabled: true } }
    const objects = await render({ fullnameOverride: 'tiering', monitoring })
    const monitors = objects.filter(({ kind }) => kind === 'PodMonitor')
    expect(monitors.map(({ metadata }) => metadata.name)).toContain('tiering-agent')
    const rules = JSON.stringify(one(objects, 'PrometheusRule', 'tiering'))
    const jobs = new Set([...rules.matchAll(/job=~\\"(.*?)\\"/g)].map(([, job]) => job))
    expect(jobs).toEqual(
      new Set([
        '.*tiering-controller.*',
        '.*tiering-agent.*',
        '.*(ceilometer|couchestor)-exporter.*',
      ]),
    )
    // the Lease has its name whatever the objects are called
    expect(rules).toContain(String.raw`name=\"couchestor-controller\"`)
  })
})

describeLab('null', () => {
  it.each([
    ['controller', 'podAntiAffinity'],
    ['controller', 'replicas'],
    ['controller', 'logLevel'],
    ['credentials', 'delivery'],
    ['monitoring', 'scrapeAnnotations'],
    ['openshift', 'dropFixedIds'],
  ])('does not switch off without a word: %s.%s', async (section, key) => {
    expect(await refusal({ [section]: { [key]: null } })).toContain(
      `at '/${section}': missing property '${key}'`,
    )
  })
})

describeLab('NOTES', () => {
  it('make the Secret with the keys that the pods ask for', async () => {
    const keys = ['OS_AUTH_URL', 'OS_USERNAME', 'OS_PASSWORD']
    const command = /kubectl create secret [^]*?\n\n/.exec(await notes({ credentials: { keys } }))
    const given = [...(command?.[0] ?? '').matchAll(/--from-literal=(\w+)=/g)]
    expect(given.map(([, key]) => key)).toEqual(keys)
  })

  it('name no test where the doctor is switched off', async () => {
    expect(await notes()).toContain('helm test couchestor')
    expect(await notes({ doctor: { enabled: false } })).not.toMatch(/helm test|-doctor/)
  })

  it('ask for no agents and no scraping where usage comes from Gnocchi', async () => {
    const config = { metrics: { source: 'Gnocchi' } }
    for (const enabled of [true, false]) {
      expect(await notes({ agent: { enabled } })).toMatch(/agents/)
      expect(await notes({ agent: { enabled }, config })).not.toMatch(/agents/)
    }
  })
})

describeLab('the disruption budget of the agents', () => {
  const budget = async (podDisruptionBudget: object) =>
    one(
      await render({ agent: { podDisruptionBudget: { enabled: true, ...podDisruptionBudget } } }),
      'PodDisruptionBudget',
      'couchestor-agent',
    )['spec']

  it('is a number that must stay: of a DaemonSet Kubernetes takes nothing else, and would allow no eviction at all', async () => {
    expect(await budget({})).toMatchObject({ minAvailable: 1 })
    expect(await budget({ minAvailable: 3 })).toMatchObject({ minAvailable: 3 })
    expect(await budget({})).not.toHaveProperty('maxUnavailable')
    for (const wrong of [{ minAvailable: '50%' }, { maxUnavailable: 1 }])
      expect(await refusal({ agent: { podDisruptionBudget: wrong } })).toContain(
        '/agent/podDisruptionBudget',
      )
  })
})

describeLab('arguments that the chart gives itself', () => {
  it.each([
    ['exporter', { enabled: true, extraArgs: ['--metrics-port=1'] }, '--metrics-port=1'],
    [
      'exporter',
      { enabled: true, config: { aggregation_period: 300 }, extraArgs: ['--config=/x'] },
      '--config=/x',
    ],
    ['doctor', { extraArgs: ['--namespace=other'] }, '--namespace=other'],
    ['doctor', { extraArgs: ['--config', '/x'] }, '--config'],
  ])('are refused: %s %j', async (part, values, argument) => {
    expect(await refusal({ [part]: values })).toContain(`${part}.extraArgs has ${argument}`)
  })

  it('are free where the chart does not give them', async () => {
    const exporter = { enabled: true, extraArgs: ['--config=/mine/ceilometer.yaml'] }
    expect(await refusal({ exporter })).toBe('accepted')
  })
})

describeLab('config.yaml', () => {
  it('holds what looks like a template as it is written', async () => {
    const query = 'sum by (volume_id) (rate(mine[{{range}}]))'
    const queries = { operations: query, bytes: query, read_samples: query, write_samples: query }
    const config = { prometheus: { preset: 'custom', queries } }
    const { data } = one(await render({ config }), 'ConfigMap', 'couchestor-config')
    expect(load((data as Record<string, string>)['config.yaml'] ?? '')).toMatchObject(config)
  })

  it('may be that of the guide, with the credential that the chart names anyway', async () => {
    const [guide] = manifestsIn(GUIDE, 'couchestor-config-openstack.yaml') as unknown as [
      { readonly data: Readonly<Record<string, string>> },
    ]
    const config = load(guide.data['config.yaml'] ?? '') as object
    const { data } = one(await render({ config }), 'ConfigMap', 'couchestor-config')
    expect(load((data as Record<string, string>)['config.yaml'] ?? '')).toMatchObject(config)
    const elsewhere = { secret_name: 'openstack-credentials', namespace: 'other' }
    expect(await refusal({ config: { openstack: { credential_ref: elsewhere } } })).toMatch(
      /take it out of config, and set credentials\.secretName/,
    )
  })
})

describeLab('a proxy', () => {
  it('may be one of SOCKS, as the program takes it', async () => {
    const proxy = { httpsProxy: 'socks5://proxy.example.com' }
    const objects = await render({ proxy, networkPolicy: { enabled: true } })
    const [{ env }] = controllerOf(objects).spec.template.spec.containers
    expect(env).toContainEqual({ name: 'HTTPS_PROXY', value: proxy.httpsProxy })
    const policy = one(objects, 'NetworkPolicy', 'couchestor-controller-policy')
    expect(JSON.stringify(policy)).toContain('"port":1080')
  })

  it.each(['socks5://user:password@proxy.example.com:1080', 'http://user:pass/word@proxy:3128'])(
    'shows no password, of whatever kind it is: %s',
    async (httpsProxy) => {
      expect(await refusal({ proxy: { httpsProxy } })).toMatch(/proxy\.httpsProxy holds a password/)
    },
  )
})

describeLab('a typo that the API server would drop without a word is refused', () => {
  it.each([
    ['controller', { livenessProbe: { periodSecond: 3 } }, /livenessProbe'.*'periodSecond'/],
    ['agent', { startupProbe: { failureTreshold: 3 } }, /startupProbe'.*'failureTreshold'/],
    ['agent', { hostAliases: [{ ip: '10.0.0.1', hostname: 'x' }] }, /hostAliases\/0'.*'hostname'/],
    ['exporter', { dnsConfig: { nameserver: ['10.0.0.1'] } }, /dnsConfig'.*'nameserver'/],
    ['controller', { updateStrategy: { type: 'OnDelete' } }, /updateStrategy\/type'.*'Recreate'/],
    ['agent', { updateStrategy: { type: 'Recreate' } }, /updateStrategy\/type'.*'OnDelete'/],
    [
      'exporter',
      { updateStrategy: { rollingUpdate: { maxUnavailible: 1 } } },
      /rollingUpdate'.*'maxUnavailible'/,
    ],
  ])('%s %j', async (component, values, message) => {
    expect(await refusal({ [component]: values })).toMatch(message)
  })

  it('and what is right is taken', async () => {
    const right = {
      livenessProbe: { tcpSocket: { port: 8081 }, httpGet: null, timeoutSeconds: 3 },
      readinessProbe: null,
      hostAliases: [{ ip: '10.0.0.1', hostnames: ['keystone.internal'] }],
      dnsConfig: { nameservers: ['10.0.0.1'], searches: ['x'], options: [{ name: 'ndots' }] },
    }
    const rolling = { rollingUpdate: { maxSurge: 0, maxUnavailable: '50%' } }
    const values = {
      controller: { ...right, updateStrategy: { type: 'Recreate', rollingUpdate: null } },
      agent: { ...right, updateStrategy: { type: 'OnDelete' } },
      exporter: { enabled: true, ...right, updateStrategy: rolling },
    }
    expect(await refusal(values)).toBe('accepted')
  })
})
