import { UserError } from '../errors.ts'

const GIB = 1024n ** 3n

/** Factor of each suffix as a fraction, so that `100m` and `1n` stay exact. */
const FACTORS: Readonly<Record<string, readonly [bigint, bigint]>> = {
  n: [1n, 10n ** 9n],
  u: [1n, 10n ** 6n],
  m: [1n, 10n ** 3n],
  '': [1n, 1n],
  k: [10n ** 3n, 1n],
  M: [10n ** 6n, 1n],
  G: [10n ** 9n, 1n],
  T: [10n ** 12n, 1n],
  P: [10n ** 15n, 1n],
  E: [10n ** 18n, 1n],
  Ki: [1024n, 1n],
  Mi: [1024n ** 2n, 1n],
  Gi: [1024n ** 3n, 1n],
  Ti: [1024n ** 4n, 1n],
  Pi: [1024n ** 5n, 1n],
  Ei: [1024n ** 6n, 1n],
}

const QUANTITY = /^(\d{0,30})(?:\.(\d{0,30}))?(?:([numkMGTPE]|[KMGTPE]i)|[eE]([+-]?\d{1,2}))?$/

/**
 * Bytes of a Kubernetes quantity (`20Gi`, `1.5Gi`, `1e3`, `100m`), rounded up to a whole byte as the API server does.
 * Throws `UserError` for anything else, also for negative ones: a size below zero is a mistake everywhere we read one.
 * Grammar: Kubernetes API reference, "Quantity".
 */
export function parseQuantity(text: string): bigint {
  const match = QUANTITY.exec(text)
  const whole = match?.[1] ?? ''
  const decimals = match?.[2] ?? ''
  if (!match || whole + decimals === '')
    throw new UserError('QuantityInvalid', `"${text}" is no quantity`, {
      fix: 'write a number with Ki, Mi, Gi, Ti, Pi or Ei, for example 20Gi',
    })
  const [up, down] = scale(match[3], match[4])
  return ceilDivide(BigInt(whole + decimals) * up, down * 10n ** BigInt(decimals.length))
}

/** Whole GiB of a quantity, rounded up, as Cinder CSI sizes a volume. Throws `UserError` as `parseQuantity`. */
export function quantityToGiB(text: string): number {
  return Number(ceilDivide(parseQuantity(text), GIB))
}

function scale(
  suffix: string | undefined,
  exponent: string | undefined,
): readonly [bigint, bigint] {
  if (exponent === undefined) return FACTORS[suffix ?? '']!
  const power = Number(exponent)
  return power < 0 ? [1n, 10n ** BigInt(-power)] : [10n ** BigInt(power), 1n]
}

function ceilDivide(value: bigint, by: bigint): bigint {
  return (value + by - 1n) / by
}
