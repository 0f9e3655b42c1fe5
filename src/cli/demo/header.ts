import { POLICIES, TIERS } from './policies.ts'
import { bar } from './screen.ts'
import type { Screen } from './screen.ts'
import type { Stage } from './stage.ts'

const QUERIES_PER_WINDOW = 4
/** Hours of 14 days, and of the shorter history of the claim with a policy of its own. */
const HISTORY_WINDOWS = 14 * 24 + 84

/** What is shown, and how to inspect it. */
export function printHeader(screen: Screen, stage: Stage, metricsUrl: string, speed: number): void {
  const { urls, actors } = stage
  const seconds = Math.round(60 / speed)
  screen.heading('CoucheStor: a day in the life of a fleet')
  screen.text(
    `  The real controller against simulated services over real HTTP on loopback.`,
    `  ${actors.length} claims, 14 days of history, and a day that takes about ${seconds} s.`,
    '',
    `  API server   ${urls.kube}`,
    `  Keystone     ${urls.identity}/v3`,
    `  Cinder       ${urls.volume}`,
    `  Prometheus   ${urls.prometheus}`,
    `  Metrics      ${metricsUrl}/metrics  (also /healthz, /readyz)`,
    '',
    `  Inspect it from another terminal:`,
    `    kubectl --server=${urls.kube} get pvc,stp,vmig -A`,
    '',
    `  Tier    GiB/month   operations per second`,
    ...TIERS.map((t, i) => {
      const faster = TIERS[i - 1]
      const limit = faster === undefined ? 'unlimited' : `up to ${faster.threshold}`
      return `  ${t.name.padEnd(8)}${t.price.toFixed(2).padStart(9)}   ${limit}`
    }),
    '',
    `  Policies     ${POLICIES.map((p) => p.metadata.name).join(', ')}`,
  )
}

/** While history is read. */
export function readingText(stage: Stage): readonly string[] {
  const share = stage.world.prometheus.seams.queries.length / QUERIES_PER_WINDOW / HISTORY_WINDOWS
  return [`  History      ${bar(share, 24, true)}  14 days, before the first decision`]
}

/** How long the controller took to know the fleet. */
export function printReading(screen: Screen, stage: Stage, seconds: number): void {
  const queries = stage.world.prometheus.seams.queries.length
  screen.text(
    `  History      14 days read in ${seconds.toFixed(1)} s, ${queries} queries whatever the fleet`,
    '',
  )
}
