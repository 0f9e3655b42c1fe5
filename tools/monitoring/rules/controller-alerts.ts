import { CONTROLLER_JOB, leader, same, total } from './promql.ts'
import type { RuleGroup } from './rule.ts'

const LEADS = 'leader_election_master_status{name="couchestor-controller"}'

/** The controller's own life. Volumes stay as they are while it does not work: nobody needs to get up. */
const TASK_SUCCESS = leader('couchestor_task_last_success_timestamp_seconds', 'task')
const TASK_INTERVAL = leader('couchestor_task_interval_seconds', 'task')

export const CONTROLLER_ALERTS: RuleGroup = {
  name: 'couchestor.controller',
  rules: [
    {
      alert: 'CouchestorControllerDown',
      severity: 'warning',
      for: '15m',
      expr: `absent(${LEADS})`,
      summary: 'No CoucheStor controller is scraped.',
      description:
        'Prometheus has had no metrics of any couchestor controller for 15 minutes. Volumes stay on their tiers, and retypes that Cinder has begun go on.',
      runbook: 'controller-down',
    },
    {
      alert: 'CouchestorReplicaDown',
      severity: 'info',
      for: '1h',
      expr: `up{${CONTROLLER_JOB}} == 0`,
      summary: 'A replica of the CoucheStor controller cannot be scraped.',
      description:
        '{{ $labels.instance }} has not answered for an hour. If the leader fails, no replica takes over.',
      runbook: 'replica-down',
    },
    {
      alert: 'CouchestorNoLeader',
      severity: 'warning',
      for: '10m',
      expr: `${leader(LEADS, 'name')} == 0`,
      summary: 'Controllers run, but none leads.',
      description:
        'No replica has held the Lease couchestor-controller for 10 minutes, so nothing is decided and no move is followed.',
      runbook: 'no-leader',
    },
    {
      alert: 'CouchestorControllerRestarting',
      severity: 'warning',
      for: '15m',
      expr: `changes(process_start_time_seconds{${CONTROLLER_JOB}}[1h]) > 3`,
      summary: 'A CoucheStor controller restarts again and again.',
      description: '{{ $labels.instance }} has started {{ $value }} times in the last hour.',
      runbook: 'controller-restarting',
    },
    {
      alert: 'CouchestorLeaderCannotStart',
      severity: 'warning',
      for: '10m',
      expr: `${leader('couchestor_leader_start_failing', 'step')} == 1`,
      summary: 'A new leader cannot read what it needs ({{ $labels.step }}).',
      description:
        'Since it took the lead, the controller has not been able to read {{ $labels.step }}. It follows running moves to their end and starts no new ones.',
      runbook: 'leader-cannot-start',
    },
    {
      alert: 'CouchestorAuditUnavailable',
      severity: 'warning',
      for: '5m',
      expr: `${leader('couchestor_audit_unavailable')} == 1`,
      summary: 'CoucheStor cannot write its audit.',
      description:
        'For 5 minutes no line could be written to the audit (a full disk, a closed pipe). No move starts until it can; running moves are followed to their end.',
      runbook: 'audit-unavailable',
    },
    {
      alert: 'CouchestorTaskFailing',
      severity: 'warning',
      for: '15m',
      // one that has never succeeded has no time of its last success
      expr: `(time() - ${TASK_SUCCESS} > 3 * ${TASK_INTERVAL}) or (${TASK_INTERVAL} unless ${TASK_SUCCESS})`,
      summary: 'A scheduled task of the controller does not succeed ({{ $labels.task }}).',
      description:
        'The task {{ $labels.task }} has not succeeded for more than three of its turns: it fails, or a run of it hangs. couchestor tasks gives the error.',
      runbook: 'task-failing',
    },
    {
      alert: 'CouchestorWritesRefused',
      severity: 'warning',
      for: '30m',
      expr: `${leader('couchestor_writes_refused', 'resource')} > 0`,
      summary: 'The API server refuses objects of the controller ({{ $labels.resource }}).',
      description:
        '{{ $value }} objects ({{ $labels.resource }}) could not be written for half an hour. Each is tried again with growing pauses; nothing else waits for them.',
      runbook: 'writes-refused',
    },
    {
      alert: 'CouchestorPassesStopped',
      severity: 'warning',
      for: '15m',
      expr: `increase(couchestor_cycle_duration_seconds_count[2h]) == 0 and on (${same('instance')}) min_over_time(${LEADS}[2h]) == 1`,
      summary: 'The leader has stopped evaluating its claims.',
      description:
        '{{ $labels.instance }} leads, but has ended no pass over the claims for two hours; there should be one for each window, and one an hour at least.',
      runbook: 'passes-stopped',
    },
    {
      alert: 'CouchestorQueueStuck',
      severity: 'warning',
      for: '10m',
      expr: `workqueue_longest_running_processor_seconds{${CONTROLLER_JOB}, name=~"moves|claims|annotations"} > 900`,
      summary: 'Work queue {{ $labels.name }} is stuck.',
      description:
        'In {{ $labels.instance }} one step of queue {{ $labels.name }} has run for {{ $value | humanizeDuration }}; the longest that a step may wait for an answer is far shorter.',
      runbook: 'queue-stuck',
    },
    {
      alert: 'CouchestorWatchStale',
      severity: 'warning',
      for: '10m',
      expr: 'couchestor_reflector_idle_seconds > 600',
      summary: "The controller's watch of {{ $labels.resource }} is stale.",
      description:
        '{{ $labels.instance }} last heard of {{ $labels.resource }} from the API server {{ $value | humanizeDuration }} ago; a quiet watch is answered every minute or two.',
      runbook: 'watch-stale',
    },
    {
      alert: 'CouchestorApiErrors',
      severity: 'warning',
      for: '15m',
      expr: `${total(`rate(rest_client_requests_total{${CONTROLLER_JOB}, code=~"5..|429|<error>"}[10m])`)} / ${total(`rate(rest_client_requests_total{${CONTROLLER_JOB}}[10m])`)} > 0.1`,
      summary: 'Many requests of the controller to the API server fail.',
      description:
        '{{ $value | humanizePercentage }} of the requests of the last 10 minutes got 429, 5xx or no answer.',
      runbook: 'api-errors',
    },
    {
      alert: 'CouchestorEventLoopLag',
      severity: 'warning',
      for: '15m',
      expr: `nodejs_eventloop_lag_p99_seconds{${CONTROLLER_JOB}} > 0.5`,
      summary: 'The controller has too little CPU, or too much to do at once.',
      description:
        'In {{ $labels.instance }} timers run {{ $value | humanizeDuration }} late (p99). From about 5 s on it may lose its Lease.',
      runbook: 'event-loop-lag',
    },
    {
      alert: 'CouchestorMemoryNearLimit',
      severity: 'warning',
      for: '15m',
      expr: `process_resident_memory_bytes{${CONTROLLER_JOB}} / on (${same('instance')}) group_left () max by (${same('instance')}) (couchestor_memory_limit_bytes) > 0.9`,
      summary: 'The controller uses nearly all of its memory.',
      description:
        '{{ $labels.instance }} uses {{ $value | humanizePercentage }} of the memory its container may have; at 100 % it is killed and restarted.',
      runbook: 'memory-near-limit',
    },
  ],
}
