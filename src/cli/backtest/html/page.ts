import { decimal, percent } from '../numbers.ts'
import { volumesThatMatter } from '../report.ts'
import type { Report, Row } from '../report.ts'
import { costChart } from './cost-chart.ts'
import { escapeHtml } from './escape.ts'
import { STYLE } from './style.ts'
import { tierLegend, timelineChart } from './timeline-chart.ts'
import { volumeChart } from './volume-chart.ts'

const MOST_CHARTS = 8
const MOST_TIMELINES = 60

/** The report as one HTML page that needs nothing from anywhere: no script, no font, no request. */
export function htmlReport(report: Report): string {
  const title = `Backtest: ${report.setting.name}`
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${escapeHtml(title)}</h1>
<p class="muted">${report.volumes.length} volumes, up to ${decimal(report.hours / 24, 1)} days, rule ${escapeHtml(report.ruleName)}${report.setting.censored ? ', seeing only what each tier lets through' : ''}</p>
${report.notices.map((n) => `<p class="muted">${escapeHtml(n)}</p>`).join('')}
${tiles(report)}
<section><h2>Where money was won and lost</h2><p class="muted">Cumulative cost above the exact optimum, which only hindsight knows. Lower is better.</p>${costChart(report)}</section>
<section><h2>What each plan would have cost</h2><div class="scroll">${planTable(report.rows)}</div><p class="muted">Cost is storage, plus what throttled hours are worth, plus the price of moves. Per week means per volume and week.</p></section>
${guardSection(report.guards)}
${timelineSection(report)}
<section><h2>The volumes that matter most</h2><p class="muted">Peak I/O operations per second (logarithmic) over days; the bar below shows the tier.</p>${tierLegend(report.setting.tiers.map((t) => t.name))}<div class="volumes">${volumeCards(report)}</div></section>
</main>
</body>
</html>
`
}

function tiles(report: Report): string {
  const s = report.rows[0]?.summary
  if (s === undefined) return ''
  const entries = [
    [percent((s.allHot - s.cost) / s.allHot), 'less than all on the fastest tier'],
    [percent((s.stay - s.cost) / s.stay), 'less than never moving'],
    [percent(s.ratio - 1), 'above the exact optimum'],
    [decimal(s.movesPerWeek, 2), 'moves per volume and week'],
    [decimal(s.violationMinutesPerWeek, 0), 'throttled minutes per volume and week'],
  ]
  return `<div class="tiles">${entries.map(([value, what]) => `<div class="tile"><b>${value}</b><span class="muted">${what}</span></div>`).join('')}</div>`
}

const COLUMNS: readonly (readonly [string, (row: Row) => string])[] = [
  ['plan', (r) => escapeHtml(r.name)],
  ['cost', (r) => decimal(r.summary.cost, 2)],
  ['storage', (r) => decimal(r.summary.storage, 2)],
  ['throttled', (r) => decimal(r.summary.throttled, 2)],
  ['moving', (r) => decimal(r.summary.moving, 2)],
  ['over optimum', (r) => decimal(r.summary.ratio, 3)],
  ['equal weight', (r) => decimal(r.summary.ratioEqualWeight, 3)],
  ['saving captured', (r) => percent(r.summary.capturedSaving)],
  ['violation min/week', (r) => decimal(r.summary.violationMinutesPerWeek, 0)],
  ['moves/week', (r) => decimal(r.summary.movesPerWeek, 2)],
  ['thrash/week', (r) => decimal(r.summary.thrashPerWeek, 3)],
  ['early demotions', (r) => `${r.summary.prematureDemotions} of ${r.summary.demotions}`],
]

function planTable(rows: readonly Row[]): string {
  const head = COLUMNS.map(([name]) => `<th>${name}</th>`).join('')
  const body = rows
    .map((row) => `<tr>${COLUMNS.map(([, cell]) => `<td>${cell(row)}</td>`).join('')}</tr>`)
    .join('')
  return `<table><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table>`
}

function guardSection(guards: readonly Row[]): string {
  if (guards.length === 0) return ''
  return `<section><h2>What the guards cost</h2><p class="muted">The same rule, held back by one guard at a time and by all.</p><div class="scroll">${planTable(guards)}</div></section>`
}

function timelineSection(report: Report): string {
  const moved = volumesThatMatter(report, report.volumes.length).filter((v) => v.moves.length > 0)
  if (moved.length === 0) return '<section><h2>Moves</h2><p>Nothing was moved.</p></section>'
  const shown = moved.slice(0, MOST_TIMELINES)
  const rest =
    moved.length > shown.length
      ? ` The ${shown.length} volumes that matter most of ${moved.length} that moved.`
      : ''
  return `<section><h2>Moves</h2><p class="muted">The tier of each volume that moved; a change of colour is a move.${rest}</p>${timelineChart(report, shown)}</section>`
}

function volumeCards(report: Report): string {
  return volumesThatMatter(report, MOST_CHARTS)
    .map(
      (v) =>
        `<div><b>${escapeHtml(v.load.id)}</b> <span class="muted">${decimal(v.load.sizeGiB, 0)} GiB, cost ${decimal(v.score.cost, 2)}, all-hot ${decimal(v.references.allHot, 2)}, optimum ${decimal(v.references.optimum, 2)}</span>${volumeChart(report, v)}</div>`,
    )
    .join('')
}
