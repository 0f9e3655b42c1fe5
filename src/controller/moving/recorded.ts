import { unwritten } from '../../blockers/unwritten.ts'
import { messageOf } from '../../errors.ts'
import type { Refusal } from './admission.ts'
import { MOVES_IN_FLIGHT } from '../../api/tiering-checkpoint.ts'
import type { Ledger, LedgerEntry } from './ledger.ts'
import { isRefusal } from './refusals.ts'

/** Puts a move into the ledger; resolves to why the API server does not take it. */
export async function recorded(ledger: Ledger, entry: LedgerEntry): Promise<Refusal | undefined> {
  try {
    await ledger.put(entry)
    return undefined
  } catch (e) {
    if (!isRefusal(e)) throw e
    return unwritten({ object: `TieringCheckpoint ${MOVES_IN_FLIGHT}`, why: messageOf(e) })
  }
}
