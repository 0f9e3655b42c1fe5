/** `record` is `level:metric:operation`. */
export type RecordingRule = { readonly record: string; readonly expr: string }

/**
 * critical: page someone, a workload or data is at risk. warning: check it today, tiering does not work as it should.
 * info: check it some day.
 */
export type Severity = 'critical' | 'warning' | 'info'

export type Alert = {
  readonly alert: string
  readonly severity: Severity
  /** How long it must be so before anyone is notified; `0m` for what has its own span in the expression. */
  readonly for: string
  readonly expr: string
  /** One line; Prometheus' templates fill in labels and `$value`. */
  readonly summary: string
  /** What it means and the numbers. */
  readonly description: string
  /** Name of the page in docs/runbooks, without `.md`. */
  readonly runbook: string
}

export type RuleGroup = {
  readonly name: string
  /** Default: that of the Prometheus server. */
  readonly interval?: string
  readonly rules: readonly (RecordingRule | Alert)[]
}
