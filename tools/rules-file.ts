import { dump } from 'js-yaml'
import { rulesDocument } from './monitoring/rules.ts'

/** charts/couchestor/files/rules.yaml: a rule file of Prometheus, and as it stands the spec of a PrometheusRule. */
export function rulesFile(): string {
  const text = dump(rulesDocument(), { noRefs: true, lineWidth: -1 })
  return `# Made from tools/monitoring/rules.ts by "npm run generate".\n${text}`
}
