import { sentenceOf } from '../../errors.ts'
import { notYetActedOn } from '../../api/not-yet-acted-on.ts'
import { withCondition } from '../../api/object.ts'
import type { Condition } from '../../api/object.ts'
import type { PolicyCondition } from '../../api/conditions.ts'
import type { StoragePolicyStatus } from '../../api/storage-policy.ts'
import { stopped } from '../../blockers/policy.ts'
import { monthlyCost } from '../../policy/rank.ts'
import type { Week } from '../../policy/shadow.ts'
import { BLOCKING_REASONS } from '../moving/blocking-reasons.ts'
import { unauditedText } from '../moving/start-gate.ts'
import type { Judged } from '../planning/decision-inputs.ts'
import type { ResolvedPolicy } from '../view/policies.ts'
import { worthwhile } from './worthwhile.ts'

export type StatusFacts = {
  readonly policy: ResolvedPolicy
  readonly verdicts: readonly Judged[]
  readonly moving: number
  readonly health: {
    readonly medianSizeGiB: number
    readonly covered: number
    readonly attached: number
    readonly frozen: boolean | undefined
    readonly catchingUp: boolean
    readonly down: string | undefined
    readonly windowEnd: number | undefined
    readonly warnings: readonly string[]
  }
  /** What the last days cost, and would have cost; undefined before the first window. */
  readonly week: Week | undefined
  readonly cinderProblem: string | undefined
  /** Why no line can be written to the audit. */
  readonly auditProblem: string | undefined
  /** Why a move that waits could not be prepared: Cinder refuses, or does not answer, a read that it needs. */
  readonly unreadFor:
    { readonly reason: 'MissingPermission' | 'CinderDown'; readonly message: string } | undefined
  /** What OpenStack does not let us read, and moves go on without. */
  readonly unreadable: readonly string[]
  /** What a new leader cannot read yet, so that it starts no move. */
  readonly startProblem: string | undefined
  readonly stopped: boolean
  /** Why its strategy moves nothing. */
  readonly unsupported: string | undefined
  /** Why approvals do not count here. */
  readonly unguarded: string | undefined
  readonly halted: string | undefined
  readonly openBreakers: readonly string[]
  /** Why all moves of the policy are held back for thrashing. */
  readonly thrashing: string | undefined
  /** What the API server refuses to keep of the policy, and what follows from that. */
  readonly unsaved: readonly string[]
  readonly missingRules: readonly string[]
  /** ms */
  readonly now: number
}

type ConditionState = {
  readonly status: Condition['status']
  readonly reason: string
  readonly message: string
}

/** The status of a policy: counts and money, never a list of volumes. */
export function policyStatus(facts: StatusFacts): StoragePolicyStatus {
  const { policy, verdicts, health } = facts
  const before = policy.watched.policy.status
  const staying = verdicts.filter((v) => v.verdict.kind === 'stay')
  const blocked = verdicts.filter(
    (v) => v.verdict.kind === 'stay' && BLOCKING_REASONS.has(v.verdict.reason),
  )
  const cost = costOf(facts)
  return {
    observedGeneration: policy.generation,
    conditions: conditionsOf(facts, before?.conditions ?? []),
    managedClaims: verdicts.length,
    moving: facts.moving,
    tiers: tierCounts(facts),
    staying: counted(staying.map((v) => (v.verdict.kind === 'stay' ? v.verdict.reason : ''))),
    blockedPercent:
      verdicts.length === 0 ? 0 : Math.round((100 * blocked.length) / verdicts.length),
    monthlyCost: {
      now: cost.now.toFixed(2),
      wanted: cost.wanted.toFixed(2),
      assumedPrices: policy.pricesAssumed,
    },
    retentionMonthlyCost: cost.retention.toFixed(2),
    ...(health.medianSizeGiB > 0 ? { medianSizeGiB: health.medianSizeGiB } : {}),
    ...(health.windowEnd === undefined
      ? {}
      : { lastWindowEnd: new Date(health.windowEnd * 1000).toISOString() }),
    notYetActedOn:
      policy.watched.problems.length > 0
        ? []
        : notYetActedOn(policy.watched.policy.spec).map(sentenceOf),
  }
}

function counted(reasons: readonly string[]): NonNullable<StoragePolicyStatus['staying']> {
  const counts = new Map<string, number>()
  for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1)
  return [...counts]
    .map(([reason, claims]) => ({ reason, claims }))
    .toSorted((a, b) => b.claims - a.claims || (a.reason < b.reason ? -1 : 1))
}

function tierCounts({ policy, verdicts }: StatusFacts): NonNullable<StoragePolicyStatus['tiers']> {
  return (policy.tiers ?? []).map((tier, i) => {
    const here = verdicts.filter((v) => v.tier === i)
    return {
      name: tier.name,
      volumes: here.length,
      gib: here.reduce((sum, v) => sum + sizeOf(v), 0),
    }
  })
}

function sizeOf(judged: Judged): number {
  return judged.managed.bound?.row?.sizeGiB ?? 0
}

function costOf({ verdicts }: StatusFacts) {
  let now = 0
  let wanted = 0
  let retention = 0
  for (const judged of verdicts) {
    const { tiers, tier, verdict } = judged
    const here = tiers[tier]
    if (here === undefined) continue
    const goal = tiers[verdict.kind === 'move' ? verdict.to : (verdict.wants ?? tier)] ?? here
    const size = sizeOf(judged)
    now += monthlyCost(here, size)
    wanted += monthlyCost(goal, size)
    if (verdict.kind === 'stay' && verdict.reason === 'Retention')
      retention += monthlyCost(here, size) - monthlyCost(goal, size)
  }
  return { now, wanted, retention }
}

