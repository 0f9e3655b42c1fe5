import { known, unknown } from '../fact.ts'
import { CONFIG_YAML, NOW, configOf, policy } from '../facts.fixture.ts'
import { NEEDED_RULES } from '../needed-rules.ts'
import { intents, pods, workload } from './fault.fixture.ts'
import type { Fault } from './fault.fixture.ts'

export const CONFIGURATION: readonly Fault[] = [
  [
    'config.yaml has a typo',
    { config: { mistakes: ['prometheus.endpont is unknown: did you mean endpoint?'] } },
    'ConfigInvalid',
    'endpont',
    'couchestor-config',
  ],
  [
    'there is no config.yaml',
    { config: { where: undefined } },
    'ConfigMissing',
    'no config.yaml',
    'deploy/config.yaml',
  ],
  [
    'the guide names Ceilometer',
    {
      config: configOf(
        `prometheus: {endpoint: 'http://p:1', ceilometer_endpoint: 'http://c:8777'}`,
      ),
    },
    'ConfigIgnored',
    'ceilometer_endpoint',
    'compatibility.md',
  ],
  [
    'the stop switch is on',
    { config: configOf(`${CONFIG_YAML}\nmigration: {paused: true}`) },
    'StopSwitchOn',
    'migration.paused',
    'migration.paused: false',
  ],
  [
    'Kubernetes is older than 1.30',
    {
      cluster: {
        admissionOffered: known(false),
        admissionPolicies: known([]),
        policies: known([policy({ mode: 'Approve' })]),
      },
    },
    'NoAdmissionPolicy',
    'mode Approve of tiered is held',
    'admission.accept_plain_rbac: true',
  ],
  [
    'nobody checks who approves',
    {
      cluster: {
        admissionPolicies: known([]),
        policies: known([policy({ mode: 'Approve' })]),
      },
    },
    'AdmissionMissing',
    'policy tiered has mode Approve',
    'deploy/admission.yaml',
  ],
  [
    'the API server is away',
    { cluster: { server: unknown('no answer: refused') } },
    'KubernetesUnreachable',
    'refused',
    'kubectl version',
  ],
  [
    'the account may not see pods',
    {
      cluster: {
        rules: known({
          account: 'sa',
          ofController: true,
          denied: pods,
          replacing: [],
          restarting: [],
          asked: 48,
        }),
      },
    },
    'OptionalRuleMissing',
    'get, list, watch pods in the whole cluster',
    "{apiGroups: [''], resources: [pods], verbs: [get, list, watch]}",
  ],
  [
    'the account may not save moves',
    {
      cluster: {
        rules: known({
          account: 'sa',
          ofController: true,
          denied: intents,
          replacing: [],
          restarting: [],
          asked: 48,
        }),
      },
    },
    'RuleMissing',
    'volumemigrations.couchestor.io/status',
    'add to ClusterRole couchestor',
  ],
  [
    'the account may do nothing',
    {
      cluster: {
        rules: known({
          account: 'sa',
          ofController: true,
          denied: NEEDED_RULES,
          replacing: [],
          restarting: [],
          asked: NEEDED_RULES.length,
        }),
      },
    },
    'RuleMissing',
    'none of the',
    'deploy/rbac.yaml',
  ],
  [
    'a definition is missing',
    {
      cluster: {
        crds: known([{ name: 'x.couchestor.io', file: 'deploy/crds/x.yaml', state: 'missing' }]),
      },
    },
    'CrdMissing',
    'x.couchestor.io is not installed',
    'kubectl apply -f deploy/crds/x.yaml',
  ],
  [
    'a definition is not served',
    {
      cluster: {
        crds: known([
          {
            name: 'x.couchestor.io',
            file: 'f',
            state: 'notServed',
            difference: 'version v1alpha1 is not served',
          },
        ]),
      },
    },
    'CrdNotServed',
    'is not served',
    'kubectl apply -f f',
  ],
  [
    'a definition is stale',
    {
      cluster: {
        crds: known([
          {
            name: 'x.couchestor.io',
            file: 'f',
            state: 'stale',
            difference: 'spec.budget: missing',
          },
        ]),
      },
    },
    'CrdStale',
    'differs at spec.budget: missing',
    'kubectl apply -f f',
  ],
  [
    'no one leads',
    { cluster: { lease: known({ holder: '', renewedAt: NOW, durationMs: 1000 }) } },
    'NoLeader',
    'has no holder',
    'kubectl -n couchestor-system get pods',
  ],
  [
    'nobody has ever led',
    {
      cluster: {
        lease: known({
          holder: '',
          renewedAt: undefined,
          durationMs: 1000,
          vacantSince: NOW - 90_000,
        }),
      },
    },
    'NoLeader',
    'has no holder',
    'logs',
  ],
  ['there is no Lease', { cluster: { lease: known(undefined) } }, 'NoLeader', 'no Lease', 'logs'],
  [
    'the leader is dead',
    { cluster: { lease: known({ holder: 'pod-1', renewedAt: NOW - 60_000, durationMs: 15_000 }) } },
    'LeaderStale',
    'pod-1, last renewed 2026-06-01T11:59:00',
    'logs',
  ],
  [
    'one replica is not ready',
    { cluster: { controller: known({ ...workload, wanted: 2, ready: 1 }) } },
    'ControllerNotReady',
    '1 of 2',
    'describe pods',
  ],
  [
    'the controller is older',
    {
      cluster: {
        controller: known({ ...workload, image: 'ghcr.io/x/couchestor:v0.9.1@sha256:0' }),
      },
    },
    'VersionDiffers',
    'runs 0.9.1, this program is 1.0.0',
    'exec',
  ],
  [
    'there are two installations',
    { cluster: { leaseNamespaces: known(['couchestor-system', 'old']) } },
    'TwoInstallations',
    'couchestor-system, old',
    'kubectl -n old delete deployment',
  ],
  [
    'no agent, no numbers',
    { cluster: { agents: known(undefined) }, source: { coverage: known(new Map()) } },
    'AgentMissing',
    'no DaemonSet',
    'deploy/agent.yaml',
  ],
  [
    'an agent is not ready',
    { cluster: { agents: known({ ...workload, ready: 2 }) } },
    'AgentNotReady',
    '2 of 3 agents',
    'get pods',
  ],
  [
    'agents are kept off nodes',
    { fleet: { nodes: ['1', '2', '3', '4'] } },
    'AgentNotOnNodes',
    '3 agents, and 4 nodes',
    'tolerations',
  ],
  [
    'the agent is privileged',
    { cluster: { agents: known({ ...workload, privileged: true }) } },
    'AgentPrivileged',
    'privileged is true',
    'deploy/agent.yaml',
  ],
]
