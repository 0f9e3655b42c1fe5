import { Gauge } from 'prom-client'
import type { StoragePolicyStatus } from '../../api/storage-policy.ts'
import { METRIC_PREFIX } from '../../metrics.ts'
import type { Registry } from '../../metrics.ts'
import { BLOCKING_REASONS } from '../moving/blocking-reasons.ts'
import type { Judged } from '../planning/decision-inputs.ts'
import type { ResolvedPolicy } from '../view/policies.ts'
import type { PolicyHealth } from '../planning/policy-health.ts'

/** What the gauges of one policy are made of. */
export type PolicyFigures = {
  readonly policy: ResolvedPolicy
  readonly verdicts: readonly Judged[]
  readonly status: StoragePolicyStatus
  readonly health: ReturnType<PolicyHealth['state']>
  /** Tiers whose breaker is open. */
  readonly openBreakers: readonly { readonly from: string; readonly to: string }[]
  readonly thrashing: boolean
  /** Of the policy's source of usage numbers. */
  readonly lagSeconds: number
}

/** Name, help and labels beside `policy` of every gauge; the values come from `figuresOf`. */
const GAUGES = {
  policy_info: ['Always 1; how the policy is set.', 'mode', 'prices'],
  policy_condition: [
    'Always 1, for each condition of the policy as it stands now.',
    'type',
    'status',
    'reason',
  ],
  claims: ['Managed claims by the answer they got; Move when they are to move.', 'reason'],
  blocked_claims: [
    'Claims whose move waits for a person or for the end of an attachment or snapshot.',
  ],
  contested_claims: ['Claims of the policy that other policies select too.'],
  volumes: ['Managed volumes by tier, as Cinder says.', 'tier'],
  volumes_size_bytes: ['Size of the managed volumes by tier.', 'tier'],
  attached_volumes: ['Attached volumes in the last window.'],
  covered_volumes: ['Volumes with usage numbers in the last window.'],
  monthly_cost: [
    'Cost of storage per month in the unit of the prices: now; wanted, once all moves are made; fastest, with all volumes on the fastest tier; and retention, what retentionDays holds back.',
    'kind',
  ],
  monthly_budget: ['budget.maxMonthlyCost of the policy, where it has one.'],
  source_up: ['1 when the source of usage numbers answered the last question.'],
  window_seconds: ['Length of the windows that the policy asks for.'],
  source_lag_seconds: ['How long after its end the source has a window complete.'],
  window_end_timestamp_seconds: ['End of the last window with an answer.'],
  demotion_frozen: ['1 while demotion waits because too few volumes have usage numbers.'],
  catching_up: ['1 while history is read and nothing is decided.'],
  breaker_open: ['1 while moves between the two tiers are held back after failures.', 'from', 'to'],
  thrash_breaker_open: [
    '1 while all moves are held back because too many volumes were moved and moved back.',
  ],
} as const satisfies Record<string, readonly [help: string, ...labels: string[]]>

type Name = keyof typeof GAUGES
type Sample = readonly [Name, value: number, labels?: Readonly<Record<string, string>>]

/** Gauges by policy. Shown all at once, so that no scrape meets half of them. */
export class PolicyGauges {
  readonly #gauges: ReadonlyMap<Name, Gauge>

  constructor(registry: Registry) {
    this.#gauges = new Map(
      (Object.keys(GAUGES) as Name[]).map((name) => {
        const [help, ...labels] = GAUGES[name]
        const labelNames = ['policy', ...labels]
        const gauge = new Gauge({
          name: METRIC_PREFIX + name,
          help,
          labelNames,
          registers: [registry],
        })
        return [name, gauge] as const
      }),
    )
  }

  /** Replaces everything: a policy, tier or reason that is gone leaves nothing behind. */
  show(all: readonly PolicyFigures[]): void {
    for (const gauge of this.#gauges.values()) gauge.reset()
    for (const figures of all)
      for (const [name, value, labels = {}] of figuresOf(figures))
        this.#gauges.get(name)?.set({ policy: figures.policy.name, ...labels }, value)
  }
}

