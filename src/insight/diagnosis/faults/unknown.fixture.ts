import { known, unknown } from '../fact.ts'
import { NOW } from '../facts.fixture.ts'
import { ofPolicy, old } from './fault.fixture.ts'
import type { Fault } from './fault.fixture.ts'

export const UNKNOWN: readonly Fault[] = [
  [
    'you may not ask for the controller',
    {
      cluster: {
        rules: known({
          account: 'me',
          ofController: false,
          denied: [],
          replacing: [],
          restarting: [],
          asked: 0,
        }),
      },
    },
    'RulesOfOther',
    'you are me',
    'exec deploy/couchestor-controller -- couchestor doctor',
  ],
  [
    'a member does not see extra specs',
    {},
    'SpecsHidden',
    'couchestor-hot',
    'openstack volume type list --long',
  ],
  ['a member does not see QoS', {}, 'QosHidden', 'couchestor-hot', 'openstack volume qos list'],
  [
    'Allow is all there is',
    { ...old, ...ofPolicy({ migration: { attached: 'Allow' } }) },
    'AttachedOnWord',
    'microversion 3.70',
    'cinder-manage --version',
  ],
  [
    'something may not be read',
    { cluster: { classes: unknown('this account may not list storageclasses', true) } },
    'NotChecked',
    'may not list storageclasses',
    '',
  ],
  [
    'the first term has not begun',
    {
      cluster: {
        lease: known({
          holder: '',
          renewedAt: undefined,
          durationMs: 1000,
          vacantSince: NOW - 10_000,
        }),
      },
    },
    'NotChecked',
    'is new, and the first term begins after some 20 s',
    '',
  ],
]
