import type { Rule } from './policy-fields.ts'
import { CRON } from './schedule.ts'

/** The longest list of tiers; rules that compare tiers pairwise name each place, since CEL's cost must be bounded. */
export const MOST_TIERS = 16

const places = Array.from({ length: MOST_TIERS }, (_, i) => i)
const every = `[${places.join(', ')}]`
const butFirst = `[${places.slice(1).join(', ')}]`

/** Of `spec`, where one part names another. */
export const SPEC_RULES: readonly Rule[] = [
  {
    rule: '!has(self.limits) || !has(self.limits.perPool) || self.limits.perPool.all(p, self.tiers.exists(t, t.name == p.pool))',
    message: 'limits.perPool[].pool names no tier of this policy: use a name of tiers[].name',
    fieldPath: '.limits',
  },
  {
    rule: '!has(self.budget) || !has(self.budget.maxMonthlyCost) || self.tiers.all(t, has(t.costPerGiBMonth))',
    message:
      'budget.maxMonthlyCost needs a price per tier: give tiers[].costPerGiBMonth for all tiers, or leave budget out',
    fieldPath: '.budget',
  },
  {
    rule: '!has(self.multiRegion) || !has(self.multiRegion.enabled) || !self.multiRegion.enabled || !has(self.multiRegion.primaryRegion) || !has(self.multiRegion.replicaRegions) || self.tiers.all(t, !has(t.regions) || t.regions.all(r, r == self.multiRegion.primaryRegion || r in self.multiRegion.replicaRegions))',
    message:
      'tiers[].regions names a region that is neither multiRegion.primaryRegion nor in multiRegion.replicaRegions: add it there or take it out of the tier',
    fieldPath: '.multiRegion',
  },
]

export const TIERS_RULES: readonly Rule[] = [
  {
    rule: 'self.all(t, self.exists_one(u, u.name == t.name))',
    message: 'tiers[].name is given more than once: give each tier a name of its own',
  },
  {
    rule: 'self.all(t, !has(t.cinderVolumeType) || self.exists_one(u, has(u.cinderVolumeType) && u.cinderVolumeType == t.cinderVolumeType))',
    message:
      'tiers[].cinderVolumeType is given for more than one tier: a volume type can be one tier only',
  },
  // places are compared, not sorted lists: Kubernetes 1.28 takes a sorted map() for too costly
  {
    rule: `${every}.all(i, ${every}.all(j, i >= j || j >= self.size() || !has(self[i].iopsThreshold) || !has(self[j].iopsThreshold) || self[i].iopsThreshold >= self[j].iopsThreshold))`,
    message:
      'tiers[].iopsThreshold rises down the list: list the tiers fastest first, so that iopsThreshold falls or stays',
  },
  {
    rule: 'self.all(t, has(t.costPerGiBMonth)) || !self.exists(t, has(t.costPerGiBMonth))',
    message: 'tiers[].costPerGiBMonth is missing for some tiers: price all tiers or none',
  },
  {
    rule: `!self.all(t, has(t.costPerGiBMonth)) || ${butFirst}.all(i, i >= self.size() || self[i].costPerGiBMonth < self[i - 1].costPerGiBMonth)`,
    message:
      'tiers[].costPerGiBMonth must fall from each tier to the next: list the tiers fastest and most expensive first; equal prices leave nothing to save, so merge such tiers or price them apart',
  },
]

export const SIZED_LIMIT_RULES: readonly Rule[] = [
  {
    rule: 'has(self.base) && self.base > 0.0 || has(self.perGiB) && self.perGiB > 0.0',
    message:
      'the limit is zero for every size: give base or perGiB above 0, or leave the limit out for none',
  },
  {
    rule: '!has(self.max) || !has(self.base) || self.max >= self.base',
    message: 'max is below base: give max at least base, or leave max out',
  },
]

export const REQUIREMENT_RULES: readonly Rule[] = [
  {
    rule: "!(self.operator in ['In', 'NotIn']) || (has(self.values) && self.values.size() > 0)",
    messageExpression:
      "'operator ' + self.operator + ' on label ' + self.key + ' has no values: list at least one in values'",
  },
  {
    rule: "!(self.operator in ['Exists', 'DoesNotExist']) || !has(self.values) || self.values.size() == 0",
    messageExpression:
      "'operator ' + self.operator + ' on label ' + self.key + ' takes no values: remove values, or use In or NotIn'",
  },
]

