/** `1,234.50`; the currency is the reader's. */
export function money(amount: number): string {
  return amount.toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 })
}

/** `08:30`, from the second day on `26:30`. */
export function timeOfDay(hours: number): string {
  const minutes = Math.max(0, Math.floor(hours * 60))
  return `${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`
}

/** `2 h 05 min`, `2 h`, `40 min`. */
export function lasting(ms: number): string {
  const minutes = Math.max(0, Math.round(ms / 60_000))
  if (minutes < 60) return `${minutes} min`
  const hours = `${Math.floor(minutes / 60)} h`
  return minutes % 60 === 0 ? hours : `${hours} ${two(minutes % 60)} min`
}

function two(value: number): string {
  return String(value).padStart(2, '0')
}
