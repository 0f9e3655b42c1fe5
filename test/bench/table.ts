/** One line of the table; `ok` means that `measured` is not above `budget`. */
export type Line = {
  readonly what: string
  readonly measured: number
  readonly unit: string
  /** Left out where design.md gives none: listed for comparison only. */
  readonly budget?: number
}

/** Lines as aligned text: what, measured, budget, ratio, ok or over. */
export function table(lines: readonly Line[]): string {
  const rows = [['what', 'measured', 'budget', 'ratio', ''], ...lines.map(row)]
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((r) => r[i]!.length)))
  return rows
    .map((r) =>
      r.map((c, i) => (i === 0 ? c.padEnd(widths[i]!) : c.padStart(widths[i]!))).join('  '),
    )
    .join('\n')
}

function row({ what, measured, unit, budget }: Line): string[] {
  const shown = [what, `${digits(measured)} ${unit}`]
  if (budget === undefined) return [...shown, '', '', '']
  const verdict = measured <= budget ? 'ok' : 'over'
  return [...shown, `${budget} ${unit}`, (measured / budget).toFixed(2), verdict]
}

function digits(n: number): string {
  return Number.isFinite(n) && Math.abs(n) < 10 ? String(Number(n.toPrecision(2))) : n.toFixed(0)
}

/** The value below which `percent` of the numbers lie. */
export function percentile(numbers: readonly number[], percent: number): number {
  const sorted = numbers.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.ceil((percent / 100) * sorted.length) - 1)] ?? NaN
}
