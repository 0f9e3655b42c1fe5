/** A number with that many decimals; a dash for what is none. */
export function decimal(value: number, digits: number): string {
  return Number.isFinite(value) ? value.toFixed(digits) : '-'
}

/** A share as a whole per cent, never a negative zero; a dash for what is none. */
export function percent(share: number): string {
  return Number.isFinite(share) ? `${Math.round(share * 100) || 0} %` : '-'
}
