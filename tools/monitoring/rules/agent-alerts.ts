import { AGENT_JOB } from './promql.ts'
import type { RuleGroup } from './rule.ts'

/** Disks of a node in one of the states, as their number. */
const disks = (states: string) =>
  `sum without (state) (couchestor_agent_disks{state=~"${states}"}) > 0`

export const AGENT_ALERTS: RuleGroup = {
  name: 'couchestor.agent',
  rules: [
    {
      alert: 'CouchestorAgentDown',
      severity: 'warning',
      for: '15m',
      expr: `up{${AGENT_JOB}} == 0`,
      summary: 'The CoucheStor agent of a node cannot be scraped.',
      description:
        '{{ $labels.instance }} has not answered for 15 minutes. The volumes of its node have no usage numbers and stay where they are.',
      runbook: 'agent-down',
    },
    {
      alert: 'CouchestorAgentScrapeFailing',
      severity: 'warning',
      for: '15m',
      expr: 'couchestor_agent_scrape_success == 0',
      summary: 'The CoucheStor agent on {{ $labels.node }} cannot read its disks.',
      description:
        'The agent on {{ $labels.node }} answers, but /proc/diskstats or /sys/block could not be read for 15 minutes.',
      runbook: 'agent-scrape-failing',
    },
    {
      alert: 'CouchestorAgentUnmappedDisks',
      severity: 'warning',
      for: '1h',
      expr: disks('shared_serial|other_path|unreadable'),
      summary: 'Disks of {{ $labels.node }} cannot be identified or read.',
      description:
        '{{ $value }} disks of {{ $labels.node }} bear a volume id, or should, but are not counted: shared_serial, other_path or unreadable. couchestor_agent_disk_skipped_info names them.',
      runbook: 'agent-unmapped-disks',
    },
    {
      alert: 'CouchestorAgentAccountingOff',
      severity: 'warning',
      for: '1h',
      expr: disks('accounting_off'),
      summary: 'The kernel of {{ $labels.node }} does not count the I/O of some disks.',
      description:
        '{{ $value }} disks of {{ $labels.node }} have queue/iostats at 0. Their volumes have no usage numbers and stay where they are.',
      runbook: 'agent-accounting-off',
    },
    {
      alert: 'CouchestorAgentHangingReads',
      severity: 'warning',
      for: '15m',
      expr: 'couchestor_agent_hanging_reads > 0',
      summary: 'A disk of {{ $labels.node }} does not answer.',
      description:
        '{{ $value }} reads of device attributes on {{ $labels.node }} have not returned for 15 minutes. The device hangs for everybody, not for the agent alone.',
      runbook: 'agent-hanging-reads',
    },
  ],
}
