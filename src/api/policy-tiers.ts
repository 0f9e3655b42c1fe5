import { integer, label, number, oneOf, record, text, tierName } from './fields.ts'
import { field, fields, group, list, required } from './policy-fields.ts'
import {
  MOST_TIERS,
  namesLabels,
  REQUIREMENT_RULES,
  SIZED_LIMIT_RULES,
  TIERS_RULES,
} from './policy-rules.ts'

const MOST = 1_000_000_000

/** `spec.selector` and `spec.namespaceSelector`; `empty` says why one that names nothing is refused. */
export const selector = (description: string, empty: string) =>
  group(
    description,
    {
      matchLabels: field(record(label()), 'Labels with exactly these values.', {
        crd: { maxProperties: 32 },
      }),
      matchExpressions: field(
        list(
          fields(
            {
              key: required(text(317), 'Name of the label.'),
              operator: required(
                oneOf('In', 'NotIn', 'Exists', 'DoesNotExist'),
                'How the label is compared.',
              ),
              values: field(list(label(), { max: 64, type: 'atomic' }), 'Values for In and NotIn.'),
            },
            { rules: REQUIREMENT_RULES },
          ),
          { max: 32, type: 'atomic' },
        ),
        'Conditions on labels; all of them must hold.',
      ),
    },
    { rules: namesLabels(empty), crd: { 'x-kubernetes-map-type': 'atomic' } },
  )

/** A limit that grows with the size: min(max, base + perGiB * GiB). In I/O operations (or bytes) per second. */
const sizedLimit = (description: string) =>
  group(
    description,
    {
      base: field(number(0, MOST * 1000), 'Part that does not depend on the size.', { default: 0 }),
      perGiB: field(number(0, MOST), 'Part for each GiB of the volume.', { default: 0 }),
      max: field(number(1, MOST * 1000), 'Upper bound. None unless given.'),
    },
    { rules: SIZED_LIMIT_RULES },
  )

const tier = fields(
  {
    name: required(
      tierName(),
      'Name of the tier, as used in couchestor.io/force-tier and couchestor.io/tier.',
    ),
    storageClass: field(
      text(),
      'StorageClass of the tier; its parameters.type names the volume type when nothing else does.',
    ),
    cinderVolumeType: field(text(255), 'Cinder volume type of the tier, by name or id.'),
    iopsThreshold: field(
      number(0, 10_000_000),
      'Demand in I/O operations per second from which a volume belongs here rather than one tier lower.',
    ),
    retentionDays: field(
      integer(0, 3650),
      'A volume leaves this tier downwards only after it has not exceeded the next tier for this many days.',
      { default: 0 },
    ),
    regions: field(
      list(text(255), { min: 1, max: 16, type: 'set' }),
      'Regions that offer the tier. Not yet acted on.',
    ),
    costPerGiBMonth: field(
      number(0, 1_000_000),
      'Price of one GiB for a month, in any currency. Given for all tiers or for none; without prices a usual ratio is assumed.',
    ),
    iopsLimit: sizedLimit(
      'The QoS limit of the volume type in I/O operations per second, min(max, base + perGiB x size).',
    ),
    throughputLimit: sizedLimit(
      'The QoS limit of the volume type in bytes per second. Not yet acted on.',
    ),
    capacity: group(
      'How much the tier may hold.',
      {
        maxGiB: field(
          integer(1, MOST),
          'GiB of volumes that the tier holds at most, regardless of who manages their claims. No limit unless given.',
          { crd: { format: 'int64' } },
        ),
        headroomPercent: field(integer(0, 90), 'Share of maxGiB that moves leave free.', {
          default: 10,
        }),
      },
      {
        rules: [
          {
            rule: '!has(self.headroomPercent) || has(self.maxGiB)',
            message:
              'capacity.headroomPercent needs capacity.maxGiB: give the size of the tier in maxGiB, or leave headroomPercent out',
          },
        ],
      },
    ),
  },
  {
    description: 'One tier. Fields left out come from config.yaml, then from the StorageClass.',
  },
)

/** What holds where neither a tier nor config.yaml says anything. */
export const TIER_DEFAULTS = tier.parse({ name: 'any' })

export const tiers = required(
  list(tier, {
    min: 1,
    max: MOST_TIERS,
    type: 'atomic',
    tooFew: 'list at least one tier, fastest first',
  }),
  'The tiers, fastest first.',
  { rules: TIERS_RULES },
)
