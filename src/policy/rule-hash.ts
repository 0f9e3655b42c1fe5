import type { RuleConstants, Tier } from './types.ts'

/** Sizes at which the limits are compared: limits are piecewise linear, so that powers of two distinguish them. */
const PROBES_GIB = Array.from({ length: 21 }, (_, i) => 2 ** i)

/**
 * 16 hex digits that change when the numbers in a state would mean something else: other volume types, order,
 * prices, limits, demand unit, or one of the constants that shape the accumulated cost. Thresholds of the decision
 * may change freely, since what was seen stays true. The first half depends on what time without demand depends on: not
 * on prices, and not on how history fades.
 */
export function ruleHash(
  tiers: readonly Tier[],
  constants: RuleConstants,
  ioUnitKiB: number,
): string {
  const { rho, halfLifeHours, saturationShare, saturationFactor } = constants
  const quiet = [
    tiers.map((t) => [t.typeId, limits(t.limitIops), limits(t.capIops)]),
    [saturationShare, saturationFactor, ioUnitKiB],
  ]
  const money = [tiers.map((t) => t.pricePerGiBMonth), [rho, halfLifeHours]]
  return hashOf(quiet, 0x811c9dc5) + hashOf([quiet, money], 0x2c1b3c6d)
}

function hashOf(what: unknown, seed: number): string {
  return hex(fnv1a(new TextEncoder().encode(JSON.stringify(what)), seed))
}

/** Infinity as text, because JSON has none. */
function limits(limit: ((sizeGiB: number) => number) | undefined): readonly string[] {
  return limit ? PROBES_GIB.map((size) => String(limit(size))) : []
}

function hex(n: number): string {
  return n.toString(16).padStart(8, '0')
}

/** 32-bit FNV-1a: finds accidents, not attacks. */
export function fnv1a(bytes: Uint8Array, seed: number): number {
  let hash = seed
  for (let i = 0; i < bytes.length; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193)
  return hash >>> 0
}
