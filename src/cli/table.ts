export type Column<T> = {
  readonly title: string
  readonly of: (row: T) => string
  readonly right?: true
}

const GAP = '  '

/** Rows under their titles, each column as wide as its widest cell. Ends with a line feed; empty for no rows. */
export function table<T>(columns: readonly Column<T>[], rows: readonly T[]): string {
  if (rows.length === 0) return ''
  const cells = rows.map((row) => columns.map((c) => c.of(row)))
  const widths = columns.map((c, i) =>
    cells.reduce((most, line) => Math.max(most, (line[i] ?? '').length), c.title.length),
  )
  const line = (texts: readonly string[]) =>
    texts
      .map((text, i) =>
        columns[i]?.right ? text.padStart(widths[i] ?? 0) : text.padEnd(widths[i] ?? 0),
      )
      .join(GAP)
      .trimEnd()
  return `${[columns.map((c) => c.title), ...cells].map(line).join('\n')}\n`
}
