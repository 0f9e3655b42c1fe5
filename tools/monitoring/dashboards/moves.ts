import type { Annotation } from './grafana.ts'
import { annotation } from './dashboard.ts'
import { riseBy, series } from './promql.ts'

/** A mark at each move of the fleet that ended; `matchers` choose the policies. */
export function moveAnnotations(matchers: string): Annotation[] {
  const ended = (result: string) =>
    `${riseBy('policy, from, to, reason', series('couchestor_migrations_total', matchers, `result="${result}"`), '$__rate_interval')} > 0`
  const text = '{{policy}}: {{from}} to {{to}} ({{reason}})'
  return [
    annotation('Move succeeded', 'green', ended('Succeeded'), text),
    annotation('Move failed', 'red', ended('Failed'), text),
  ]
}
