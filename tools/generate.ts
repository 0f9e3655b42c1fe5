import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { dump, load } from 'js-yaml'
import { format, resolveConfig } from 'prettier'
import { dashboardFiles } from './monitoring/dashboards/dashboards.ts'
import { alertsReference } from './alerts-reference.ts'
import { apiReference } from './api-reference.ts'
import { chartFiles } from './chart-files.ts'
import type { Crd } from './api-reference.ts'
import { configReference } from './config-reference.ts'
import { doctorReference } from './doctor-reference.ts'
import { metricsCatalogue } from './metrics-catalogue.ts'
import { metricsReference } from './metrics-reference.ts'
import { errorsReference } from './errors-reference.ts'
import { moveReference } from './move-reference.ts'
import { policyCrd } from './policy-crd.ts'
import { reasonsReference } from './reasons-reference.ts'
import { rulesFile } from './rules-file.ts'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..')
const POLICY_CRD = 'couchestor.io_storagepolicies.yaml'

/**
 * Every file that is made from another one, by its path in the repository: deploy/crds/ (the path of the installation
 * guide) and src/api/crds.json (what the program itself carries) from crds/, which has the policy's fields from src/api, the dashboards of the chart,
 * and the reference pages from CRDs and code.
 */
export async function generatedFiles(root = ROOT): Promise<ReadonlyMap<string, string>> {
  const sources = await readCrds(root)
  const crds = new Map([...sources].map(([name, text]) => [name, load(text) as Crd] as const))
  const catalogue = metricsCatalogue()
  const manifests = [...crds].map(
    ([name, crd]) =>
      [
        `deploy/crds/${name}`,
        `# Made from crds/${name} by "npm run generate".\n${dump(crd, { noRefs: true, lineWidth: 120 })}`,
      ] as const,
  )
  return new Map([
    [`crds/${POLICY_CRD}`, sources.get(POLICY_CRD)!],
    ...manifests,
    ...dashboardFiles(),
    ...(await chartFiles(root, crds)),
    ['src/api/crds.json', `${JSON.stringify([...crds.values()])}\n`],
    ['docs/alerts.md', alertsReference()],
    ['docs/errors.md', errorsReference()],
    ['docs/reference-api.md', apiReference([...crds.values()])],
    ['docs/reference-config.md', configReference(await readPage(root))],
    ['docs/reference-doctor.md', doctorReference()],
    ['docs/reference-metrics.md', metricsReference(catalogue)],
    ['docs/reference-moves.md', moveReference()],
    ['docs/reference-reasons.md', reasonsReference()],
    ['charts/couchestor/files/rules.yaml', rulesFile()],
    ['tools/monitoring/metrics-catalogue.json', `${JSON.stringify(catalogue, null, 2)}\n`],
  ])
}

function readPage(root: string): Promise<string> {
  return readFile(join(root, 'docs/reference-config.md'), 'utf8')
}

/** crds/ by file name, with the part that is made, formatted as `npm run check` wants it. */
async function readCrds(root: string): Promise<ReadonlyMap<string, string>> {
  const names = (await readdir(join(root, 'crds'))).filter((name) => name.endsWith('.yaml')).sort()
  const texts = names.map(async (name) => {
    const path = join(root, 'crds', name)
    const text = await readFile(path, 'utf8')
    if (name !== POLICY_CRD) return [name, text] as const
    const style = await resolveConfig(path)
    return [name, await format(policyCrd(text), { ...style, parser: 'yaml' })] as const
  })
  return new Map(await Promise.all(texts))
}

async function writeAll(): Promise<void> {
  for (const [path, content] of await generatedFiles()) {
    await mkdir(dirname(join(ROOT, path)), { recursive: true })
    await writeFile(join(ROOT, path), content)
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await writeAll()
