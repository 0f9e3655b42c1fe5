import { Counter, Gauge, Histogram } from 'prom-client'
import type { VolumeMigration } from '../api/volume-migration.ts'
import { METRIC_PREFIX } from '../metrics.ts'
import type { Registry } from '../metrics.ts'
import { MoveGauges, strategyOf } from './move-gauges.ts'
import { PolicyGauges } from './policy-gauges.ts'
import { VolumeMetrics } from './volume-metrics.ts'

/**
 * What the controller says of itself. No label names a claim or a volume except on the page of `volumes`. Gauges are those of the leader: a
 * standby knows nothing of them and exports none, so that nobody takes its zeros for news.
 */
export class ControllerMetrics {
  readonly #ended: Counter
  readonly #duration: Histogram
  readonly cycle: Histogram
  readonly policies: PolicyGauges
  readonly moves: MoveGauges
  readonly volumes = new VolumeMetrics()
  readonly unmanagedClaims: Gauge
  readonly cinderUp: Gauge
  readonly cinderReadAt: Gauge
  readonly halted: Gauge
  readonly shadowCost: Counter
  readonly predictionError: Histogram

  constructor(registry: Registry) {
    const registers = [registry]
    this.#ended = new Counter({
      name: `${METRIC_PREFIX}migrations_total`,
      help: 'Migrations that ended, by result and reason of their end.',
      labelNames: ['policy', 'from', 'to', 'strategy', 'result', 'reason'],
      registers,
    })
    this.#duration = new Histogram({
      name: `${METRIC_PREFIX}migration_duration_seconds`,
      help: 'Time from the saved intent to the verified end of successful migrations.',
      labelNames: ['from', 'to', 'strategy'],
      buckets: [5, 15, 60, 300, 900, 1800, 3600, 7200, 14_400, 43_200, 86_400],
      registers,
    })
    this.cycle = new Histogram({
      name: `${METRIC_PREFIX}cycle_duration_seconds`,
      help: 'Time of one pass over all claims: usage numbers, verdicts, plan.',
      buckets: [0.01, 0.05, 0.2, 0.4, 1, 4, 10, 30, 60],
      registers,
    })
    this.shadowCost = new Counter({
      name: `${METRIC_PREFIX}shadow_cost_total`,
      help: 'Cost of storage and throttling in the unit of the prices: of the policy with its moves (policy), with all volumes on the fastest tier (all_hot), and had none been moved (stay).',
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
    this.policies = new PolicyGauges(registry)
    this.moves = new MoveGauges(registry)
    this.unmanagedClaims = new Gauge({
      name: `${METRIC_PREFIX}unmanaged_claims`,
      help: 'Claims that no usable policy manages, by reason.',
      labelNames: ['reason'],
      registers,
    })
    this.cinderUp = unset(registry, 'cinder_up', '1 when the last full read of Cinder worked.')
    this.cinderReadAt = unset(
      registry,
      'cinder_read_timestamp_seconds',
      'When Cinder was last read in full.',
    )
    this.halted = unset(
      registry,
      'halted',
      '1 while all moves halt because one ended in a way that nothing explains.',
    )
  }

  step(m: VolumeMigration): void {
    const { step, reason, startedAt, completedAt } = m.status ?? {}
    if (step !== 'Succeeded' && step !== 'Failed') return
    const { policy, from = '', to } = m.spec
    const strategy = strategyOf(m)
    this.#ended.inc({ policy, from, to, strategy, result: step, reason: reason ?? '' })
    if (step !== 'Succeeded' || startedAt === undefined || completedAt === undefined) return
    const seconds = (Date.parse(completedAt) - Date.parse(startedAt)) / 1000
    this.#duration.observe({ from, to, strategy }, seconds)
  }
}

/** A gauge without labels that has no value until it is set. */
function unset(registry: Registry, name: string, help: string): Gauge {
  const gauge = new Gauge({ name: METRIC_PREFIX + name, help, registers: [registry] })
  gauge.remove()
  return gauge
}
