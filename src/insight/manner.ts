import type { Strategy } from '../api/storage-policy.ts'
import { keptText } from '../policy/kept-copies.ts'
import type { Kept } from '../policy/kept-copies.ts'

/** How a move is done, for those who have to agree to it. */
export type Manner = {
  readonly strategy: Strategy
  /** The former volume is kept for a while, and a rollback needs no other move. */
  readonly reversible: boolean
  /** A workload is stopped for the move, or a Pod that starts meanwhile waits until Cinder has finished. */
  readonly disruptive: boolean
  /** What the former volume costs a day while it is kept; 0 where none is. */
  readonly keptPerDay: number
}

export function mannerOf(
  strategy: Strategy,
  {
    disruptive,
    kept,
  }: { readonly disruptive: boolean; readonly kept?: Pick<Kept, 'perDay'> | undefined },
): Manner {
  const reversible = strategy === 'snapshot-restore'
  return { strategy, reversible, disruptive, keptPerDay: reversible ? (kept?.perDay ?? 0) : 0 }
}

const SENTENCES: Readonly<Record<Strategy, string>> = {
  'cinder-retype':
    'It moves by cinder-retype: Cinder moves the volume in its place, and undoing it is another move.',
  'snapshot-restore':
    'It moves by snapshot-restore: the claim gets a copy. A Pod that comes before the copy is finished keeps the volume, and as long as the former volume is kept `couchestor rollback` brings it back.',
  'cinder-transfer': 'It would move by cinder-transfer, which this version does not support.',
}

type Described = { readonly strategy: Strategy; readonly because?: string; readonly kept?: Kept }

/** `because`: the policy left the choice open. */
export function mannerText({ strategy, because, kept }: Described, disruptive: boolean): string {
  const parts = [
    SENTENCES[strategy],
    ...(because === undefined ? [] : [`It was chosen because ${because}.`]),
    ...(kept === undefined ? [] : [`${capital(keptText(kept))}.`]),
    disruptive
      ? 'It is disruptive: a workload is stopped for it, or a Pod that starts meanwhile waits until Cinder has finished.'
      : 'It is not disruptive: no workload is stopped, and no Pod waits for Cinder.',
  ]
  return parts.join(' ')
}

/** What a plan says of a copy that nobody named; empty where there is nothing to say. */
export function chosenText({ strategy, because, kept }: Described): string {
  if (strategy !== 'snapshot-restore' || because === undefined || kept === undefined) return ''
  return `; by a copy, because ${because}: ${keptText(kept)}`
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
