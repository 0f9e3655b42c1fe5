import { decimal, percent } from './numbers.ts'
import { volumesThatMatter } from './report.ts'
import type { Report, Row, VolumeReport } from './report.ts'
import { startOf } from './types.ts'

const MOST_VOLUMES = 10

/** The report as plain text for a terminal or a log. */
export function textReport(report: Report): string {
  const { setting, volumes, hours } = report
  const parts = [
    [
      `${setting.name}: ${volumes.length} volumes, up to ${decimal(hours / 24, 1)} days in windows of ${decimal(setting.intervalHours * 60, 0)} minutes`,
      ...report.notices.map((n) => `Note: ${n}`),
    ].join('\n'),
    table(HEADER, report.rows.map(cellsOf)),
    'Cost is storage, plus what throttled hours are worth, plus the price of moves. Per week = per volume and week.',
  ]
  if (report.guards.length > 0)
    parts.push(`What the guards cost:\n${table(HEADER, report.guards.map(cellsOf))}`)
  parts.push(
    `Volumes that matter most:\n${table(VOLUME_HEADER, volumesThatMatter(report, MOST_VOLUMES).map(volumeCells(report)))}`,
  )
  return `${parts.join('\n\n')}\n`
}

const HEADER = [
  'plan',
  'cost',
  'storage',
  'throttled',
  'moving',
  'over optimum',
  'equal weight',
  'saving captured',
  'violation min/week',
  'moves/week',
  'thrash/week',
  'early demotions',
]

function cellsOf({ name, summary: s }: Row): readonly string[] {
  return [
    name,
    decimal(s.cost, 2),
    decimal(s.storage, 2),
    decimal(s.throttled, 2),
    decimal(s.moving, 2),
    decimal(s.ratio, 3),
    decimal(s.ratioEqualWeight, 3),
    percent(s.capturedSaving),
    decimal(s.violationMinutesPerWeek, 0),
    decimal(s.movesPerWeek, 2),
    decimal(s.thrashPerWeek, 3),
    `${s.prematureDemotions} of ${s.demotions}`,
  ]
}

const VOLUME_HEADER = ['volume', 'GiB', 'cost', 'all-hot', 'optimum', 'tiers']

function volumeCells(report: Report) {
  const name = (tier: number) => report.setting.tiers[tier]?.name ?? '?'
  return ({ load, score, references, moves }: VolumeReport): readonly string[] => [
    load.id,
    decimal(load.sizeGiB, 0),
    decimal(score.cost, 2),
    decimal(references.allHot, 2),
    decimal(references.optimum, 2),
    [name(startOf(report.setting, load)), ...moves.map((m) => name(m.to))].join(' > '),
  ]
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [header, ...rows]
  const widths = header.map((_, i) => Math.max(...all.map((row) => row[i]?.length ?? 0)))
  return all
    .map((row) =>
      row
        .map((cell, i) =>
          i === 0 || i === 11 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
