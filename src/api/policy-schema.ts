import { DEFAULT_COOLDOWN } from './config-schema.ts'
import { duration, flag, integer, number, oneOf, text } from './fields.ts'
import { SOURCES } from './names.ts'
import { field, fields, group, list, required } from './policy-fields.ts'
import {
  ERASURE_CODING_RULES,
  MIGRATION_RULES,
  MULTI_REGION_RULES,
  SCHEDULE_RULES,
  SPEC_RULES,
  TIME_ZONE_RULES,
} from './policy-rules.ts'
import { selector, TIER_DEFAULTS, tiers } from './policy-tiers.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const YEAR = 8760 * HOUR
const MOST = 1_000_000_000

const strategy = () => oneOf('Auto', 'cinder-retype', 'cinder-transfer', 'snapshot-restore')

const metrics = group('Where usage numbers come from and how many are enough.', {
  source: field(
    oneOf(...SOURCES),
    'As config.yaml says unless given, which is Prometheus unless set.',
  ),
  window: field(duration(MINUTE, 24 * HOUR), 'Length of the windows in which usage is averaged.', {
    default: '30m',
  }),
  minHistory: field(
    duration(0, 2160 * HOUR),
    'History that a volume needs before it may be demoted.',
    { default: '24h' },
  ),
  minCoveragePercent: field(integer(1, 100), 'Share of the expected samples that a window needs.', {
    default: 80,
  }),
  maxStaleness: field(
    duration(MINUTE, 168 * HOUR),
    'Age from which the last window counts as no data. Three windows unless given.',
  ),
  ioUnitKiB: field(
    integer(1, 16_384),
    'KiB that count as one operation when large ones are moved, so that sequential reads are not cold.',
    { default: 256 },
  ),
})

const decision = group(
  'The rule and its constants. The defaults were found on recorded load; change them with couchestor backtest.',
  {
    algorithm: field(
      oneOf('BreakEven', 'Threshold'),
      (fallback) =>
        `${fallback} unless given, which moves a volume when another tier leads by more than a move costs. Threshold compares the mean demand with the limits of the tiers, with a band of 15 percent, and ignores prices.`,
      { default: 'BreakEven' },
    ),
    rho: field(
      number(0, 10_000),
      'Hours of full price premium that one fully throttled hour is worth.',
      { default: 20 },
    ),
    muHours: field(number(0, 8760), 'Price of a move in hours of full price premium.', {
      default: 24,
    }),
    moveCostPerGiB: field(number(0, 1_000_000), 'Money that moving one GiB costs in addition.', {
      default: 0,
    }),
    halfLifeHours: field(number(1, 8760), 'Time after which history weighs half.', {
      default: 48,
    }),
  },
)

const migration = group(
  'How and when volumes move.',
  {
    strategy: field(
      strategy(),
      (fallback) =>
        `${fallback} unless given. snapshot-restore gives the claim a copy of its volume and needs more rights (docs/strategies.md); Auto does so where snapshots block a retype. With cinder-transfer nothing moves (reason StrategyUnsupported).`,
      { default: 'cinder-retype' },
    ),
    via: field(
      oneOf('clone', 'backup'),
      (fallback) =>
        `How snapshot-restore brings the copy to its volume type: ${fallback} unless given, which retypes a clone. backup restores a backup of it as a new volume, with cinder-backup, for types between which Cinder cannot retype. Only with strategy snapshot-restore or Auto.`,
      { default: 'clone' },
    ),
    schedule: field(
      text(128),
      'Cron expression of five fields (minute, hour, day of month, month, day of week). Moves may start from each such minute on, for slotDuration. What runs is finished. At any time unless given.',
      { rules: SCHEDULE_RULES, crd: { minLength: 9 } },
    ),
    timeZone: field(text(64), 'IANA time zone of the schedule, for example Europe/Berlin.', {
      default: 'UTC',
      rules: TIME_ZONE_RULES,
    }),
    slotDuration: field(
      duration(MINUTE, 168 * HOUR),
      'How long moves may start after each minute of the schedule.',
      { default: '4h' },
    ),
    cooldownPeriod: field(
      duration(0, YEAR),
      `Least time between two moves of a volume. From config.yaml unless given, else ${DEFAULT_COOLDOWN}.`,
    ),
    cooldown: group('cooldownPeriod by direction.', {
      promote: field(
        duration(0, YEAR),
        'Least time before a move to a faster tier. cooldownPeriod unless given.',
      ),
      demote: field(
        duration(0, YEAR),
        'Least time before a move to a slower tier. cooldownPeriod unless given.',
      ),
    }),
    maxConcurrent: field(
      integer(1, 100),
      'Moves of this policy that may run at once; concurrent_migrations of config.yaml bounds it further.',
    ),
    attached: field(
      oneOf('Auto', 'Never', 'Allow'),
      "Auto moves attached volumes only where that is proven safe; others wait for their next detach. Never always waits. Allow is the administrator's word that live moves are safe in this cloud.",
      { default: 'Auto' },
    ),
    workloads: field(
      oneOf('WaitForDetach', 'Restart'),
      'What becomes of a volume that may only be moved detached. WaitForDetach waits for its next detach. Restart scales its Deployment or StatefulSet down for the move and back up after it, where the owner has annotated the workload or its namespace couchestor.io/allow-restart: "true", within the schedule, and as far as disruption budgets allow it (docs/strategies.md).',
      { default: 'WaitForDetach' },
    ),
    cinderOptions: group('Details of the call to Cinder.', {
      migrationPolicy: field(
        oneOf('on-demand', 'never'),
        'Whether Cinder may move the data to another backend.',
        { default: 'on-demand' },
      ),
      allowHostCopy: field(
        flag(),
        'false forbids moving data to another backend, whatever migrationPolicy says.',
        { default: true },
      ),
      retypeTimeout: field(
        integer(10, 604_800),
        'Seconds after which a move counts as stuck; large volumes get more.',
        { default: 3600 },
      ),
    }),
  },
  { rules: MIGRATION_RULES },
)