function conditionsOf(facts: StatusFacts, before: readonly Condition[]): readonly Condition[] {
  const at = new Date(facts.now).toISOString()
  const conditions: readonly (readonly [PolicyCondition, ConditionState])[] = [
    ['TiersResolved', tiersResolved(facts)],
    ['MetricsHealthy', metricsHealthy(facts)],
    ['WithinBudget', withinBudget(facts)],
    ['Worthwhile', worthwhile(facts.policy.effective.mode, facts.week)],
    ['Ready', ready(facts)],
  ]
  return conditions.reduce(
    (list, [type, t]) =>
      withCondition(list, { type, ...t, observedGeneration: facts.policy.generation }, at),
    before,
  )
}

function tiersResolved({ policy, cinderProblem }: StatusFacts): ConditionState {
  if (policy.tiers !== undefined)
    return {
      status: 'True',
      reason: 'Resolved',
      message: policy.pricesAssumed
        ? 'each tier has its volume type; prices are assumed'
        : 'each tier has its volume type',
    }
  if (cinderProblem !== undefined)
    return { status: 'Unknown', reason: 'CinderDown', message: cinderProblem }
  return { status: 'False', reason: policy.problem, message: policy.problems.join('; ') }
}

function metricsHealthy({ policy, health, verdicts }: StatusFacts): ConditionState {
  if (health.down !== undefined)
    return { status: 'False', reason: 'SourceDown', message: health.down }
  if (health.windowEnd === undefined)
    return {
      status: 'Unknown',
      reason: 'NoWindowYet',
      message: `no window has been read from ${policy.effective.metrics.source} yet`,
    }
  const message = [
    `${health.covered} of ${health.attached} attached volumes have usage numbers from ${policy.effective.metrics.source}`,
    ...health.warnings,
  ].join('; ')
  if (health.frozen === true)
    return { status: 'False', reason: 'CoverageDropped', message: `${message}; demotion is frozen` }
  if (health.covered === 0 && verdicts.length > 0 && health.attached > 0)
    return { status: 'False', reason: 'NoSeries', message }
  return { status: 'True', reason: 'Healthy', message }
}

function withinBudget(facts: StatusFacts): ConditionState {
  const budget = facts.policy.effective.maxMonthlyCost
  if (budget === undefined)
    return { status: 'True', reason: 'NoBudget', message: 'no budget is set' }
  if (facts.policy.pricesAssumed)
    return {
      status: 'Unknown',
      reason: 'NotPriced',
      message: 'tiers have no prices (costPerGiBMonth)',
    }
  const { now } = costOf(facts)
  const message = `${now.toFixed(2)} of ${budget} per month`
  return now <= budget
    ? { status: 'True', reason: 'WithinBudget', message }
    : { status: 'False', reason: 'OverBudget', message }
}

/** Nothing of any policy starts. */
function outageOf({
  cinderProblem,
  auditProblem,
  startProblem,
}: StatusFacts): ConditionState | undefined {
  const no = (reason: string, message: string): ConditionState => ({
    status: 'False',
    reason,
    message,
  })
  if (cinderProblem !== undefined) return no('CinderDown', cinderProblem)
  if (auditProblem !== undefined) return no('AuditUnavailable', unauditedText(auditProblem))
  return startProblem === undefined ? undefined : no('Starting', startProblem)
}

function ready(facts: StatusFacts): ConditionState {
  const { policy, health } = facts
  const no = (reason: string, message: string): ConditionState => ({
    status: 'False',
    reason,
    message,
  })
  if (policy.watched.problems.length > 0) return no('Invalid', policy.watched.problems.join('; '))
  if (facts.unsupported !== undefined) return no('StrategyUnsupported', facts.unsupported)
  const stop = stopped(facts)
  if (stop !== undefined) return no('Stopped', stop.message)
  if (policy.effective.paused) return no('Paused', 'spec.paused is true')
  const outage = outageOf(facts)
  if (outage !== undefined) return outage
  if (policy.tiers === undefined) return no('TiersUnresolved', policy.problems.join('; '))
  if (facts.halted !== undefined) return no('Halted', facts.halted)
  if (facts.openBreakers.length > 0)
    return no('BreakerOpen', `moves fail and are held back: ${facts.openBreakers.join(', ')}`)
  if (facts.thrashing !== undefined) return no('Thrashing', facts.thrashing)
  if (policy.effective.mode === 'Approve' && facts.unguarded !== undefined)
    return no('NoAdmissionPolicy', `mode Approve moves nothing: ${facts.unguarded}`)
  if (health.down !== undefined) return no('MetricsDown', health.down)
  if (facts.unreadFor !== undefined) return no(facts.unreadFor.reason, facts.unreadFor.message)
  const refused = facts.verdicts.filter(
    (v) => v.verdict.kind === 'stay' && v.verdict.reason === 'WriteRefused',
  ).length
  const lacks = [
    ...(refused > 0
      ? [`${refused} claims wait because their VolumeMigrations are refused (event WriteRefused)`]
      : []),
    ...facts.unsaved,
    ...(facts.missingRules.length > 0 ? [`the role lacks: ${facts.missingRules.join('; ')}`] : []),
    ...(facts.unreadable.length > 0
      ? [`the OpenStack credential may not read: ${facts.unreadable.join(', ')}`]
      : []),
  ]
  if (health.catchingUp) {
    const message = ['history is being read', ...lacks].join('; ')
    return { status: 'Unknown', reason: 'CatchingUp', message }
  }
  if (lacks.length > 0)
    return { status: 'True', reason: 'Ready', message: `works; ${lacks.join('; ')}` }
  return { status: 'True', reason: 'Ready', message: `mode ${policy.effective.mode}` }
}
