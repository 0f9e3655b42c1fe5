const NOISE = 1e-9
const SMALLEST_SHOWN = 0.005

/** Money for people: two decimals, more only where it would read as nothing. */
export function money(amount: number): string {
  const size = Math.abs(amount)
  if (size < NOISE) return '0.00'
  return size < SMALLEST_SHOWN ? Number(amount.toPrecision(2)).toString() : amount.toFixed(2)
}