const most = () => integer(0, 100)
const ALLOWED = 'Moves that may run at once there; 0 allows none.'

const limits = group('Further limits on what starts.', {
  perNamespace: field(
    list(
      fields({
        namespace: required(text(63), 'The namespace.'),
        maxConcurrent: required(most(), ALLOWED),
      }),
      { max: 256, key: 'namespace' },
    ),
    'Moves that may run at once per namespace.',
  ),
  perPool: field(
    list(
      fields({
        pool: required(text(63), 'Name of the tier.'),
        maxConcurrent: required(most(), ALLOWED),
      }),
      { max: 16, key: 'pool' },
    ),
    'Moves that may run at once from or to a pool, named by the tier that lives on it.',
  ),
  maxGiBPerSlot: field(
    integer(1, MOST),
    'GiB that may start to move in one slot of the schedule; outside a slot, and without a schedule, in any 24 hours.',
    { crd: { format: 'int64' } },
  ),
})

const erasureCoding = group(
  'Wish for erasure coding. Cinder cannot switch it per volume, so it is not acted on; use a volume type on an erasure-coded pool.',
  {
    enabled: field(flag(), 'Whether erasure coding is wished for.'),
    coldTierOnly: field(flag(), 'Whether it is wished for on the slowest tier only.'),
    dataShards: field(integer(2, 32), 'Pieces that the data is cut into.'),
    parityShards: field(integer(1, 16), 'Pieces that may be lost.'),
  },
  { rules: ERASURE_CODING_RULES },
)

const multiRegion = group(
  'Regions of the tiers. Not yet acted on.',
  {
    enabled: field(flag(), 'Whether there is more than one region.'),
    primaryRegion: field(text(255), 'Region of the cluster.'),
    replicaRegions: field(list(text(255), { max: 15, type: 'set' }), 'Further regions.'),
  },
  { rules: MULTI_REGION_RULES },
)

/**
 * `spec` of a StoragePolicy: each field once, with its check, default and description, and the rules between fields. The
 * type `StoragePolicySpec`, `POLICY_DEFAULTS`, crds/ and docs/reference-api.md are made from it.
 */
export const policySpec = fields(
  {
    cloudProvider: field(
      oneOf('openstack'),
      'The cloud that serves the volumes. Only openstack; may be left out.',
    ),
    mode: field(
      oneOf('Auto', 'Approve', 'Observe'),
      'Auto moves volumes by itself. Approve plans moves and waits for spec.approved on each VolumeMigration. Observe only reports what it would do.',
      { default: 'Auto', crd: { default: 'Auto' } },
    ),
    paused: field(flag(), () => 'Starts no move while true; what runs is finished.', {
      default: false,
    }),
    priority: field(
      integer(-1_000_000, 1_000_000),
      'Decides between policies that select the same claim; the higher one wins, then the older one, then the name.',
      { default: 0 },
    ),
    selector: selector(
      'Labels of the claims to manage, in addition to those annotated with couchestor.io/policy. Default: annotated claims only.',
      'selector is {}, which would mean every claim of the cluster: name labels in matchLabels or matchExpressions, or leave selector out and annotate claims with couchestor.io/policy',
    ),
    namespaceSelector: selector(
      'Labels of the namespaces whose claims the policy may manage, annotated or selected. Default: all namespaces.',
      'namespaceSelector is {}: name labels in matchLabels or matchExpressions, or leave namespaceSelector out for all namespaces',
    ),
    storageClassNames: field(
      list(text(), { min: 1, max: 64, type: 'set' }),
      'Claims of these StorageClasses are managed; together with selector, both must hold.',
    ),
    tiers,
    overrides: group('What owners of claims may decide themselves.', {
      forceTier: field(
        oneOf('Allow', 'Deny'),
        'Whether couchestor.io/force-tier on a claim is followed.',
        { default: 'Allow' },
      ),
    }),
    metrics,
    decision,
    migration,
    limits,
    budget: group(
      'What the managed volumes may cost. A promotion that would exceed it waits; a demotion never does.',
      {
        maxMonthlyCost: field(
          number(0, MOST * 1000),
          'Money per month, in the unit of the prices.',
        ),
      },
    ),
    erasureCoding,
    multiRegion,
  },
  { description: 'What the administrator wants.', rules: SPEC_RULES },
)

/** What holds where neither the policy nor config.yaml says anything. */
export const POLICY_DEFAULTS = policySpec.parse({ tiers: [TIER_DEFAULTS] })
