import { REPLACEMENT_RIGHTS } from '../../../kube/persistent-volumes.ts'
import { known } from '../fact.ts'
import { migration, policy } from '../facts.fixture.ts'
import type { Fault } from './fault.fixture.ts'

const REPLACEMENT = { record: 'replacement-u', formerVolumeId: 'vol-former', copyVolumeId: 'vol-a' }
const ACCOUNT = 'system:serviceaccount:couchestor-system:couchestor'

export const REPLACEMENTS: readonly Fault[] = [
  [
    'a record cannot be read',
    {
      replacements: {
        unreadable: known([
          { name: 'replacement-u', why: 'spec.replacement.saved.phase: expected string' },
        ]),
      },
    },
    'RecordUnreadable',
    'TieringCheckpoint replacement-u: spec.replacement.saved.phase',
    'docs/runbooks/replacement-stalled.md',
  ],
  [
    'a record is gone',
    {
      cluster: {
        migrations: known([
          migration({ step: 'Stuck', reason: 'RecordMissing', replacement: REPLACEMENT }),
        ]),
      },
    },
    'RecordMissing',
    'default/move: TieringCheckpoint replacement-u of claim default/a',
    'volumes vol-former, vol-a',
  ],
  [
    'a claim is without its volume',
    { replacements: { lost: known([{ claim: 'default/a', record: 'replacement-u' }]) } },
    'ClaimLost',
    'claim default/a is Lost',
    'docs/runbooks/claim-lost.md',
  ],
  [
    'the rights of the strategy are missing',
    {
      cluster: {
        policies: known([policy({ migration: { strategy: 'snapshot-restore' } })]),
        rules: known({
          account: ACCOUNT,
          ofController: true,
          denied: [],
          replacing: REPLACEMENT_RIGHTS.slice(2).map(({ verb, resource }) => ({
            verb,
            group: resource.group,
            resource: resource.plural,
            local: false,
            name: undefined,
          })),
          restarting: [],
          asked: 48,
        }),
      },
    },
    'ReplacementRightMissing',
    'create persistentvolumes, patch persistentvolumes, delete persistentvolumes',
    'strategies.snapshotRestore.enabled',
  ],
  [
    'the rights to restart workloads are missing',
    {
      cluster: {
        policies: known([policy({ migration: { workloads: 'Restart' } })]),
        rules: known({
          account: ACCOUNT,
          ofController: true,
          denied: [],
          replacing: [],
          restarting: [
            {
              verb: 'patch',
              group: 'apps',
              resource: 'deployments',
              local: false,
              name: undefined,
            },
          ],
          asked: 48,
        }),
      },
    },
    'RestartRightMissing',
    'may not patch deployments.apps',
    'workloads.restart.enabled',
  ],
  [
    'the former volume of a claim is gone',
    {
      cluster: {
        migrations: known([migration({ step: 'Soaking', replacement: REPLACEMENT })]),
      },
    },
    'FormerVolumeGone',
    'default/move: status.replacement.formerVolumeId is vol-former',
    'do not roll back',
  ],
  [
    'moves left something behind',
    {
      replacements: {
        leftovers: known([
          {
            kind: 'snapshot',
            id: 's-1',
            name: 'couchestor-snapshot-c-u',
            status: 'available',
            sizeGiB: 10,
            createdAt: '2026-05-01T00:00:00Z',
            attached: false,
            metadata: {},
            moveUid: 'u',
            neverUsed: true,
          },
        ]),
      },
    },
    'VolumesLeftBehind',
    '1 volume or snapshot: snapshot s-1 (couchestor-snapshot-c-u)',
    'couchestor clean',
  ],
]
