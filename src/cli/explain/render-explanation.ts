import { durationText, iopsText } from '../../policy/numbers-text.ts'
import { wrapped } from '../help.ts'
import { money } from '../../insight/money.ts'
import { table } from '../table.ts'
import { chart } from './chart.ts'
import type { Explanation, LastMove, TierCost } from '../../insight/explain/explanation.ts'
import type { GuardLine } from '../../insight/explain/guard-lines.ts'

/** The explanation as a page; with `columns` no sentence is wider than the screen. */
export function renderExplanation(e: Explanation, columns?: number): string {
  const fit = (text: string) => (columns === undefined ? text : wrapped(text, columns).join('\n'))
  const parts = [
    fit(e.sentence),
    fit(
      [
        `Claim ${e.namespace}/${e.claim}`,
        e.policy && `policy ${e.policy}`,
        e.tier && `tier ${e.tier}`,
        e.volumeId && `volume ${e.volumeId}`,
      ]
        .filter(Boolean)
        .join(', '),
    ),
    e.notes.map((note) => fit(`Note: ${note}`)).join('\n'),
    fit(usage(e)),
    usageChart(e, columns),
    e.costs.length === 0
      ? ''
      : `Per month on each tier, at the rate of the discounted history:\n${costs(e)}`,
    e.guards.length === 0
      ? ''
      : `Guards, in the order in which they were checked:\n${guards(e.guards, columns)}`,
    e.wouldChange.length === 0
      ? ''
      : `What would change it:\n${e.wouldChange.map((w) => indented(wrapped(w, (columns ?? Infinity) - INDENT.length).join('\n'))).join('\n')}`,
    e.openMove === null ? '' : `Under way:\n${moves([e.openMove])}`,
    e.lastMoves.length === 0 ? '' : `Last moves:\n${moves(e.lastMoves)}`,
  ]
  return `${parts.filter((p) => p !== '').join('\n\n')}\n`
}

function usage({ usage: u }: Explanation): string {
  if (u === null) return ''
  const when = `in the ${durationText(u.windowSeconds)} up to ${u.windowEnd.slice(0, 16).replace('T', ' ')} UTC`
  if (u.operationsPerSecond === null || u.bytesPerSecond === null || u.coveragePercent === null)
    return `Usage by ${u.source} ${when}: no numbers (${u.why})`
  const kib = iopsText(u.bytesPerSecond / 1024)
  return `Usage by ${u.source} ${when}: ${iopsText(u.operationsPerSecond)} operations and ${kib} KiB per second, ${Math.floor(u.coveragePercent)} % covered`
}

function usageChart({ history, levels }: Explanation, columns?: number): string {
  if (history.every((p) => p.iops === undefined)) return ''
  return `Operations per second:\n${chart(history, levels, columns)}`
}

const INDENT = '  '

function indented(text: string): string {
  return text.trimEnd().replaceAll(/^/gm, INDENT)
}

function costs(e: Explanation): string {
  return indented(
    table<TierCost>(
      [
        { title: 'TIER', of: (c) => `${c.tier}${mark(c.tier, e)}` },
        {
          title: 'SERVES',
          of: (c) => (c.serves === null ? 'all' : iopsText(c.serves)),
          right: true,
        },
        { title: 'STORAGE', of: (c) => money(c.storage), right: true },
        { title: 'THROTTLING', of: (c) => known(c.throttling), right: true },
        { title: 'TOTAL', of: (c) => known(c.total), right: true },
      ],
      e.costs,
    ),
  )
}

function mark(tier: string, { tier: here, wants }: Explanation): string {
  return tier === here ? ' (now)' : tier === wants ? ' (wanted)' : ''
}

function known(amount: number | null): string {
  return amount === null ? '' : money(amount)
}

function guards(lines: readonly GuardLine[], columns = Infinity): string {
  const first = lines.find((l) => l.answer === 'hold')
  return indented(
    table<GuardLine>(
      [
        { title: 'GUARD', of: (l) => l.guard },
        { title: 'ANSWER', of: (l) => (l === first ? 'HOLD' : l.answer) },
        {
          title: 'WHAT IT SAW',
          of: (l) => (l.reason === '' ? l.message : `${l.reason}: ${l.message}`),
        },
      ],
      lines,
      columns - INDENT.length,
      'wrap',
    ),
  )
}

function moves(list: readonly LastMove[]): string {
  return indented(
    table<LastMove>(
      [
        { title: 'WHEN', of: (m) => m.at },
        { title: 'FROM', of: (m) => m.from },
        { title: 'TO', of: (m) => m.to },
        {
          title: 'ASKED BY',
          of: (m) => (m.approvedBy === '' ? m.asked : `${m.asked}, approved by ${m.approvedBy}`),
        },
        { title: 'STEP', of: (m) => m.step },
        { title: 'REASON', of: (m) => m.reason },
        { title: 'MIGRATION', of: (m) => m.name },
      ],
      list,
    ),
  )
}
