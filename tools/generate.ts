import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { dump, load } from 'js-yaml'
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
import { reasonsReference } from './reasons-reference.ts'
import { rulesFile } from './rules-file.ts'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..')

/**
 * Every file that is made from another one, by its path in the repository: deploy/crds/ (the path of the installation
 * guide) and src/api/crds.json (what the program itself carries) from crds/, the dashboards of the chart, and the reference pages
 * from CRDs and code.
 */
export async function generatedFiles(root = ROOT): Promise<ReadonlyMap<string, string>> {
  const crds = await readCrds(root)
  const catalogue = metricsCatalogue()
  const manifests = [...crds].map(
    ([name, crd]) =>
      [
        `deploy/crds/${name}`,
        `# Made from crds/${name} by "npm run generate".\n${dump(crd, { noRefs: true, lineWidth: 120 })}`,
      ] as const,
  )
  return new Map([
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

async function readCrds(root: string): Promise<ReadonlyMap<string, Crd>> {
  const names = (await readdir(join(root, 'crds'))).filter((name) => name.endsWith('.yaml')).sort()
  const texts = await Promise.all(names.map((name) => readFile(join(root, 'crds', name), 'utf8')))
  return new Map(names.map((name, i) => [name, load(texts[i]!) as Crd] as const))
}

async function writeAll(): Promise<void> {
  for (const [path, content] of await generatedFiles()) {
    await mkdir(dirname(join(ROOT, path)), { recursive: true })
    await writeFile(join(ROOT, path), content)
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await writeAll()
