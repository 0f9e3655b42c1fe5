import type { Level, Point } from '../../insight/explain/explanation.ts'
import { iopsText } from '../../policy/numbers-text.ts'

const HEIGHT = 8
const DEFAULT_COLUMNS = 80
const EIGHTHS = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█']
const GAP = '·'
const LINE = '┄'

/**
 * Usage over time as columns of blocks, the oldest on the left; gaps are dots on the ground line, never zeros. The top
 * is the lowest level that the usage stays below, so that an idle volume looks idle; where it exceeds all of them, the
 * most that there was. Levels inside are drawn as lines behind the columns, those above are named. No line is wider
 * than `columns`: neighbours are put together.
 */
export function chart(
  points: readonly Point[],
  levels: readonly Level[],
  columns = DEFAULT_COLUMNS,
): string {
  const used = Math.max(1, ...points.flatMap((p) => p.iops ?? []))
  const finite = levels.filter((l) => Number.isFinite(l.iops) && l.iops > 0)
  const above = finite.filter((l) => l.iops >= used).toSorted((a, b) => a.iops - b.iops)
  const most = above[0]?.iops ?? used
  const lines = new Map<number, Level[]>()
  for (const level of finite.filter((l) => l.iops <= most))
    lines.set(rowOf(level.iops, most), [...(lines.get(rowOf(level.iops, most)) ?? []), level])
  const labels = Array.from({ length: HEIGHT }, (_, row) => labelOf(row, most, lines.get(row)))
  const width = Math.max(...labels.map((l) => l.length))
  const shown = gathered(points, Math.max(1, columns - width - 2))
  const rows = labels.map((label, row) => {
    const cells = shown.map((p) => cellOf(p, row, most, lines.has(row)))
    return `${label.padStart(width)} │${cells.join('')}`
  })
  const ground = `${'0'.padStart(width)} └${'─'.repeat(shown.length)}`
  const higher = above.filter((l) => l.iops > most).map(named)
  return [
    ...rows,
    ground,
    `${' '.repeat(width + 2)}${daysUnder(shown, columns - width - 2)}`,
    ...(higher.length === 0 ? [] : [`${' '.repeat(width + 2)}above: ${higher.join(', ')}`]),
  ]
    .map((l) => l.trimEnd())
    .join('\n')
}

/** As many neighbours in one column as it takes: their mean, or a gap where none has numbers. */
function gathered(points: readonly Point[], room: number): readonly Point[] {
  const each = Math.max(1, Math.ceil(points.length / room))
  if (each === 1) return points
  return Array.from({ length: Math.ceil(points.length / each) }, (_, i) => {
    const group = points.slice(i * each, (i + 1) * each)
    const known = group.flatMap((p) => p.iops ?? [])
    return {
      endSeconds: group.at(-1)!.endSeconds,
      iops: known.length === 0 ? undefined : known.reduce((a, n) => a + n, 0) / known.length,
    }
  })
}

/** Row of a level, 0 = top. */
function rowOf(iops: number, most: number): number {
  return Math.min(HEIGHT - 1, Math.floor(HEIGHT - (HEIGHT * iops) / most))
}

function labelOf(row: number, most: number, levels: readonly Level[] | undefined): string {
  if (levels !== undefined) return levels.map(named).join(', ')
  return row === 0 ? iopsText(most) : row === HEIGHT / 2 ? iopsText(most / 2) : ''
}

function named({ name, iops }: Level): string {
  return `${name} ${iopsText(iops)}`
}

function cellOf({ iops }: Point, row: number, most: number, line: boolean): string {
  const ground = row === HEIGHT - 1
  if (iops === undefined) return ground ? GAP : line ? LINE : ' '
  const filled = (HEIGHT * iops) / most - (HEIGHT - 1 - row)
  const eighth = Math.min(8, Math.max(0, Math.round(filled * 8)))
  if (eighth === 0) return ground && iops > 0 ? '▁' : line ? LINE : ' '
  return EIGHTHS[eighth] ?? ' '
}

/** The date where a day (UTC) begins, as far as there is room. */
function daysUnder(points: readonly Point[], room: number): string {
  let text = ''
  let before = ''
  for (const [i, { endSeconds }] of points.entries()) {
    const day = new Date(endSeconds * 1000).toISOString().slice(5, 10)
    if (day !== before && text.length <= i && i + day.length <= room)
      text = `${text.padEnd(i)}${day} `
    before = day
  }
  return text
}
