import { known } from '../fact.ts'
import { CONFIG_YAML, NOW, cinderClass, claim, configOf, type, volume } from '../facts.fixture.ts'
import { specs, old, tiers } from './fault.fixture.ts'
import type { Fault } from './fault.fixture.ts'

export const TYPES: readonly Fault[] = [
  [
    'a type is misspelt',
    tiers({ cinderVolumeType: 'couchestor-wrm' }),
    'TierTypeMissing',
    'did you mean "couchestor-warm"',
    'correct the name',
  ],
  [
    'config.yaml names a type that is not there',
    {
      cluster: { policies: known([]) },
      config: configOf(`${CONFIG_YAML}\ntiers: {hot: {cinder_volume_type: nvme}}`),
    },
    'TierTypeMissing',
    'tiers.hot.cinder_volume_type of config.yaml',
    'correct the name',
  ],
  [
    'a tier has no type',
    tiers({ storageClass: 'elsewhere' }),
    'TierTypeUnnamed',
    'no StorageClass "elsewhere"',
    'create it',
  ],
  [
    'two types have one name',
    {
      cloud: {
        types: known([type('hot'), type('hot', { id: 'id-2' }), type('warm'), type('cold')]),
      },
    },
    'TierTypeAmbiguous',
    'id-2',
    'write the id',
  ],
  [
    'two tiers have one type',
    tiers({ cinderVolumeType: 'couchestor-hot' }),
    'TiersSameType',
    'both have volume type',
    '',
  ],
  [
    'tiers are in the wrong order',
    tiers({ iopsThreshold: 5000 }),
    'TiersInvalid',
    'serves',
    'list the tiers fastest first',
  ],
  [
    'a tier has no price',
    tiers({ costPerGiBMonth: undefined }),
    'PricesInvalid',
    'costPerGiBMonth',
    'price all tiers or none',
  ],
  [
    'a private type is not shared',
    {
      cloud: {
        types: known([
          type('hot', { isPublic: false, accessible: false }),
          type('warm'),
          type('cold'),
        ]),
      },
    },
    'TypeNoAccess',
    'couchestor-hot',
    '--project p1 couchestor-hot',
  ],
  [
    "a type has the guide's spec",
    specs({ couchestor_tier: 'hot', volume_backend_name: 'hot' }, 'hot'),
    'SpecUnscoped',
    'couchestor_tier=hot',
    'openstack volume type unset --property couchestor_tier couchestor-hot',
  ],
  [
    'a type wants what no backend reports',
    specs({ ssd: 'true' }, 'hot'),
    'SpecUnscoped',
    'ssd=true',
    '--property ssd',
  ],
  [
    'a type names a backend that is not there',
    specs({ volume_backend_name: 'nvme' }, 'hot', 'cold'),
    'BackendMissing',
    'volume_backend_name=nvme',
    'one of hot, cold',
  ],
  [
    'two tiers lie on one backend',
    {
      cloud: {
        types: known(
          ['hot', 'warm', 'cold'].map((t) =>
            type(t, { extraSpecs: { volume_backend_name: t === 'cold' ? 'b' : 'a' } }),
          ),
        ),
      },
    },
    'TiersShareBackend',
    'hot and warm both lie on backend a',
    'volume_backend_name',
  ],
  [
    'creating fails',
    { cloud: { noBackend: known([{ volumeId: 'vol-a', at: NOW - 1000 }]) } },
    'CreateFails',
    'no backend for 1 volume of type couchestor-hot',
    'openstack volume type show couchestor-hot',
  ],
  [
    'a type is for another zone',
    {
      cloud: {
        types: known([
          type('hot'),
          type('warm'),
          type('cold', { extraSpecs: { 'RESKEY:availability_zones': 'az9' } }),
        ]),
      },
    },
    'TypeZones',
    'tier cold (couchestor-cold) is for zone az9, managed volumes lie in nova',
    'RESKEY:availability_zones=az9,nova',
  ],
  [
    'QoS of the hypervisor differs',
    {
      cloud: {
        types: known([type('hot', { qosId: 'q' }), type('warm'), type('cold')]),
        qos: known([{ id: 'q', name: 'fast', consumer: 'front-end' }]),
      },
    },
    'FrontEndQos',
    'hot: fast, warm: none',
    '--consumer back-end',
  ],
  [
    'attached moves are not proven safe',
    old,
    'AttachedUnproven',
    'microversion 3.70',
    'couchestor:tier=hot couchestor-hot',
  ],
  [
    'the CSI driver is missing',
    { cluster: { drivers: known(['ebs.csi.aws.com']) } },
    'CsiDriverMissing',
    'ebs.csi.aws.com',
    'helm install',
  ],
  [
    'a StorageClass is missing',
    tiers({ storageClass: 'gone', cinderVolumeType: 'couchestor-warm' }),
    'TierClassMissing',
    'no StorageClass "gone"',
    'parameters.type: couchestor-warm',
  ],
  [
    'a StorageClass makes another type',
    tiers({ storageClass: 'couchestor-cold', cinderVolumeType: 'couchestor-warm' }),
    'TierClassOtherType',
    'makes volumes of type couchestor-cold',
    'parameters.type',
  ],
  [
    'a StorageClass is of another driver',
    {
      cluster: {
        classes: known([
          { ...cinderClass('couchestor-hot', 'couchestor-hot'), provisioner: 'ebs' },
          cinderClass('couchestor-warm', 'couchestor-warm'),
          cinderClass('couchestor-cold', 'couchestor-cold'),
          cinderClass('r', undefined),
        ]),
      },
    },
    'TierClassOtherDriver',
    'provisioner ebs',
    'cinder.csi.openstack.org',
  ],
  [
    'moved claims cannot be restored',
    {
      cluster: {
        classes: known(
          ['hot', 'warm', 'cold'].map((t) => cinderClass(`couchestor-${t}`, `couchestor-${t}`)),
        ),
      },
      fleet: { claims: [claim('a', { volume: volume({ typeId: 'id-cold' }) })] },
    },
    'RestoreFails',
    '1 claim with a StorageClass that no longer matches the tier: default/a',
    'storage-class-restore.yaml',
  ],
  [
    'claims will not be restorable',
    {
      cluster: {
        classes: known(
          ['hot', 'warm', 'cold'].map((t) => cinderClass(`couchestor-${t}`, `couchestor-${t}`)),
        ),
      },
    },
    'RestoreClassMissing',
    'parameters.type',
    'storage-class-restore.yaml',
  ],
]
