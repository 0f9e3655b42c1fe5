import { readMigration } from '../../../controller/view/read-migration.ts'
import { known, unknown } from '../fact.ts'
import { NOW, claim, configOf, migration, policy, ready, volume } from '../facts.fixture.ts'
import { fleet, ofPolicy } from './fault.fixture.ts'
import type { Fault } from './fault.fixture.ts'

const none = known(new Map<string, number>())
const BROKEN = {
  metadata: { name: 'move', namespace: 'default' },
  spec: {},
  status: { step: 'Retyping', volumeId: 'vol-a' },
}

export const FLEET: readonly Fault[] = [
  [
    'nothing scrapes the agents',
    { source: { coverage: known(new Map<string, number>()), agentNodes: 0 } },
    'AgentsNotScraped',
    '3 agents of DaemonSet couchestor-system/couchestor-agent are ready',
    'docs/agent.md',
  ],
  [
    'the volume of a claim belongs to another project',
    fleet(claim('a', { volume: undefined, otherProject: 'p-other' })),
    'VolumesOfOtherProject',
    '1 managed claim: default/a (project p-other)',
    'as a user of project p-other',
  ],
  [
    'a claim names a VolumeAttributesClass',
    fleet(claim('a', { attributesClass: 'gold' })),
    'ClaimAttributesClass',
    '1 claim on Cinder with a volumeAttributesClassName (gold): default/a',
    'volume-attributes-class.md',
  ],
  [
    'no endpoint is set',
    { config: configOf(''), source: { coverage: unknown('prometheus.endpoint is not set') } },
    'MetricsNotConfigured',
    'prometheus.endpoint',
    'metrics.source: Gnocchi',
  ],
  [
    'Prometheus is away',
    { source: { coverage: unknown('no answer (refused)') } },
    'MetricsDown',
    'refused',
    'prometheus.endpoint',
  ],
  [
    'no volume has numbers',
    { source: { coverage: none, warnings: ['5 volumes unmapped'] } },
    'NoSeries',
    '0 of 3 attached volumes',
    '9106',
  ],
  [
    'another preset answers',
    { source: { coverage: none, others: new Map([['prometheus.preset: node-exporter', 3]]) } },
    'OtherSourceAnswers',
    'it is 3',
    'set prometheus.preset: node-exporter',
  ],
  [
    'a volume lacks numbers',
    {
      source: {
        coverage: known(
          new Map([
            ['vol-a', 100],
            ['vol-b', 90],
          ]),
        ),
      },
    },
    'CoverageLow',
    '2 of 3',
    'nodes',
  ],
  [
    'samples are too few',
    {
      source: {
        coverage: known(
          new Map([
            ['vol-a', 100],
            ['vol-b', 90],
            ['vol-c', 20],
          ]),
        ),
      },
    },
    'CoverageLow',
    'without: default/c',
    'scraped',
  ],
  [
    'the window is too short',
    { ...ofPolicy({ metrics: { window: '1m' } }) },
    'WindowTooShort',
    '60 s, and a sample comes about every 30 s',
    'spec.metrics.window: 2m',
  ],
  [
    'the preset reads the backend',
    { source: { preset: 'ceph-rbd' } },
    'CephRbdPreset',
    'ceph-rbd',
    'prefer preset agent',
  ],
  [
    'a policy is invalid',
    ofPolicy({}, { problems: ['spec.migration.timeZone is wrong'] }),
    'PolicyInvalid',
    'timeZone',
    'kubectl edit stp tiered',
  ],
  [
    'a policy is not ready',
    ofPolicy(
      {},
      {
        policy: {
          ...policy().policy,
          status: {
            observedGeneration: 1,
            conditions: [ready('False', 'BreakerOpen', 'hot to cold')],
          },
        },
      },
    ),
    'PolicyNotReady',
    'BreakerOpen: hot to cold',
    'kubectl describe stp tiered',
  ],
  [
    'a policy is paused',
    ofPolicy({ paused: true }),
    'PolicyPaused',
    'spec.paused',
    'couchestor resume tiered',
  ],
  [
    'a policy was not seen',
    ofPolicy({}, { policy: { ...policy().policy, metadata: { name: 'tiered', generation: 4 } } }),
    'PolicyNotSeen',
    'generation 4, its status at 1',
    'logs',
  ],
  [
    'policies overlap',
    { fleet: { conflicts: new Map([['a, b', 7]]) } },
    'PolicyConflict',
    'policies a, b all select 7 claims',
    'spec.priority',
  ],
  [
    'a field is ignored',
    ofPolicy({ erasureCoding: { enabled: true } }),
    'PolicyFieldIgnored',
    'erasureCoding',
    'erasure-coded pool',
  ],
  [
    'a claim names no policy',
    fleet(
      claim('x', {
        policy: undefined,
        refusal: 'couchestor.io/policy names "typo"; there is no such StoragePolicy',
      }),
    ),
    'ClaimPolicyWrong',
    '"typo"',
    'kubectl -n default annotate --overwrite pvc x',
  ],
  [
    'a claim is of another driver',
    fleet(claim('x', { driver: 'other', volume: undefined })),
    'ClaimOtherDriver',
    '1 managed claim',
    'couchestor.io/policy=none',
  ],
  [
    'a volume is of no tier',
    fleet(claim('x', { volume: volume({ typeId: 'other' }) })),
    'ClaimTypeUnmanaged',
    'default/x',
    'force-tier',
  ],
  [
    'Cinder does not show a volume',
    fleet(claim('x', { volume: undefined })),
    'VolumeNotFound',
    'default/x',
    'project of the CSI driver',
  ],
  [
    'snapshots block the fleet',
    fleet(claim('a', { volume: volume({ snapshots: { count: 1 } }) }), claim('b')),
    'FleetBlocked',
    '1 of 2 managed volumes cannot be moved across backends now (snapshots 1)',
    'volumesnapshots',
  ],
  [
    'encrypted volumes block the fleet',
    fleet(claim('a', { volume: volume({ encrypted: true }) }), claim('b')),
    'FleetBlocked',
    '1 of 2 managed volumes cannot be moved across backends now (encrypted 1)',
    'volumesnapshots',
  ],
  [
    'a volume is in error',
    fleet(claim('a', { volume: volume({ status: 'error_extending' }) })),
    'VolumeInError',
    'default/a (vol-a) error_extending',
    'openstack volume show vol-a',
  ],
  [
    'a move is stuck',
    {
      cluster: {
        migrations: known([
          migration({ step: 'Stuck', reason: 'DeadlinePassed', volumeId: 'vol-a' }),
        ]),
      },
    },
    'MigrationStuck',
    'default/move: DeadlinePassed',
    'openstack volume show vol-a',
  ],
  [
    'a VolumeMigration cannot be read',
    {
      cluster: {
        migrations: known([readMigration(BROKEN)]),
      },
    },
    'MigrationUnreadable',
    'default/move: spec.claim is missing',
    'kubectl -n default edit vmig move',
  ],
  [
    'a move is unexplained',
    { cluster: { migrations: known([migration({ step: 'Failed', reason: 'Unexplained' })]) } },
    'MigrationUnexplained',
    'default/move',
    'kubectl -n default delete vmig move',
  ],
  [
    'moves fail',
    {
      cluster: {
        migrations: known(
          [1, 2, 3].map((n) =>
            migration({
              step: 'Failed',
              reason: 'Reverted',
              completedAt: new Date(NOW - n).toISOString(),
            }),
          ),
        ),
      },
    },
    'MigrationsFail',
    '3 of 3 moves of the last day failed: Reverted 3',
    'kubectl get vmig',
  ],
]
