import { expect, it } from 'vitest'
import type { Manifest } from '../crds/manifests.ts'
import { describeLab } from '../lab/describe-lab.ts'
import { COMPONENTS, each, EXPORTER, workloadOf } from './components.ts'
import type { Component } from './components.ts'
import { NAMESPACE, render } from './helm.ts'
import { one } from './shapes.ts'

describeLab('scraping', () => {
  const annotationsOf = (objects: readonly Manifest[], component: Component) =>
    workloadOf(objects, component).spec.template.metadata.annotations ?? {}

  it.each([
    ['controller', '8080'],
    ['agent', '9106'],
    ['exporter', '9105'],
  ] as const)('is asked for by the pods of the %s', async (component, port) => {
    expect(annotationsOf(await render(EXPORTER), component)).toMatchObject({
      'prometheus.io/scrape': 'true',
      'prometheus.io/port': port,
      'prometheus.io/path': '/metrics',
    })
  })

  it.each([
    ['a PodMonitor', { podMonitor: { enabled: true } }, undefined],
    ['a ServiceMonitor', { serviceMonitor: { enabled: true } }, undefined],
    ['Never', { scrapeAnnotations: 'Never' }, undefined],
    ['Always', { scrapeAnnotations: 'Always', podMonitor: { enabled: true } }, 'true'],
  ])('is asked for once: %s', async (_, monitoring, scrape) => {
    const objects = await render({ ...EXPORTER, monitoring })
    for (const component of COMPONENTS)
      expect(annotationsOf(objects, component)['prometheus.io/scrape']).toBe(scrape)
  })

  it('is what the values say where they annotate pods themselves', async () => {
    const podAnnotations = { 'prometheus.io/scrape': 'false', 'checksum/config': 'mine' }
    const objects = await render(each({ podAnnotations }))
    for (const component of COMPONENTS)
      expect(annotationsOf(objects, component)).toMatchObject(podAnnotations)
  })

  it.each([
    ['serviceMonitor', 'ServiceMonitor', 'endpoints'],
    ['podMonitor', 'PodMonitor', 'podMetricsEndpoints'],
  ])('by a monitor has its fields: %s', async (key, kind, endpoints) => {
    const monitor = {
      enabled: true,
      namespace: 'monitoring',
      annotations: { a: 'b' },
      scrapeTimeout: '5s',
      relabelings: [{ action: 'labeldrop', regex: 'pod' }],
      metricRelabelings: [{ action: 'drop', sourceLabels: ['__name__'], regex: 'nodejs_.*' }],
    }
    const monitoring = { interval: '15s', labels: { app: 'kube-prometheus' }, [key]: monitor }
    const made = (await render({ ...EXPORTER, monitoring })).filter((o) => o.kind === kind)
    expect(made).toHaveLength(3)
    const { scrapeTimeout, relabelings, metricRelabelings } = monitor
    for (const { metadata, spec } of made as (Manifest & { spec: object })[]) {
      expect(metadata).toMatchObject({
        namespace: 'monitoring',
        labels: { app: 'kube-prometheus' },
        annotations: { a: 'b' },
      })
      expect(spec).toMatchObject({
        namespaceSelector: { matchNames: [NAMESPACE] },
        [endpoints]: [
          { port: 'metrics', interval: '15s', scrapeTimeout, relabelings, metricRelabelings },
        ],
      })
    }
  })
})

describeLab('alerts', () => {
  type Rules = {
    groups: {
      rules: {
        alert?: string
        for?: string
        labels?: Record<string, string>
        annotations?: Record<string, string>
        expr: string
      }[]
    }[]
  }
  const rulesOf = async (prometheusRule: object) => {
    const objects = await render({
      monitoring: { prometheusRule: { enabled: true, ...prometheusRule } },
    })
    const { groups } = one(objects, 'PrometheusRule', 'couchestor')['spec'] as Rules
    return groups.flatMap((g) => g.rules)
  }

  it('can be switched off and changed one by one; the others stay as they are', async () => {
    const before = await rulesOf({})
    const after = await rulesOf({
      alerts: {
        CouchestorNoLeader: { enabled: false },
        CouchestorAgentDown: { for: '1h', labels: { severity: 'info' } },
      },
    })
    const untouched = (r: { alert?: string }) => !/NoLeader|AgentDown/.test(r.alert ?? '')
    expect(after.filter(untouched)).toEqual(before.filter(untouched))
    expect(after.map((r) => r.alert)).not.toContain('CouchestorNoLeader')
    expect(after.find((r) => r.alert === 'CouchestorAgentDown')).toMatchObject({
      for: '1h',
      labels: { severity: 'info' },
    })
  })

  it('point to pages of your own', async () => {
    const alerts = (await rulesOf({ runbookBaseUrl: 'https://wiki.example.com/run/' })).filter(
      (r) => r.alert !== undefined,
    )
    expect(alerts.length).toBeGreaterThan(30)
    for (const { annotations } of alerts)
      expect(annotations?.['runbook_url']).toMatch(/^https:\/\/wiki\.example\.com\/run\/[\w.-]+$/)
  })
})
