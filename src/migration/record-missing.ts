import type { Goto } from './strategy.ts'

/** What comes next of a move whose record is gone: hands off, for nobody knows what has been done. */
export function recordMissing(name: string): Goto {
  const message = `TieringCheckpoint ${name}, by which the move goes, is gone or cannot be read: check the claim and its PersistentVolume (docs/runbooks/claim-lost.md)`
  return { kind: 'goto', step: 'Stuck', reason: 'RecordMissing', message }
}
