/** Round steps for an axis from 0 to `most`: at most `count` of 1, 2 or 5 times a power of ten. */
export function ticks(most: number, count: number): readonly number[] {
  if (!(most > 0) || !Number.isFinite(most)) return [0]
  const rough = most / count
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = power * ([1, 2, 5, 10].find((f) => f * power >= rough) ?? 10)
  return Array.from({ length: Math.floor(most / step + 1e-9) + 1 }, (_, i) => i * step)
}

/** Days on which an axis over `hours` is marked: at most about ten. */
export function dayTicks(hours: number): readonly number[] {
  const days = hours / 24
  const step = [1, 2, 7, 14, 28].find((s) => days / s <= 10) ?? Math.ceil(days / 10)
  return Array.from({ length: Math.floor(days / step + 1e-9) + 1 }, (_, i) => i * step)
}

/** One decimal is enough for a screen, and keeps the file small and the same on every machine. */
export function px(value: number): string {
  return String(Math.round(value * 10) / 10)
}

/** A number as short as an axis needs it. */
export function short(value: number): string {
  if (value >= 10_000) return `${Math.round(value / 1000)}k`
  if (value >= 100 || Number.isInteger(value)) return String(Math.round(value))
  return String(Number(value.toPrecision(2)))
}
