import { isInFlight } from '../../api/volume-migration.ts'
import type { Bill } from './bill.ts'
import { succeeded } from './checks.ts'
import type { Check } from './checks.ts'
import { TIERS } from './policies.ts'
import type { Screen } from './screen.ts'
import type { Stage } from './stage.ts'
import { money } from './text.ts'
import { migrations, policies } from './views.ts'

/** The end of the day: money, moves, who stays and why, and whether all promises were kept. */
export function printSummary(
  screen: Screen,
  stage: Stage,
  bill: Bill,
  results: readonly Check[],
): void {
  screen.heading('The money, per month')
  const row = (name: string, amount: number, note: string) =>
    `  ${name.padEnd(26)}${money(amount).padStart(12)}   ${note}`
  screen.text(
    row('all volumes on hot', bill.allHot, 'the simple way to be safe'),
    row('before', bill.before, 'as the day began'),
    row('after', bill.now, TIERS.map((t) => `${t.name} ${bill.count(t.name)}`).join(', ')),
    row(
      'saved',
      bill.before - bill.now,
      `${percent(bill.before - bill.now, bill.before)} of before`,
    ),
    row(
      'saved against all hot',
      bill.allHot - bill.now,
      percent(bill.allHot - bill.now, bill.allHot),
    ),
  )
  screen.heading('The day')
  screen.text(...movesText(stage), ...speedText(bill), ...stayText(stage))
  screen.heading('Checked')
  screen.text(...results.flatMap(checkText))
}

function percent(part: number, whole: number): string {
  return `${Math.round((100 * part) / whole)} %`
}

function movesText(stage: Stage): string[] {
  const all = migrations(stage)
  const good = succeeded(stage)
  const gib = good.reduce((sum, m) => sum + (m.status?.sizeGiB ?? 0), 0)
  const forced = good.filter((m) => m.spec.reason === 'Forced').length
  const reverted = all.filter((m) => m.status?.reason === 'Reverted').length
  const running = all.filter(isInFlight).length
  const retypes = stage.actors.reduce(
    (sum, a) => sum + stage.world.cloud.seams.retypesOf(a.volume.id).length,
    0,
  )
  return [
    `  ${good.length} moves, ${gib.toLocaleString('en-US')} GiB: ${good.length - forced} by policy, ${forced} forced`,
    `  ${reverted} silently reverted by Cinder and repeated later; ${running} still under way`,
    `  ${retypes} retypes in Cinder's journal`,
  ]
}

function speedText(bill: Bill): string[] {
  const { now, unmoved } = bill.hoursOver
  return [
    `  ${now} violations: volume-hours that wanted more than their tier gives`,
    `  ${unmoved} would have been without any move`,
  ]
}

function stayText(stage: Stage): string[] {
  const counts = new Map<string, number>()
  for (const { reason, claims } of policies(stage).flatMap((p) => p.status?.staying ?? []))
    counts.set(reason, (counts.get(reason) ?? 0) + claims)
  const list = [...counts].toSorted((a, b) => b[1] - a[1]).map(([r, n]) => `${n} ${r}`)
  return [`  stay now: ${list.join(', ')}`]
}

function checkText({ what, wrong }: Check): string[] {
  if (wrong.length === 0) return [`  ok     ${what}`]
  const more = wrong.length > 2 ? ` and ${wrong.length - 2} more` : ''
  return [`  WRONG  ${what}`, `         not so for ${wrong.slice(0, 2).join(', ')}${more}`]
}
