/** `2 d 4 h`, `45 min`, `30 s`: the two largest units that matter. */
export function durationText(seconds: number): string {
  if (!Number.isFinite(seconds)) return 'an unknown time'
  const units = [
    ['d', 86_400],
    ['h', 3600],
    ['min', 60],
    ['s', 1],
  ] as const
  const whole = Math.max(0, Math.round(seconds))
  const first = units.findIndex(([, size]) => whole >= size)
  if (first < 0) return '0 s'
  let rest = whole
  const parts = units.slice(first, first + 2).map(([name, size]) => {
    const count = Math.floor(rest / size)
    rest -= count * size
    return { name, count }
  })
  return parts
    .filter((p) => p.count > 0)
    .map((p) => `${p.count} ${p.name}`)
    .join(' ')
}

/** `2 d 4 h ago`; a time that was never set is not fifty years ago. Seconds since the epoch. */
export function agoText(now: number, then: number): string {
  return then > 0 && Number.isFinite(then)
    ? `${durationText(now - then)} ago`
    : 'at an unknown time'
}

/** Two decimals, or three significant digits below one: leads of small volumes are fractions of a cent. */
export function moneyText(amount: number): string {
  const size = Math.abs(amount)
  return size === 0 || size >= 1 ? amount.toFixed(2) : Number(amount.toPrecision(3)).toString()
}

/** Operations per second: whole from 10 up, else one decimal. */
export function iopsText(iops: number): string {
  if (iops === Infinity) return 'unlimited'
  return iops >= 10 ? String(Math.round(iops)) : String(Number(iops.toFixed(1)))
}
