import { iopsText } from '../../policy/numbers-text.ts'

/** One column: the mean of a stretch of time; undefined = no usage numbers. */
export type Point = {
  readonly endSeconds: number
  readonly iops: number | undefined
  readonly coveragePercent?: number
}

/** A level worth seeing, such as what the next tier serves. */
export type Level = { readonly name: string; readonly iops: number }

const HEIGHT = 8
const EIGHTHS = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█']
const GAP = '·'
const LINE = '┄'

/**
 * Usage over time as columns of blocks, the oldest on the left; gaps are dots on the ground line, never zeros. Levels
 * inside the picture are drawn as lines behind the columns, the others are only named.
 */
export function chart(points: readonly Point[], levels: readonly Level[]): string {
  const most = Math.max(1, ...points.flatMap((p) => p.iops ?? []))
  const lines = new Map(levels.map((l) => [rowOf(l.iops, most), l]))
  const labels = Array.from({ length: HEIGHT }, (_, row) => labelOf(row, most, lines.get(row)))
  const width = Math.max(...labels.map((l) => l.length))
  const rows = labels.map((label, row) => {
    const cells = points.map((p) => cellOf(p, row, most, lines.has(row)))
    return `${label.padStart(width)} │${cells.join('')}`
  })
  const ground = `${'0'.padStart(width)} └${'─'.repeat(points.length)}`
  return [...rows, ground, `${' '.repeat(width + 2)}${daysUnder(points)}`]
    .map((l) => l.trimEnd())
    .join('\n')
}

/** Row of a level, 0 = top; outside when it is above the picture. */
function rowOf(iops: number, most: number): number {
  return Math.floor(HEIGHT - (HEIGHT * iops) / most)
}

function labelOf(row: number, most: number, level: Level | undefined): string {
  if (level !== undefined) return `${level.name} ${iopsText(level.iops)}`
  return row === 0 ? iopsText(most) : row === HEIGHT / 2 ? iopsText(most / 2) : ''
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
function daysUnder(points: readonly Point[]): string {
  let text = ''
  let before = ''
  for (const [i, { endSeconds }] of points.entries()) {
    const day = new Date(endSeconds * 1000).toISOString().slice(5, 10)
    if (day !== before && text.length <= i) text = `${text.padEnd(i)}${day} `
    before = day
  }
  return text
}
