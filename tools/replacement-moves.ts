import type { MoveReason } from '../src/api/reasons.ts'
import { REPLACEMENT_STEPS } from '../src/api/volume-migration.ts'
import { CINDER_DRIVER } from '../src/api/names.ts'
import { shownOf } from '../src/controller/replacing/shown.ts'
import { explore } from '../src/migration/explore.fixture.ts'
import { nextReplaceStep } from '../src/migration/snapshot-restore/machine.ts'
import type { ReplaceInput } from '../src/migration/snapshot-restore/outcome.ts'
import type { Phase } from '../src/migration/snapshot-restore/saved.ts'
import { events } from '../src/migration/snapshot-restore/state-space.fixture.ts'
import type { Machine } from '../src/migration/snapshot-restore/state-space.fixture.ts'
import { isFinished, WORLDS } from '../src/migration/snapshot-restore/world.fixture.ts'

export type ReplacementTransition = {
  readonly from: 'Waiting' | Phase
  readonly to: Phase
  readonly reason: MoveReason
}

/** Each trouble once, by either reclaim policy: the larger worlds put the same arrows together in other ways. */
const SMALL = WORLDS.slice(0, 2)

const TO_THE_END = [
  ['GivingBack', 'CleaningUp'],
  ['CleaningUp', 'Failed'],
] as const

/** Each change of the phase that the machine makes in a state that the search reaches, or close to one. */
export function replacementTransitions(): readonly ReplacementTransition[] {
  const found = new Map<string, ReplacementTransition>()
  const recording: Machine = (input) => {
    for (const asked of variants(input)) note(asked)
    return nextReplaceStep(input)
  }
  const note = (input: ReplaceInput) => {
    const from = input.saved.phase
    const next = nextReplaceStep(input)
    if (next.kind !== 'save' || next.saved.phase === from) return
    const { step, reason } = shownOf(next.saved)
    const to = next.saved.phase
    if (step !== to) throw new Error(`phase ${to} is shown as ${step}`)
    found.set(`${from} ${to} ${reason}`, { from, to, reason: reason as MoveReason })
  }
  for (const world of SMALL)
    explore(
      world,
      (at) => events(recording, at),
      () => undefined,
      isFinished,
    )
  // why it is given back stays until the end
  const given = [...found.values()].filter(({ to }) => to === 'GivingBack')
  for (const { reason } of given)
    for (const [from, to] of TO_THE_END) found.set(`${from} ${to} ${reason}`, { from, to, reason })
  // the record is saved by the start of the move
  const first = { from: 'Waiting', to: 'Holding', reason: 'Holding' } as const
  return [first, ...[...found.values()].toSorted((a, b) => order(a) - order(b) || byName(a, b))]
}

/** What the search leaves out: as the state that it has reached, but for one thing. */
function* variants(input: ReplaceInput): Generator<ReplaceInput> {
  yield input
  yield { ...input, clusterId: 'elsewhere' }
  yield { ...input, timing: { ...input.timing, mostAttempts: 1 } }
  if (input.wish === 'cancel') yield { ...input, wish: 'yield' }
  const { answer } = input.saved
  if (answer?.kind === 'Rejected')
    yield { ...input, saved: { ...input.saved, answer: { ...answer, quota: true } } }
  const { sight } = input
  if (sight === undefined) return
  const { kube, cinder } = sight
  if (kube.kind === 'Seen') {
    yield { ...input, sight: { ...sight, kube: { ...kube, pv: undefined } } }
    const pv = kube.pv && { ...kube.pv, changed: true as const }
    yield { ...input, sight: { ...sight, kube: { ...kube, pv } } }
    const late = pv && { ...pv, driver: CINDER_DRIVER, handle: 'copy' }
    yield { ...input, sight: { ...sight, kube: { ...kube, pv: late } } }
  }
  if (cinder.kind !== 'Seen') return
  for (const change of COPIES) {
    const copies = cinder.copies.map((copy) => ({ ...copy, ...change }))
    yield { ...input, sight: { ...sight, cinder: { ...cinder, copies } } }
  }
  const journal = input.saved.journal.map((e) => ({ ...e, state: 'Gone' as const }))
  const gone = { ...cinder, copies: [], snapshots: [] }
  yield { ...input, saved: { ...input.saved, journal }, sight: { ...sight, cinder: gone } }
}

/** A copy that is not like the volume, one that was changed, and one that is another. */
const COPIES = [{ sizeGiB: 2 }, { updatedAt: 'since' }, { id: 'other' }] as const

function order({ from }: ReplacementTransition): number {
  return REPLACEMENT_STEPS.findIndex((p) => p === from)
}

function byName(a: ReplacementTransition, b: ReplacementTransition): number {
  const [x, y] = [`${a.to} ${a.reason}`, `${b.to} ${b.reason}`]
  return x < y ? -1 : Number(x > y)
}
