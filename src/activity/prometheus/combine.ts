import type { VolumeActivity } from '../types.ts'
import type { VectorItem } from './answer.ts'
import type { Identity } from './identity.ts'
import type { Turn } from './turns.ts'

/** The four questions of a window. */
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

/**
 * Joins the four answers by volume id. A volume that is doubtful in one of them has no data at all, and a
 * warning names it: a number that is half right would look like an idle or a busy volume.
 */
export type Combiner = {
  /** Takes an answer, or a part of one. */
  add(quantity: Quantity, items: readonly VectorItem[]): Promise<void>
  result(): Promise<Combined>
}

const FAULT_TEXT = {
  duplicate: 'with more than one series after grouping',
  unusable: 'with a value that is not a number from 0 on',
  ambiguous: 'whose 20-character serial fits several volumes',
  unmapped: 'with a 20-character serial and no list of volumes to complete it',
  unlabelled: 'without the label that names the volume',
  incomplete: 'missing in one of the four answers',
} as const
type Fault = keyof typeof FAULT_TEXT

type Entry = { readonly label: string; bad: boolean } & Partial<Record<Quantity, number>>
type State = {
  readonly label: string
  readonly identify: (label: string) => Identity
  readonly entries: Map<string, Entry>
  readonly faults: Record<Fault, Set<string>>
}

/** Volumes between two turns: about two milliseconds. */
const SLICE = 5_000

export function createCombiner(
  label: string,
  identify: (label: string) => Identity,
  turn: Turn,
): Combiner {
  const state: State = { label, identify, entries: new Map(), faults: noFaults() }
  return {
    add: async (quantity, items) => {
      for (let i = 0; i < items.length; i += 1) {
        if (i % SLICE === SLICE - 1) await turn()
        addItem(state, quantity, items[i]!)
      }
    },
    result: async () => {
      const volumes = new Map<string, RawActivity>()
      let seen = 0
      for (const [id, entry] of state.entries) {
        if ((seen += 1) % SLICE === 0) await turn()
        const raw = entry.bad ? undefined : rawOf(entry)
        if (raw !== undefined) volumes.set(id, raw)
        else if (!entry.bad) state.faults.incomplete.add(id)
      }
      return { volumes, warnings: warningsOf(state.faults) }
    },
  }
}

function addItem(state: State, quantity: Quantity, { labels, value }: VectorItem): void {
  const { faults, entries } = state
  const label = labels[state.label]
  if (label === undefined || label === '') return void faults.unlabelled.add(quantity)
  const identity = state.identify(label)
  if (identity.kind === 'Ambiguous') faults.ambiguous.add(label)
  if (identity.kind === 'Unknown') faults.unmapped.add(label)
  if (identity.kind !== 'Volume') return
  const entry = entries.get(identity.id) ?? { label, bad: false }
  entries.set(identity.id, entry)
  const fault = faultOf(entry, quantity, value)
  if (fault !== undefined) {
    entry.bad = true
    faults[fault].add(identity.id)
  }
  entry[quantity] = value
}

function faultOf(entry: Entry, quantity: Quantity, value: number): Fault | undefined {
  if (entry[quantity] !== undefined) return 'duplicate'
  return Number.isFinite(value) && value >= 0 ? undefined : 'unusable'
}

function rawOf({
  label,
  operations,
  bytes,
  readSamples,
  writeSamples,
}: Entry): RawActivity | undefined {
  if (operations === undefined || bytes === undefined) return undefined
  if (readSamples === undefined || writeSamples === undefined) return undefined
  const samples = Math.min(readSamples, writeSamples)
  return { label, operationsPerSecond: operations, bytesPerSecond: bytes, samples }
}

function noFaults(): Record<Fault, Set<string>> {
  return {
    duplicate: new Set(),
    unusable: new Set(),
    ambiguous: new Set(),
    unmapped: new Set(),
    unlabelled: new Set(),
    incomplete: new Set(),
  }
}

/** One line per kind of fault, with a few examples: a fleet-wide fault must not become a fleet of lines. */
function warningsOf(faults: Record<Fault, Set<string>>): string[] {
  return Object.entries(FAULT_TEXT).flatMap(([fault, text]) => {
    const found = [...faults[fault as Fault]]
    if (found.length === 0) return []
    const shown = found.slice(0, 3).join(', ') + (found.length > 3 ? ', …' : '')
    if (fault === 'unlabelled') return [`series ${text} in ${shown}: left out`]
    const noun = found.length === 1 ? 'volume' : 'volumes'
    return [`${found.length} ${noun} ${text} (${shown}): no data for them`]
  })
}

/** Coverage = samples seen of the samples the window should hold, at most 100 %. */
export async function withCoverage(
  volumes: ReadonlyMap<string, RawActivity>,
  expectedSamples: number,
  turn: Turn,
): Promise<Map<string, VolumeActivity>> {
  const measured = new Map<string, VolumeActivity>()
  for (const [id, { operationsPerSecond, bytesPerSecond, samples }] of volumes) {
    if (measured.size % SLICE === SLICE - 1) await turn()
    measured.set(id, {
      operationsPerSecond,
      bytesPerSecond,
      coveragePercent: Math.min(100, (100 * samples) / expectedSamples),
    })
  }
  return measured
}
