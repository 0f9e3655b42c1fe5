import { EXPORTER_JOB } from './promql.ts'
import type { RuleGroup } from './rule.ts'

export const EXPORTER_ALERTS: RuleGroup = {
  name: 'couchestor.exporter',
  rules: [
    {
      alert: 'CouchestorExporterDown',
      severity: 'warning',
      for: '15m',
      expr: `up{${EXPORTER_JOB}} == 0`,
      summary: 'The CoucheStor exporter cannot be scraped.',
      description:
        '{{ $labels.instance }} has not answered for 15 minutes. Graphs made of its series end; the controller does not need it.',
      runbook: 'exporter-down',
    },
    {
      alert: 'CouchestorExporterCannotRead',
      severity: 'warning',
      for: '30m',
      expr: 'couchestor_exporter_up == 0',
      summary: 'The CoucheStor exporter gets no answer from Cinder or Gnocchi.',
      description:
        '{{ $labels.instance }} answers, but has had nothing to show for 30 minutes. Its log says what Cinder, Keystone or Gnocchi answered.',
      runbook: 'exporter-cannot-read',
    },
    {
      alert: 'CouchestorGnocchiLag',
      severity: 'warning',
      for: '30m',
      expr: 'couchestor_exporter_newest_measure_age_seconds > 3600',
      summary: 'Gnocchi has no new measures.',
      description:
        'The newest measure that Gnocchi gives {{ $labels.instance }} is {{ $value | humanizeDuration }} old. Ceilometer does not poll, or metricd does not keep up.',
      runbook: 'gnocchi-lag',
    },
  ],
}
