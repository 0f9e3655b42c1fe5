import { LEAD_CONSTANTS } from '../../../policy/rule.ts'
import { decideByThreshold } from '../../../policy/threshold.ts'
import type { RuleFactory } from '../types.ts'
import { allHotRule, stayRule, delayedRule } from './hindsight.ts'
import { leadRule } from './lead.ts'
import { regretRule } from './regret.ts'
import { ignoringSaturation } from './saturation.ts'
import { decayedPercentileOf, ewmaOf, meanOf, thresholdRule } from './threshold-rules.ts'
import { workFunctionRule } from './work-function.ts'

export type NamedRule = { readonly about: string; readonly rule: RuleFactory }

const BAND = 0.15
const DAY = 24

const { rho: _rho, muHours: _mu, moveCostPerGiB: _perGiB, ...PUBLISHED } = LEAD_CONSTANTS
const naive = thresholdRule({ statistic: meanOf(1), band: 0, cooldownHours: 0 })
const dayMean = thresholdRule({ statistic: meanOf(DAY), band: BAND, cooldownHours: DAY })
const percentile = thresholdRule({
  statistic: decayedPercentileOf(0.95, DAY, BAND),
  band: BAND,
  cooldownHours: DAY,
  leastIntervals: 8,
})
const regret = regretRule({ up: 1, down: 1 })
const regretOverTwoDays = regretRule({ up: 0.5, down: 2, checkHours: 48 })

/** Every rule that `backtest --rule` knows; the first is the one that the controller runs. */
export const RULES = {
  couchestor: { about: 'the rule that the controller runs', rule: leadRule() },
  threshold: {
    about: 'algorithm Threshold of a StoragePolicy: discounted mean against limits, 15 % band',
    rule: leadRule({}, decideByThreshold),
  },
  'naive-1h': {
    about: 'mean of one hour against the limits',
    rule: naive,
  },
  'mean-1h-cooldown': {
    about: 'the same, at most one move a day',
    rule: thresholdRule({ statistic: meanOf(1), band: 0, cooldownHours: DAY }),
  },
  'mean-24h-band-cooldown': {
    about: 'mean of a day, 15 % band, at most one move a day',
    rule: dayMean,
  },
  'ewma-24h-band-cooldown': {
    about: 'weighted mean with a half-life of a day, 15 % band, at most one move a day',
    rule: thresholdRule({ statistic: ewmaOf(DAY), band: BAND, cooldownHours: DAY }),
  },
  'decayed-p95-band-cooldown': {
    about: '95th percentile with a half-life of a day, 15 % band, at most one move a day',
    rule: percentile,
  },
  'regret-1': {
    about: 'moves when the regret has paid for the move',
    rule: regret,
  },
  'regret-0.5-2': {
    about: 'the same, quicker upwards and slower downwards',
    rule: regretRule({ up: 0.5, down: 2 }),
  },
  'regret-0.5-2-48h': {
    about: 'the same, and the target must be cheapest over two days',
    rule: regretOverTwoDays,
  },
  'regret-0.5-2-48h-brake': {
    about: 'the same with a brake on going back',
    rule: regretRule({ up: 0.5, down: 2, checkHours: 48, brake: true }),
  },
  wfa: { about: 'the work-function algorithm of the literature', rule: workFunctionRule },
  'lead-0.5': {
    about: 'discounted lead with one constant threshold',
    rule: leadRule({ ...PUBLISHED, up0: 0.5, upPerDay: 0, down0: 0.5, downPerDay: 0, gamma: 0 }),
  },
  lead: { about: 'discounted lead, without doubt', rule: leadRule(PUBLISHED) },
  'naive-1h-saturation-ignored': {
    about: 'naive-1h that believes what a QoS limit lets through',
    rule: ignoringSaturation(naive),
  },
  'mean-24h-band-cooldown-saturation-ignored': {
    about: 'mean-24h-band-cooldown that believes what a QoS limit lets through',
    rule: ignoringSaturation(dayMean),
  },
  'decayed-p95-band-cooldown-saturation-ignored': {
    about: 'decayed-p95-band-cooldown that believes what a QoS limit lets through',
    rule: ignoringSaturation(percentile),
  },
  'regret-1-saturation-ignored': {
    about: 'regret-1 that believes what a QoS limit lets through',
    rule: ignoringSaturation(regret),
  },
  'regret-0.5-2-48h-saturation-ignored': {
    about: 'regret-0.5-2-48h that believes what a QoS limit lets through',
    rule: ignoringSaturation(regretOverTwoDays),
  },
  'told-4h': {
    about: 'the best single tier with hindsight, known after 4 hours',
    rule: delayedRule(4),
  },
  'told-12h': { about: 'the same, known after 12 hours', rule: delayedRule(12) },
  'told-24h': { about: 'the same, known after 24 hours', rule: delayedRule(24) },
  'best-static': { about: 'the same, known at once', rule: delayedRule(0) },
  'all-hot': { about: 'everything on the fastest tier', rule: allHotRule },
  stay: { about: 'nothing moves', rule: stayRule },
} as const satisfies Record<string, NamedRule>

export type RuleName = keyof typeof RULES
