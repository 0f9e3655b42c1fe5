import { Counter, Gauge, Histogram } from 'prom-client'
import type { VolumeMigration } from '../../api/volume-migration.ts'
import { METRIC_PREFIX } from '../../metrics.ts'
import type { Registry } from '../../metrics.ts'
import { MoveGauges } from './move-gauges.ts'
import { PolicyGauges } from './policy-gauges.ts'
import { quotaDriftGauge } from './quota-drift-reporter.ts'
import { ReplacementGauges } from './replacement-gauges.ts'
import { TaskMetrics } from './task-metrics.ts'
import { VolumeMetrics } from './volume-metrics.ts'
import { WorkloadGauges } from './workload-gauges.ts'

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
  readonly replacements: ReplacementGauges
  readonly workloads: WorkloadGauges
  readonly volumes = new VolumeMetrics()
  readonly tasks: TaskMetrics
  readonly unmanagedClaims: Gauge
  readonly cinderUp: Gauge
  readonly cinderReadAt: Gauge
  readonly halted: Gauge
  readonly startFailing: Gauge
  readonly auditUnavailable: Gauge
  readonly writesRefused: Gauge
  readonly quotaDrift: Gauge
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
    this.quotaDrift = quotaDriftGauge(registry)
    this.policies = new PolicyGauges(registry)
    this.moves = new MoveGauges(registry)
    this.replacements = new ReplacementGauges(registry)
    this.workloads = new WorkloadGauges(registry)
    this.tasks = new TaskMetrics(registry)
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
    this.auditUnavailable = new Gauge({
      name: `${METRIC_PREFIX}audit_unavailable`,
      help: '1 while no line can be written to the audit, so that no call that changes something is made and no move starts.',
      registers,
    })
    this.writesRefused = new Gauge({
      name: `${METRIC_PREFIX}writes_refused`,
      help: 'Objects whose last write the API server refused or did not answer, by resource; each is tried again with growing pauses.',
      labelNames: ['resource'],
      registers,
    })
    this.startFailing = new Gauge({
      name: `${METRIC_PREFIX}leader_start_failing`,
      help: 'By step of a new leader: 1 while it cannot read what it needs, so that it starts no move; 0 once it could.',
      labelNames: ['step'],
      registers,
    })
    this.halted = unset(
      registry,
      'halted',
      '1 while all moves halt because one ended in a way that nothing explains.',
    )
  }

  /** Policies and tiers that are gone leave no series behind. */
  async forgetUnknown(): Promise<void> {
    const noPolicy = ({ policy }: Labels) => !this.moves.isPolicy(String(policy))
    const noTier = ({ from, to }: Labels) =>
      ![from, to].every((tier) => this.moves.isTier(String(tier)))
    await removeSeries(this.#ended, (l) => noPolicy(l) || noTier(l))
    await removeSeries(this.#duration, noTier)
    await removeSeries(this.shadowCost, noPolicy)
    await removeSeries(this.predictionError, noPolicy)
  }

  step(m: VolumeMigration): void {
    const { step, reason, startedAt, completedAt } = m.status ?? {}
    if (step !== 'Succeeded' && step !== 'Failed') return
    const { policy, from, to, strategy } = this.moves.labelsOf(m)
    this.#ended.inc({ policy, from, to, strategy, result: step, reason: reason ?? '' })
    if (step !== 'Succeeded' || startedAt === undefined || completedAt === undefined) return
    // a wall clock that was set back meanwhile
    const seconds = Math.max(0, Date.parse(completedAt) - Date.parse(startedAt)) / 1000
    this.#duration.observe({ from, to, strategy }, seconds)
  }
}

type Series = { readonly labels: Labels }
type Labels = Partial<Record<string, string | number>>

/** Removes the series of a counter or histogram whose labels are none any more. */
async function removeSeries(
  metric: Counter | Histogram,
  isGone: (labels: Labels) => boolean,
): Promise<void> {
  const { values } = (await metric.get()) as { readonly values: readonly Series[] }
  const gone = new Map<string, Record<string, string | number>>()
  for (const { labels } of values) {
    const { le: _bucket, ...own } = labels
    if (isGone(own)) gone.set(JSON.stringify(own), own as Record<string, string | number>)
  }
  for (const labels of gone.values()) metric.remove(labels)
}

/** A gauge without labels that has no value until it is set. */
function unset(registry: Registry, name: string, help: string): Gauge {
  const gauge = new Gauge({ name: METRIC_PREFIX + name, help, registers: [registry] })
  gauge.remove()
  return gauge
}
