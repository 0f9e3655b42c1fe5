import type { RuleGroup } from './rule.ts'
import { leader, total } from './promql.ts'

/** The inner max takes one of the series that a pair of Prometheus servers or two scrapes of one node make. */
function perVolume(reads: string, writes: string): string {
  const one = (name: string) =>
    `sum by (cluster, volume_id) (max by (cluster, volume_id, node, device) (rate(${name}[5m])))`
  return `${one(reads)} + ${one(writes)}`
}

/** Only where querying again is expensive: weeks of every volume, and the money of the fleet over months. */
export const RECORDING: RuleGroup = {
  name: 'couchestor.recording',
  interval: '1m',
  rules: [
    {
      record: 'volume_id:couchestor_volume_operations:rate5m',
      expr: perVolume(
        'couchestor_volume_reads_completed_total',
        'couchestor_volume_writes_completed_total',
      ),
    },
    {
      record: 'volume_id:couchestor_volume_bytes:rate5m',
      expr: perVolume(
        'couchestor_volume_read_bytes_total',
        'couchestor_volume_written_bytes_total',
      ),
    },
    {
      record: 'kind:couchestor_monthly_cost:sum',
      expr: `sum by (cluster, kind) (${leader('couchestor_monthly_cost', 'policy', 'kind')})`,
    },
    {
      record: 'tier:couchestor_volumes_size_bytes:sum',
      expr: `sum by (cluster, tier) (${leader('couchestor_volumes_size_bytes', 'policy', 'tier')})`,
    },
    {
      record: 'policy:couchestor_covered_volumes:ratio',
      expr: `${leader('couchestor_covered_volumes', 'policy')} / ${leader('couchestor_attached_volumes', 'policy')}`,
    },
    {
      record: 'policy:couchestor_blocked_claims:ratio',
      expr: `${leader('couchestor_blocked_claims', 'policy')} / ${total(leader('couchestor_claims', 'policy', 'reason'), 'policy')}`,
    },
  ],
}
