import { Counter, Gauge, Histogram } from 'prom-client'
import type { VolumeMigration } from '../api/volume-migration.ts'
import { METRIC_PREFIX } from '../metrics.ts'
import type { Registry } from '../metrics.ts'

/** What the controller says of itself. No label ever names a claim or a volume. */
export class ControllerMetrics {
  readonly #ended: Counter
  readonly #duration: Histogram
  readonly cycle: Histogram
  readonly claims: Gauge
  readonly volumes: Gauge
  readonly inFlight: Gauge
  readonly monthlyCost: Gauge
  readonly sourceUp: Gauge
  readonly cinderUp: Gauge
  readonly shadowCost: Counter
  readonly predictionError: Histogram

  constructor(registry: Registry) {
    const registers = [registry]
    this.#ended = new Counter({
      name: `${METRIC_PREFIX}migrations_total`,
      help: 'Migrations that ended, by reason of their end.',
      labelNames: ['policy', 'from', 'to', 'result', 'reason'],
      registers,
    })
    this.#duration = new Histogram({
      name: `${METRIC_PREFIX}migration_duration_seconds`,
      help: 'Time from the saved intent to the verified end of successful migrations.',
      labelNames: ['from', 'to'],
      buckets: [5, 15, 60, 300, 900, 1800, 3600, 7200, 14_400, 43_200, 86_400],
      registers,
    })
    this.cycle = new Histogram({
      name: `${METRIC_PREFIX}cycle_duration_seconds`,
      help: 'Time of one window: usage numbers, verdicts, plan.',
      buckets: [0.01, 0.05, 0.2, 0.4, 1, 4, 10, 30, 60],
      registers,
    })
    this.shadowCost = new Counter({
      name: `${METRIC_PREFIX}shadow_cost_total`,
      help: 'Cost of storage and throttling in the unit of the prices: of the policy with its moves, with all volumes on the fastest tier, and had none been moved.',
      labelNames: ['policy', 'strategy'],
      registers,
    })
    this.predictionError = new Histogram({
      name: `${METRIC_PREFIX}prediction_error_ratio`,
      help: 'What a move has saved by the week after it, less what was predicted, as a share of that.',
      labelNames: ['policy'],
      buckets: [-5, -2, -1, -0.5, -0.2, -0.1, 0, 0.1, 0.2, 0.5, 1, 2, 5],
      registers,
    })
    const gauge = (name: string, help: string, labelNames: string[] = []) =>
      new Gauge({ name: METRIC_PREFIX + name, help, labelNames, registers })
    this.claims = gauge(
      'claims',
      'Managed claims by the answer they got; "Move" when they are to move.',
      ['policy', 'reason'],
    )
    this.volumes = gauge('volumes', 'Managed volumes by tier, as Cinder says.', ['policy', 'tier'])
    this.inFlight = gauge(
      'migrations_in_flight',
      'Migrations that may be running in Cinder, by step.',
      ['step'],
    )
    this.monthlyCost = gauge(
      'monthly_cost',
      'Cost of storage per month in the unit of the prices.',
      ['policy', 'kind'],
    )
    this.sourceUp = gauge(
      'source_up',
      '1 when the source of usage numbers answered the last window.',
      ['policy'],
    )
    this.cinderUp = gauge('cinder_up', '1 when the last look at Cinder worked.')
  }

  step(m: VolumeMigration): void {
    const { step, reason, startedAt, completedAt } = m.status ?? {}
    if (step !== 'Succeeded' && step !== 'Failed') return
    const { policy, from = '', to } = m.spec
    this.#ended.inc({ policy, from, to, result: step, reason: reason ?? '' })
    if (step === 'Succeeded' && startedAt !== undefined && completedAt !== undefined)
      this.#duration.observe({ from, to }, (Date.parse(completedAt) - Date.parse(startedAt)) / 1000)
  }
}
