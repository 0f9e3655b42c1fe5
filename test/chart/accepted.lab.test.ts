import { readdirSync } from 'node:fs'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { GUIDE, guideFiles, manifestsIn } from '../crds/manifests.ts'
import type { Manifest } from '../crds/manifests.ts'
import { describeLab } from '../lab/describe-lab.ts'
import { eventually } from '../lab/eventually.ts'
import { apply, kubectl } from '../lab/kubectl.ts'
import { render } from './helm.ts'
import { applyMonitoringCrds, removeMonitoringCrds } from './monitoring-crds.ts'
import { SWITCHES } from './switches.ts'

const RESTRICTED = 'chart-restricted'
const OPEN = 'chart-open'
/** These mount the node's directories, which the restricted standard forbids. */
const NEED_MORE = ['the privileged agent', 'everything']

// The lab has StorageClasses of these names with another binding mode, which the API never lets change.
const renamed = (m: Manifest): Manifest =>
  m.kind === 'StorageClass'
    ? { ...m, metadata: { ...m.metadata, name: `chart-${m.metadata.name}` } }
    : m

/** The API server's word on objects: "accepted", or what it, or a warning of it, says. */
async function verdict(objects: readonly Manifest[]): Promise<string> {
  const list = { apiVersion: 'v1', kind: 'List', items: objects.map(renamed) }
  const args = ['apply', '--dry-run=server', '--validate=strict', '--warnings-as-errors', '-f', '-']
  return kubectl(args, { input: JSON.stringify(list) }).then(
    (out) => (out.match(/\(server dry run\)/g)?.length === objects.length ? 'accepted' : out),
    (e: unknown) => String(e),
  )
}

describeLab('a real API server, strict and with every warning an error', () => {
  beforeAll(async () => {
    await kubectl(['apply', '-f', 'deploy/crds/'])
    await applyMonitoringCrds()
    const pod = 'pod-security.kubernetes.io'
    const labels = { [`${pod}/enforce`]: 'restricted', [`${pod}/warn`]: 'restricted' }
    for (const name of [RESTRICTED, OPEN, 'couchestor-system']) {
      if ((await kubectl(['get', 'namespace', name, '--ignore-not-found'])) === '')
        await apply({
          apiVersion: 'v1',
          kind: 'Namespace',
          metadata: { name, ...(name === RESTRICTED && { labels }) },
        })
      await eventually(`${name} has its default account`, () =>
        kubectl(['-n', name, 'get', 'serviceaccount', 'default']),
      )
    }
    // a pod is refused when its account is not there, and a dry run makes none
    for (const namespace of [RESTRICTED, OPEN])
      for (const name of ['couchestor', 'couchestor-doctor', 'tiering-doctor', 'mine'])
        await apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } })
  })
  afterAll(async () => {
    await kubectl(['delete', 'namespace', '--ignore-not-found', RESTRICTED, OPEN])
    await removeMonitoringCrds()
  })

  it.each(SWITCHES)('accepts the chart with %s', async (name, values) => {
    const namespace = NEED_MORE.includes(name) ? OPEN : RESTRICTED
    const objects = await render(values, namespace)
    expect(objects.length).toBeGreaterThan(5)
    expect(await verdict(objects)).toBe('accepted')
  })

  it.each(NEED_MORE)('warns of %s where only restricted pods may run', async (name) => {
    const [, values] = SWITCHES.find(([n]) => n === name) ?? ['', {}]
    expect(await verdict(await render(values, RESTRICTED))).toContain('would violate PodSecurity')
  })

  it.each([
    ...readdirSync('deploy').filter((file) => file.endsWith('.yaml')),
    ...readdirSync('deploy/monitoring').map((file) => `monitoring/${file}`),
  ])('accepts deploy/%s', async (file) => {
    expect(await verdict(manifestsIn('deploy', file))).toBe('accepted')
  })

  it.each(guideFiles())("accepts the guide's %s beside the chart's CRDs", async (file) => {
    expect(await verdict(manifestsIn(GUIDE, file))).toBe('accepted')
  })
})
