import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { format, resolveConfig } from 'prettier'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..')
const CHART = 'charts/couchestor'
const NAMESPACE = 'couchestor-system'

/** What the plain manifests have that is no default of the chart; the addresses are the installation guide's. */
const COMMON = {
  config: {
    openstack: { auth_url: 'https://keystone.example.com:5000/v3', region: 'RegionOne' },
  },
  controller: { restartOnConfigChange: false },
  exporter: { enabled: true },
  networkPolicy: { enabled: true },
  monitoring: { prometheusRule: { enabled: true }, dashboards: { enabled: true } },
}
const monitor = (kind: 'serviceMonitor' | 'podMonitor') => ({
  ...COMMON,
  monitoring: { [kind]: { enabled: true } },
})

/** Manifest in deploy/, the template of the chart that it is, and the values it is rendered with. */
const FILES: readonly (readonly [string, object])[] = [
  ['config.yaml', COMMON],
  ['rbac.yaml', COMMON],
  ['admission.yaml', COMMON],
  ['snapshot-restore.yaml', { ...COMMON, strategies: { snapshotRestore: { enabled: true } } }],
  ['workload-restart.yaml', { ...COMMON, workloads: { restart: { enabled: true } } }],
  ['controller.yaml', COMMON],
  ['agent.yaml', COMMON],
  ['exporter.yaml', COMMON],
  ['network-policies.yaml', COMMON],
  ['monitoring/servicemonitor.yaml', monitor('serviceMonitor')],
  ['monitoring/podmonitor.yaml', monitor('podMonitor')],
  ['monitoring/prometheusrule.yaml', COMMON],
  ['monitoring/dashboards.yaml', COMMON],
]

/** The plain manifests as the chart has them, by path. Needs `helm`, in PATH or in the lab's cache. */
export async function renderedManifests(): Promise<ReadonlyMap<string, string>> {
  const style = await resolveConfig(join(ROOT, 'deploy', 'config.yaml'))
  const rendered = FILES.map(async ([file, values]) => {
    const template = `templates/${file}`
    const text = plain(helmTemplate(template, values), templateText(template))
    return [`deploy/${file}`, await format(text, { ...style, parser: 'yaml' })] as const
  })
  return new Map(await Promise.all(rendered))
}

function templateText(template: string): string {
  return readFileSync(join(ROOT, CHART, template), 'utf8')
}

function helmTemplate(template: string, values: object): string {
  const cache = process.env['COUCHESTOR_LAB_CACHE'] ?? join(homedir(), '.cache', 'couchestor-lab')
  const args = ['template', 'couchestor', CHART, '--namespace', NAMESPACE, '--show-only', template]
  return execFileSync('helm', [...args, '--values', '-'], {
    cwd: ROOT,
    encoding: 'utf8',
    input: JSON.stringify(values),
    env: { ...process.env, PATH: `${process.env['PATH'] ?? ''}:${join(cache, 'bin')}` },
  })
}

/** Without what only Helm reads, in the order of the template: Helm's own order puts what matters last. */
function plain(rendered: string, template: string): string {
  const kinds = [...template.matchAll(/^kind: (\w+)$/gm)].map((m) => m[1])
  const kindOf = (document: string) => /^kind: (\w+)$/m.exec(document)?.[1]
  const documents = rendered
    // what an optional part leaves behind where it is not there
    .replaceAll(/^ +\n/gm, '')
    .replaceAll(/^ *(helm\.sh\/chart|app\.kubernetes\.io\/managed-by): .*\n/gm, '')
    .split(/^---\n# Source: .*\n/m)
  const objects = documents
    .filter((d) => kindOf(d) !== undefined)
    .toSorted((a, b) => kinds.indexOf(kindOf(a)) - kinds.indexOf(kindOf(b)))
  const comments = documents.filter((d) => kindOf(d) === undefined).join('')
  return `# Made from ${CHART} by "npm run render".\n${comments}${objects.join('---\n')}`
}

async function writeAll(): Promise<void> {
  for (const [path, content] of await renderedManifests()) {
    mkdirSync(dirname(join(ROOT, path)), { recursive: true })
    writeFileSync(join(ROOT, path), content)
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await writeAll()
