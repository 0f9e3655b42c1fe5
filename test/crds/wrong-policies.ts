import type { Wrong } from './wrong.ts'

const tiers = [{ name: 'hot' }, { name: 'warm' }, { name: 'cold' }]
const policy = (what: string, spec: object, field: string, fix: RegExp): Wrong => ({
  what,
  kind: 'StoragePolicy',
  spec: { tiers, ...spec },
  field,
  fix,
})
const tier = (what: string, fields: object, field: string, fix: RegExp): Wrong =>
  policy(what, { tiers: [{ name: 'hot', ...fields }, { name: 'cold' }] }, field, fix)
const migration = (what: string, fields: object, field: string, fix: RegExp): Wrong =>
  policy(what, { migration: fields }, `spec.migration.${field}`, fix)
/** StoragePolicies that must be refused. */
export const WRONG_POLICIES: readonly Wrong[] = [
  policy('no tiers', { tiers: [] }, 'spec.tiers', /at least 1/),
  policy('no tiers at all', { tiers: undefined }, 'spec.tiers', /Required value/),
  policy(
    'too many tiers',
    { tiers: Array.from({ length: 17 }, (_, i) => ({ name: `t${i}` })) },
    'spec.tiers',
    /at most 16/,
  ),
  policy(
    'two tiers of one name',
    { tiers: [{ name: 'hot' }, { name: 'hot' }] },
    'spec.tiers',
    /tiers\[\]\.name .*a name of its own/,
  ),
  policy(
    'one volume type for two tiers',
    {
      tiers: [
        { name: 'hot', cinderVolumeType: 'a' },
        { name: 'cold', cinderVolumeType: 'a' },
      ],
    },
    'spec.tiers',
    /cinderVolumeType .*one tier only/,
  ),
  policy(
    'slowest tier first',
    {
      tiers: [
        { name: 'cold', iopsThreshold: 0 },
        { name: 'hot', iopsThreshold: 100 },
      ],
    },
    'spec.tiers',
    /iopsThreshold rises .*fastest first/,
  ),
  policy(
    'prices that rise',
    {
      tiers: [
        { name: 'hot', costPerGiBMonth: 1 },
        { name: 'cold', costPerGiBMonth: 2 },
      ],
    },
    'spec.tiers',
    /costPerGiBMonth must fall/,
  ),
  policy(
    'equal prices',
    {
      tiers: [
        { name: 'hot', costPerGiBMonth: 1 },
        { name: 'cold', costPerGiBMonth: 1 },
      ],
    },
    'spec.tiers',
    /equal prices leave nothing to save/,
  ),
  policy(
    'a price for one tier only',
    { tiers: [{ name: 'hot', costPerGiBMonth: 1 }, { name: 'cold' }] },
    'spec.tiers',
    /price all tiers or none/,
  ),
  tier(
    'a tier name with a capital',
    { name: 'Hot' },
    'spec.tiers[0].name',
    /"Hot" cannot be used: write lower-case/,
  ),
  tier(
    'a threshold below zero',
    { iopsThreshold: -1 },
    'spec.tiers[0].iopsThreshold',
    /greater than or equal to 0/,
  ),
  tier(
    'a threshold as text',
    { iopsThreshold: '100' },
    'spec.tiers[0].iopsThreshold',
    /must be of type number/,
  ),
  tier(
    'days with decimals',
    { retentionDays: 1.5 },
    'spec.tiers[0].retentionDays',
    /must be of type integer/,
  ),
  tier(
    'a limit of zero',
    { iopsLimit: { base: 0 } },
    'spec.tiers[0].iopsLimit',
    /give base or perGiB above 0/,
  ),
  tier(
    'a limit whose maximum is below its base',
    { iopsLimit: { base: 100, max: 50 } },
    'spec.tiers[0].iopsLimit',
    /max at least base/,
  ),
  tier(
    'headroom of nothing',
    { capacity: { headroomPercent: 10 } },
    'spec.tiers[0].capacity',
    /needs capacity\.maxGiB/,
  ),
  policy(
    'another cloud',
    { cloudProvider: 'aws' },
    'spec.cloudProvider',
    /supported values: "openstack"/,
  ),
  policy('an unknown mode', { mode: 'auto' }, 'spec.mode', /"Auto", "Approve", "Observe"/),
  policy(
    'a selector of everything',
    { selector: {} },
    'spec.selector',
    /every claim of the cluster: name labels/,
  ),
  policy('an empty matchLabels', { selector: { matchLabels: {} } }, 'spec.selector', /name labels/),
  policy(
    'a namespaceSelector of everything',
    { namespaceSelector: {} },
    'spec.namespaceSelector',
    /leave namespaceSelector out/,
  ),
  policy(
    'In without values',
    { selector: { matchExpressions: [{ key: 'a', operator: 'In' }] } },
    'spec.selector.matchExpressions[0]',
    /operator In on label a has no values: list at least one/,
  ),
  policy(
    'Exists with values',
    { selector: { matchExpressions: [{ key: 'a', operator: 'Exists', values: ['x'] }] } },
    'spec.selector.matchExpressions[0]',
    /takes no values: remove/,
  ),
  policy(
    'a window in days',
    { metrics: { window: '1d' } },
    'spec.metrics.window',
    /"1d", which is no duration: write hours, minutes or seconds/,
  ),
  policy(
    'a window below zero',
    { metrics: { window: '-30m' } },
    'spec.metrics.window',
    /"-30m", which is no duration/,
  ),
  policy(
    'a window without unit',
    { metrics: { window: '30' } },
    'spec.metrics.window',
    /no duration: write/,
  ),
  policy(
    'a window of a second',
    { metrics: { window: '1s' } },
    'spec.metrics.window',
    /1s, which is out of range: give 1m to 24h/,
  ),
  policy(
    'more than full coverage',
    { metrics: { minCoveragePercent: 101 } },
    'spec.metrics.minCoveragePercent',
    /less than or equal to 100/,
  ),
  policy(
    'a half-life of zero',
    { decision: { halfLifeHours: 0 } },
    'spec.decision.halfLifeHours',
    /greater than or equal to 1/,
  ),
  migration(
    'an unknown strategy',
    { strategy: 'copy' },
    'strategy',
    /"cinder-retype", "cinder-transfer", "snapshot-restore"/,
  ),
  migration(
    'no cron expression',
    { schedule: 'every night' },
    'schedule',
    /"every night" is no cron expression: write five fields/,
  ),
  migration(
    'a cron expression with seconds',
    { schedule: '0 0 2 * * *' },
    'schedule',
    /write five fields/,
  ),
  migration('minute 60', { schedule: '60 2 * * *' }, 'schedule', /no cron expression/),
  migration(
    'day of month and of week',
    { schedule: '0 2 1 * 1' },
    'schedule',
    /write \* in one of the two/,
  ),
  migration(
    'no time zone',
    { schedule: '0 2 * * *', timeZone: 'half past two' },
    'timeZone',
    /no time zone: write an IANA name/,
  ),
  migration(
    'a slot without schedule',
    { slotDuration: '2h' },
    'slotDuration',
    /needs migration\.schedule/,
  ),
  migration(
    'a zone without schedule',
    { timeZone: 'UTC' },
    'timeZone',
    /needs migration\.schedule/,
  ),
  migration(
    'a slot of no length',
    { schedule: '0 2 * * *', slotDuration: '0s' },
    'slotDuration',
    /give 1m to 168h/,
  ),
  migration(
    'a cooldown of a week in days',
    { cooldownPeriod: '7d' },
    'cooldownPeriod',
    /days as hours/,
  ),
  migration(
    'a cooldown of centuries',
    { cooldown: { demote: '999999h' } },
    'cooldown.demote',
    /give 0s to 8760h/,
  ),
  migration(
    'no moves at once',
    { maxConcurrent: 0 },
    'maxConcurrent',
    /greater than or equal to 1/,
  ),
  migration(
    'too many moves at once',
    { maxConcurrent: 101 },
    'maxConcurrent',
    /less than or equal to 100/,
  ),
  migration(
    'live moves by snapshot',
    { attached: 'Allow', strategy: 'snapshot-restore' },
    'attached',
    /use strategy cinder-retype, or attached Never/,
  ),
  migration('a way of a copy for a retype', { via: 'backup' }, 'via', /snapshot-restore or Auto/),
  migration(
    'a way of a copy for a transfer',
    { strategy: 'cinder-transfer', via: 'clone' },
    'via',
    /leave via out/,
  ),
  migration(
    'an unknown way of a copy',
    { strategy: 'Auto', via: 'stream' },
    'via',
    /Unsupported value: "stream"/,
  ),
  migration(
    'a retype option for a transfer',
    { strategy: 'cinder-transfer', cinderOptions: { migrationPolicy: 'never' } },
    'cinderOptions',
    /leave migrationPolicy out/,
  ),
  migration(
    'a timeout as a duration',
    { cinderOptions: { retypeTimeout: '1h' } },
    'cinderOptions.retypeTimeout',
    /must be of type integer/,
  ),
  migration(
    'a timeout of a second',
    { cinderOptions: { retypeTimeout: 1 } },
    'cinderOptions.retypeTimeout',
    /greater than or equal to 10/,
  ),
  policy(
    'a limit for an unknown pool',
    { limits: { perPool: [{ pool: 'tape', maxConcurrent: 1 }] } },
    'spec.limits',
    /perPool.* names no tier .*tiers\[\]\.name/,
  ),
  policy(
    'two limits for a namespace',
    {
      limits: {
        perNamespace: [
          { namespace: 'a', maxConcurrent: 1 },
          { namespace: 'a', maxConcurrent: 2 },
        ],
      },
    },
    'spec.limits.perNamespace[1]',
    /Duplicate value/,
  ),
  policy(
    'a budget without prices',
    { budget: { maxMonthlyCost: 5 } },
    'spec.budget',
    /give tiers\[\]\.costPerGiBMonth for all tiers/,
  ),
  policy(
    'one data shard',
    { erasureCoding: { dataShards: 1 } },
    'spec.erasureCoding.dataShards',
    /greater than or equal to 2/,
  ),
  policy(
    'more parity than data',
    { erasureCoding: { dataShards: 2, parityShards: 4 } },
    'spec.erasureCoding',
    /at most as many parity shards/,
  ),
  policy(
    'regions without a primary one',
    { multiRegion: { enabled: true, replicaRegions: ['b'] } },
    'spec.multiRegion',
    /needs multiRegion\.primaryRegion/,
  ),
  policy(
    'regions without replicas',
    { multiRegion: { enabled: true, primaryRegion: 'a' } },
    'spec.multiRegion',
    /name at least one further region/,
  ),
  policy(
    'a region that replicates itself',
    { multiRegion: { primaryRegion: 'a', replicaRegions: ['a'] } },
    'spec.multiRegion',
    /take it out of replicaRegions/,
  ),
  policy(
    'a tier in an unknown region',
    {
      multiRegion: { enabled: true, primaryRegion: 'a', replicaRegions: ['b'] },
      tiers: [{ name: 'hot', regions: ['c'] }],
    },
    'spec.multiRegion',
    /add it there or take it out of the tier/,
  ),
]
