import { wrapped } from './help.ts'

export type Column<T> = {
  readonly title: string
  readonly of: (row: T) => string
  readonly right?: true
}

const GAP = '  '
/** The last column keeps this much, even where the line gets wider than the screen. */
const LEAST_OF_LAST = 20

/**
 * Rows under their titles, each column as wide as its widest cell. Ends with a line feed; empty for no rows. With
 * `width` the last column is cut, with an ellipsis, so that a row is one line on the screen; or it goes on below itself.
 */
export function table<T>(
  columns: readonly Column<T>[],
  rows: readonly T[],
  width = Infinity,
  long: 'cut' | 'wrap' = 'cut',
): string {
  if (rows.length === 0) return ''
  const cells = rows.map((row) => columns.map((c) => printable(c.of(row))))
  const widths = columns.map((c, i) =>
    cells.reduce((most, line) => Math.max(most, (line[i] ?? '').length), c.title.length),
  )
  const before = widths.slice(0, -1).reduce((sum, w) => sum + w + GAP.length, 0)
  const room = Math.max(LEAST_OF_LAST, width - before)
  const line = (texts: readonly string[]) =>
    texts
      .map((text, i) =>
        columns[i]?.right ? text.padStart(widths[i] ?? 0) : text.padEnd(widths[i] ?? 0),
      )
      .join(GAP)
      .trimEnd()
  const lines = (texts: readonly string[]) => {
    const last = texts.at(-1) ?? ''
    const [first = '', ...rest] =
      long === 'wrap' && room < Infinity ? wrapped(last, room) : [cut(last, room)]
    return [line([...texts.slice(0, -1), first]), ...rest.map((text) => ' '.repeat(before) + text)]
  }
  return `${[columns.map((c) => c.title), ...cells].flatMap(lines).join('\n')}\n`
}

/** A cell or a line may hold text from anyone: it must not begin one of its own, move the cursor or turn itself around. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\u2028-\u202e\u2066-\u2069]/gu, '\ufffd')
}

function cut(text: string, room: number): string {
  return text.length <= room ? text : `${text.slice(0, room - 1)}…`
}
