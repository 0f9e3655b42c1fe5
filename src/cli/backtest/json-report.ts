import type { Report, Row } from './report.ts'
import { rounded } from '../rounded.ts'
import { startOf } from './types.ts'

/** The report for programs: the same figures as the table, and each volume with its moves. */
export function jsonReport(report: Report): string {
  const { setting, ruleName, hours, notices } = report
  const name = (tier: number) => setting.tiers[tier]?.name
  const plain = (rows: readonly Row[]) =>
    rows.map(({ name: plan, summary }) => ({ plan, ...summary }))
  const document = {
    name: setting.name,
    rule: ruleName,
    intervalHours: setting.intervalHours,
    hours,
    censored: setting.censored,
    tiers: setting.tiers.map((t) => ({ name: t.name, pricePerGiBMonth: t.pricePerGiBMonth })),
    money: setting.money,
    notices,
    plans: plain(report.rows),
    guards: plain(report.guards),
    volumes: report.volumes.map(({ load, moves, score, references }) => ({
      volume: load.id,
      sizeGiB: load.sizeGiB,
      startTier: name(startOf(setting, load)),
      moves: moves.map((m) => ({
        at: Math.round(m.after * setting.intervalHours * 3600),
        from: name(m.from),
        to: name(m.to),
      })),
      score,
      allHot: references.allHot,
      stay: references.stay,
      bestStatic: references.bestStatic,
      optimum: references.optimum,
    })),
  }
  return `${JSON.stringify(rounded(document), null, 2)}\n`
}
