const DIGITS = 6

/**
 * The same document with numbers as people write them: sums of money leave 23.999999999999996, which is 24. Whole
 * numbers stay as they are.
 */
export function rounded<T>(value: T): T {
  if (typeof value === 'number')
    return (
      Number.isInteger(value) || !Number.isFinite(value) ? value : roundedNumber(value)
    ) as typeof value
  if (Array.isArray(value)) return value.map(rounded) as typeof value
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, rounded(v)])) as T
}

/** Six decimals, and six significant digits for what is smaller. */
function roundedNumber(value: number): number {
  return Number(Math.abs(value) < 1 ? value.toPrecision(DIGITS) : value.toFixed(DIGITS))
}
