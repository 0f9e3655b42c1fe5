import { REPLACEMENTS, replacementRecord } from '../../api/tiering-checkpoint.ts'
import type { Clock } from '../../clock.ts'
import { RecordStore } from '../moving/record-store.ts'
import type { RecordClient } from '../moving/record-store.ts'
import type { RecordBook, ReplacementRecord } from '../moving/recorded-strategy.ts'
import { readRecord } from './read-record.ts'

const KIND = {
  policy: REPLACEMENTS,
  field: 'replacement',
  nameOf: replacementRecord,
  read: readRecord,
} as const

/** The records of moves that give a claim another volume. */
export class Records extends RecordStore<ReplacementRecord> implements RecordBook {
  constructor(
    client: RecordClient,
    fence: () => void,
    clock: Clock,
    onOpen?: (moveUid: string) => void,
  ) {
    super(KIND, client, fence, clock, onOpen)
  }

  ofClaim(uid: string): ReplacementRecord | undefined {
    return this.all().find(({ saved: { origin } }) => origin.claim.uid === uid)
  }

  /** All of claims that have, or had, that name: `namespace/name`. */
  ofName(key: string): readonly ReplacementRecord[] {
    return this.all().filter(({ saved: { origin } }) => {
      const { namespace, name } = origin.claim
      return `${namespace}/${name}` === key
    })
  }
}
