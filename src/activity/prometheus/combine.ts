import type { VolumeActivity } from '../types.ts'
import type { VectorItem } from './answer.ts'
import type { Identity } from './identity.ts'

/** The answers to the four questions of a window. */
export type Quantities<T> = {
  readonly operations: T
  readonly bytes: T
  readonly readSamples: T
  readonly writeSamples: T
}
export const QUANTITIES = ['operations', 'bytes', 'readSamples', 'writeSamples'] as const
export type Quantity = (typeof QUANTITIES)[number]

/** A volume's numbers before the scrape interval is known; `label` is the volume as the series name it. */
export type RawActivity = {
  readonly label: string
  readonly operationsPerSecond: number
  readonly bytesPerSecond: number
  readonly samples: number
}

export type Combined = {
  readonly volumes: ReadonlyMap<string, RawActivity>
  readonly warnings: readonly string[]
}

type Faults = Record<
  'duplicate' | 'unusable' | 'ambiguous' | 'unmapped' | 'unlabelled' | 'incomplete',
  Set<string>
>

const FAULT_TEXT: Record<keyof Faults, string> = {
  duplicate: 'with more than one series after grouping',
  unusable: 'with a value that is not a number from 0 on',
  ambiguous: 'whose 20-character serial fits several volumes',
  unmapped: 'with a 20-character serial and no list of volumes to complete it',
  unlabelled: 'without the label that names the volume',
  incomplete: 'missing in one of the four answers',
}

/**
 * Joins the four answers by volume id. A volume that is doubtful in one of them has no data at all, and a
 * warning names it: a number that is half right would look like an idle or a busy volume.
 */
export function combine(
  answers: Quantities<readonly VectorItem[]>,
  label: string,
  identify: (label: string) => Identity,
): Combined {
  const faults: Faults = {
    duplicate: new Set(),
    unusable: new Set(),
    ambiguous: new Set(),
    unmapped: new Set(),
    unlabelled: new Set(),
    incomplete: new Set(),
  }
  const names = new Map<string, string>()
  const numbers = (quantity: Quantity) =>
    numbersOf(answers[quantity], quantity, label, identify, faults, names)
  const operations = numbers('operations')
  const bytes = numbers('bytes')
  const reads = numbers('readSamples')
  const writes = numbers('writeSamples')
  const bad = (id: string) => faults.duplicate.has(id) || faults.unusable.has(id)
  const volumes = new Map<string, RawActivity>()
  for (const id of names.keys()) {
    if (bad(id)) continue
    const ops = operations.get(id)
    const size = bytes.get(id)
    const read = reads.get(id)
    const written = writes.get(id)
    if (ops === undefined || size === undefined || read === undefined || written === undefined) {
      faults.incomplete.add(id)
      continue
    }
    volumes.set(id, {
      label: names.get(id)!,
      operationsPerSecond: ops,
      bytesPerSecond: size,
      samples: Math.min(read, written),
    })
  }
  return { volumes, warnings: warningsOf(faults) }
}

function numbersOf(
  items: readonly VectorItem[],
  quantity: Quantity,
  label: string,
  identify: (label: string) => Identity,
  faults: Faults,
  names: Map<string, string>,
): Map<string, number> {
  const numbers = new Map<string, number>()
  for (const { labels, value } of items) {
    const name = labels[label]
    if (name === undefined || name === '') {
      faults.unlabelled.add(quantity)
      continue
    }
    const identity = identify(name)
    if (identity.kind === 'Ambiguous') faults.ambiguous.add(name)
    if (identity.kind === 'Unknown') faults.unmapped.add(name)
    if (identity.kind !== 'Volume') continue
    const { id } = identity
    names.set(id, name)
    if (numbers.has(id)) faults.duplicate.add(id)
    if (!Number.isFinite(value) || value < 0) faults.unusable.add(id)
    numbers.set(id, value)
  }
  return numbers
}

/** One line per kind of fault, with a few examples: a fleet-wide fault must not become a fleet of lines. */
function warningsOf(faults: Faults): string[] {
  return Object.entries(FAULT_TEXT).flatMap(([fault, text]) => {
    const found = [...faults[fault as keyof Faults]]
    if (found.length === 0) return []
    const shown = found.slice(0, 3).join(', ') + (found.length > 3 ? ', …' : '')
    if (fault === 'unlabelled') return [`series ${text} in ${shown}: left out`]
    return [
      `${found.length} volume${found.length === 1 ? '' : 's'} ${text} (${shown}): no data for them`,
    ]
  })
}

/** Coverage = samples seen of the samples the window should hold, at most 100 %. */
export function withCoverage(
  volumes: ReadonlyMap<string, RawActivity>,
  expectedSamples: number,
): Map<string, VolumeActivity> {
  const measured = new Map<string, VolumeActivity>()
  for (const [id, raw] of volumes)
    measured.set(id, {
      operationsPerSecond: raw.operationsPerSecond,
      bytesPerSecond: raw.bytesPerSecond,
      coveragePercent: Math.min(100, (100 * raw.samples) / expectedSamples),
    })
  return measured
}
