import type { StayReason } from '../../api/reasons.ts'
import { durationText, iopsText } from '../../policy/numbers-text.ts'
import { money } from '../../insight/money.ts'
import { table } from '../table.ts'
import type { Column } from '../table.ts'
import type { NamespaceCost, Plan, PlanRow, PolicyPlan } from '../../insight/plan/plan.ts'
import { sum } from '../../insight/plan/plan.ts'

export type TableOptions = {
  readonly wide: boolean
  /** Also what wants nothing and what no policy manages. */
  readonly all: boolean
  /** Width to which WHY is cut; undefined = not at all. */
  readonly columns?: number | undefined
}

/** The plan for a terminal: notices, what would move and what is in the way, the sums. */
export function renderPlan(plan: Plan, options: TableOptions): string {
  const shown = plan.rows.filter(
    (r) => options.all || (r.action !== 'stay' && r.action !== 'unmanaged'),
  )
  const parts = [
    ...plan.notices.map((n) => `Note: ${n}`),
    table(columns(plan, options.wide), shown, options.wide ? undefined : options.columns).trimEnd(),
    ...plan.policies.map((p) => summary(p, plan.rows)),
  ]
  return `${parts.filter((p) => p !== '').join('\n')}\n`
}

function columns(plan: Plan, wide: boolean): readonly Column<PlanRow>[] {
  const several = new Set(plan.rows.map((r) => r.policy)).size > 1
  const more = (on: boolean, list: readonly Column<PlanRow>[]) => (on ? list : [])
  return [
    { title: '#', of: (r) => (r.order === null ? '' : String(r.order)), right: true },
    { title: 'ACTION', of: (r) => r.action },
    ...more(several || wide, [{ title: 'POLICY', of: (r: PlanRow) => r.policy }]),
    { title: 'NAMESPACE', of: (r) => r.namespace },
    { title: 'CLAIM', of: (r) => r.claim },
    { title: 'GIB', of: (r) => String(r.sizeGiB), right: true },
    { title: 'FROM', of: (r) => r.from },
    { title: 'TO', of: (r) => r.to },
    {
      title: 'SAVES/MONTH',
      of: (r) => (r.to === '' ? '' : money(r.monthlySaving)),
      right: true,
    },
    {
      title: 'WORTH/MONTH',
      of: (r) => (r.to === '' ? '' : money(r.worthPerMonth)),
      right: true,
    },
    { title: 'PAYBACK', of: paybackText, right: true },
    ...more(wide, [
      { title: 'MEAN IOPS', of: (r: PlanRow) => iopsText(r.meanIops), right: true },
      { title: 'LEAD', of: (r: PlanRow) => money(r.lead), right: true },
      { title: 'NEEDED', of: (r: PlanRow) => money(r.needed), right: true },
      { title: 'MOVE COST', of: (r: PlanRow) => money(r.moveCost), right: true },
      { title: 'BY', of: (r: PlanRow) => r.strategy },
      { title: 'REVERSIBLE', of: (r: PlanRow) => yesNo(r, r.reversible) },
      { title: 'DISRUPTIVE', of: (r: PlanRow) => yesNo(r, r.disruptive) },
      {
        title: 'KEPT/DAY',
        of: (r: PlanRow) => (r.keptPerDay === 0 ? '' : money(r.keptPerDay)),
        right: true,
      },
      { title: 'VOLUME', of: (r: PlanRow) => r.volumeId },
      { title: 'MIGRATION', of: (r: PlanRow) => r.migration },
    ]),
    { title: 'WHY', of: (r) => (r.reason === '' ? r.message : `${r.reason}: ${r.message}`) },
  ]
}

function yesNo({ to }: PlanRow, is: boolean): string {
  if (to === '') return ''
  return is ? 'yes' : 'no'
}

function paybackText({ to, paybackDays }: PlanRow): string {
  if (to === '') return ''
  return paybackDays === null ? 'never' : durationText(Math.max(60, paybackDays * 86_400))
}

/** Only of these is it known that the volume belongs where it is. */
const WELL_PLACED = new Set<string>(['OnBestTier', 'Forced'] satisfies StayReason[])

function summary(p: PolicyPlan, rows: readonly PlanRow[]): string {
  const own = rows.filter((r) => r.policy === p.name && r.action !== 'unmanaged')
  const count = (action: PlanRow['action']) => own.filter((r) => r.action === action).length
  const placed = own.filter((r) => r.action === 'stay' && WELL_PLACED.has(r.reason)).length
  const unjudged = count('stay') - placed
  const ready = own.filter((r) => r.action === 'next' || r.action === 'wait')
  const lines = [
    `Policy ${p.name} (mode ${p.mode}): ${own.length} claim${own.length === 1 ? '' : 's'}, ${count('next')} would start now, ${count('wait')} wait, ${count('open')} are open, ${count('held')} are held, ${placed} are where they belong${unjudged === 0 ? '' : `, ${unjudged} were not judged`}.`,
    `Costs ${money(p.monthlyCost)} a month now, ${money(p.wantedMonthlyCost)} after all that is wanted; what can move saves ${money(sum(ready, (r) => r.monthlySaving))} and is worth ${money(sum(ready, (r) => r.worthPerMonth))} a month.`,
    ...(p.maxMonthlyCost === null ? [] : [`Budget: ${money(p.maxMonthlyCost)} a month.`]),
    ...capacityLines(p),
  ]
  return `\n${lines.join('\n')}`
}

function capacityLines({ capacity }: PolicyPlan): readonly string[] {
  if (capacity === null) return []
  const scarce = Object.entries(capacity.pricePerGiB).map(
    ([tier, price]) => `one more GiB on ${tier} would save ${money(price)} a month`,
  )
  return [
    `Capacity binds: with throttling this placement costs ${money(capacity.cost)} a month, and none that fits can cost less than ${money(capacity.bound)} (gap ${capacity.gapPercent.toFixed(1)} %)${scarce.map((s) => `; ${s}`).join('')}.`,
  ]
}

export function renderNamespaces(costs: readonly NamespaceCost[]): string {
  if (costs.length === 0) return 'No claim is managed by a policy.\n'
  return table<NamespaceCost>(
    [
      { title: 'NAMESPACE', of: (n) => n.namespace },
      { title: 'CLAIMS', of: (n) => String(n.claims), right: true },
      { title: 'GIB', of: (n) => String(n.sizeGiB), right: true },
      { title: 'COST/MONTH', of: (n) => n.monthlyCost.toFixed(2), right: true },
      { title: 'WANTED/MONTH', of: (n) => n.wantedMonthlyCost.toFixed(2), right: true },
      { title: 'MOVES', of: (n) => String(n.moves), right: true },
    ],
    costs,
  )
}