/** Of a selector; one that names nothing would mean everything. */
export function namesLabels(message: string): readonly Rule[] {
  return [
    {
      rule: '(has(self.matchLabels) && self.matchLabels.size() > 0) || (has(self.matchExpressions) && self.matchExpressions.size() > 0)',
      message,
    },
  ]
}

export const MIGRATION_RULES: readonly Rule[] = [
  {
    rule: "!has(self.via) || (has(self.strategy) && self.strategy in ['snapshot-restore', 'Auto'])",
    message:
      'migration.via is for strategies that make a copy: set migration.strategy to snapshot-restore or Auto, or leave via out',
    fieldPath: '.via',
  },
  {
    rule: "!has(self.attached) || self.attached != 'Allow' || !has(self.strategy) || self.strategy in ['cinder-retype', 'Auto']",
    messageExpression:
      '"migration.attached is Allow, but migration.strategy " + self.strategy + " moves detached volumes only: use strategy cinder-retype, or attached Never"',
    fieldPath: '.attached',
  },
  {
    rule: '!has(self.slotDuration) || has(self.schedule)',
    message:
      'migration.slotDuration needs migration.schedule: say when the slot begins, or leave slotDuration out',
    fieldPath: '.slotDuration',
  },
  {
    rule: '!has(self.timeZone) || has(self.schedule)',
    message:
      'migration.timeZone needs migration.schedule: say when moves may start, or leave timeZone out',
    fieldPath: '.timeZone',
  },
  {
    rule: "!has(self.cinderOptions) || !has(self.cinderOptions.migrationPolicy) || !has(self.strategy) || self.strategy in ['cinder-retype', 'Auto']",
    messageExpression:
      '"migration.cinderOptions.migrationPolicy is for strategy cinder-retype, but migration.strategy is " + self.strategy + ": leave migrationPolicy out, or use cinder-retype"',
    fieldPath: '.cinderOptions.migrationPolicy',
  },
]

/** Go's regular expressions, which CEL takes, do not escape slashes. */
const cron = CRON.source.replaceAll('\\/', '/')

export const SCHEDULE_RULES: readonly Rule[] = [
  {
    rule: `self.matches('(?i)${cron}')`,
    messageExpression: `'migration.schedule "' + self + '" is no cron expression: write five fields (minute hour day-of-month month day-of-week) with one space between, for example "0 2 * * *" for 02:00 every day'`,
  },
  {
    rule: "self.matches('^[^ ]+ [^ ]+ [*] ') || self.matches(' [*]$')",
    messageExpression: `'migration.schedule "' + self + '" restricts both day of month and day of week: write * in one of the two'`,
  },
]

export const TIME_ZONE_RULES: readonly Rule[] = [
  {
    rule: "self.matches('^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){0,2}$')",
    messageExpression: `'migration.timeZone "' + self + '" is no time zone: write an IANA name such as UTC or Europe/Berlin'`,
  },
]

export const ERASURE_CODING_RULES: readonly Rule[] = [
  {
    rule: '!has(self.dataShards) || !has(self.parityShards) || self.parityShards <= self.dataShards',
    message:
      'erasureCoding.parityShards is more than dataShards: give at most as many parity shards as data shards, for example 4 and 2',
  },
]

export const MULTI_REGION_RULES: readonly Rule[] = [
  {
    rule: '!has(self.enabled) || !self.enabled || has(self.primaryRegion)',
    message: 'multiRegion.enabled needs multiRegion.primaryRegion: name the region of the cluster',
  },
  {
    rule: '!has(self.enabled) || !self.enabled || (has(self.replicaRegions) && self.replicaRegions.size() > 0)',
    message:
      'multiRegion.enabled needs multiRegion.replicaRegions: name at least one further region, or leave multiRegion out',
  },
  {
    rule: '!has(self.primaryRegion) || !has(self.replicaRegions) || !(self.primaryRegion in self.replicaRegions)',
    messageExpression:
      "'multiRegion.replicaRegions contains the primaryRegion ' + self.primaryRegion + ': take it out of replicaRegions'",
  },
]