function* figuresOf(f: PolicyFigures): Iterable<Sample> {
  yield* settings(f)
  yield* claims(f)
  yield* fleet(f)
  yield* usage(f)
  yield* breakers(f)
}

function* settings({ policy, status }: PolicyFigures): Iterable<Sample> {
  const prices = policy.pricesAssumed ? 'assumed' : 'given'
  yield ['policy_info', 1, { mode: policy.effective.mode, prices }]
  for (const { type, status: truth, reason } of status.conditions ?? [])
    yield ['policy_condition', 1, { type, status: truth, reason }]
  const { maxMonthlyCost } = policy.effective
  if (maxMonthlyCost !== undefined) yield ['monthly_budget', maxMonthlyCost]
}

function* claims({ verdicts }: PolicyFigures): Iterable<Sample> {
  const answers = new Map<string, number>()
  let blocked = 0
  let contested = 0
  for (const { verdict, managed } of verdicts) {
    const answer = verdict.kind === 'move' ? 'Move' : verdict.reason
    answers.set(answer, (answers.get(answer) ?? 0) + 1)
    if (verdict.kind === 'stay' && BLOCKING_REASONS.has(verdict.reason)) blocked++
    if (managed.match.policy !== undefined && managed.match.alsoMatched.length > 0) contested++
  }
  for (const [reason, count] of answers) yield ['claims', count, { reason }]
  yield ['blocked_claims', blocked]
  yield ['contested_claims', contested]
}

const GIB = 2 ** 30

function* fleet({ policy, status, verdicts }: PolicyFigures): Iterable<Sample> {
  let gib = 0
  for (const tier of status.tiers ?? []) {
    gib += tier.gib
    yield ['volumes', tier.volumes, { tier: tier.name }]
    yield ['volumes_size_bytes', tier.gib * GIB, { tier: tier.name }]
  }
  if (verdicts.length === 0 && policy.tiers === undefined) return
  yield ['monthly_cost', Number(status.monthlyCost?.now ?? 0), { kind: 'now' }]
  yield ['monthly_cost', Number(status.monthlyCost?.wanted ?? 0), { kind: 'wanted' }]
  yield ['monthly_cost', Number(status.retentionMonthlyCost ?? 0), { kind: 'retention' }]
  const fastest = policy.tiers?.[0]?.pricePerGiBMonth ?? 0
  yield ['monthly_cost', fastest * gib, { kind: 'fastest' }]
}

/** A policy without volumes asks for nothing: its last window would grow old without any fault. */
function* usage({ policy, verdicts, health, lagSeconds }: PolicyFigures): Iterable<Sample> {
  if (!verdicts.some((v) => v.managed.bound?.row !== undefined)) return
  yield ['window_seconds', policy.effective.metrics.windowMs / 1000]
  yield ['source_lag_seconds', lagSeconds]
  yield ['demotion_frozen', health.frozen ? 1 : 0]
  yield ['catching_up', health.catchingUp ? 1 : 0]
  if (health.down !== undefined) yield ['source_up', 0]
  if (health.windowEnd === undefined) return
  if (health.down === undefined) yield ['source_up', 1]
  yield ['window_end_timestamp_seconds', health.windowEnd]
  yield ['attached_volumes', health.attached]
  yield ['covered_volumes', health.covered]
}

function* breakers({ policy, openBreakers, thrashing }: PolicyFigures): Iterable<Sample> {
  const tiers = (policy.tiers ?? []).map((t) => t.name)
  for (const from of tiers)
    for (const to of tiers) {
      if (from === to) continue
      const open = openBreakers.some((b) => b.from === from && b.to === to)
      yield ['breaker_open', open ? 1 : 0, { from, to }]
    }
  yield ['thrash_breaker_open', thrashing ? 1 : 0]
}
