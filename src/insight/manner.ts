import type { Strategy } from '../api/storage-policy.ts'

/** How a move is done, for those who have to agree to it. */
export type Manner = {
  readonly strategy: Strategy
  /** The former volume is kept for a while, and a rollback needs no other move. */
  readonly reversible: boolean
}

export function mannerOf(strategy: Strategy): Manner {
  return { strategy, reversible: strategy === 'snapshot-restore' }
}

const SENTENCES: Readonly<Record<Strategy, string>> = {
  'cinder-retype':
    'It moves by cinder-retype: Cinder copies the volume in its place, a Pod that comes meanwhile waits for the end, and undoing it is another move.',
  'snapshot-restore':
    'It moves by snapshot-restore: the claim gets a copy. A Pod that comes before the copy is finished keeps the volume; both volumes are paid for while the former one is kept, and until then `couchestor rollback` brings it back.',
  'cinder-transfer': 'It would move by cinder-transfer, which this version does not support.',
}

/** `isChosen`: the policy left the choice open. */
export function mannerText(strategy: Strategy, isChosen: boolean): string {
  const why =
    strategy === 'snapshot-restore'
      ? ' It was chosen because the volume has snapshots, which block a retype.'
      : ' It was chosen because nothing blocks a retype.'
  return SENTENCES[strategy] + (isChosen ? why : '')
}
