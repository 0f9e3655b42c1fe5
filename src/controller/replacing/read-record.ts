import * as z from 'zod'
import type { TieringCheckpoint } from '../../api/tiering-checkpoint.ts'
import { parseSaved } from '../../migration/snapshot-restore/parse-saved.ts'
import type { ReadRecord } from '../moving/record-store.ts'
import type { ReplacementRecord } from '../moving/recorded-strategy.ts'

const Initiator = z.looseObject({ kind: z.enum(['controller', 'person']) })
const Move = z.looseObject({
  namespace: z.string().min(1),
  name: z.string().min(1),
  uid: z.string().min(1),
  initiator: Initiator,
  spec: z.looseObject({
    claim: z.looseObject({ name: z.string() }),
    to: z.string(),
    policy: z.string(),
  }),
})
const Intent = z.looseObject({
  attempt: z.number(),
  requestId: z.string(),
  clusterId: z.string(),
  objectUid: z.string(),
  epoch: z.number(),
  at: z.string(),
  deadline: z.string(),
  fromTypeId: z.string(),
  toTypeId: z.string(),
})
const Record = z.object({ move: Move, intent: Intent, epoch: z.number(), saved: z.unknown() })

/** What is read back is checked: people can edit it, and another version may have written it. */
export function readRecord({ spec }: TieringCheckpoint): ReadRecord<ReplacementRecord> {
  const read = Record.safeParse(spec.replacement)
  if (!read.success) {
    const [issue] = read.error.issues
    const path = ['spec', 'replacement', ...(issue?.path ?? [])].join('.')
    return { ok: false, why: `${path}: ${issue?.message ?? 'cannot be read'}` }
  }
  const parsed = parseSaved(read.data.saved)
  if (!parsed.ok) return { ok: false, why: `spec.replacement.saved: ${parsed.problems.join('; ')}` }
  const { move, intent, epoch } = read.data as unknown as ReplacementRecord
  const { moveUid, clusterId } = parsed.saved.origin
  if (moveUid !== move.uid || clusterId !== intent.clusterId)
    return {
      ok: false,
      why: 'spec.replacement.saved.origin is of another move than spec.replacement.move',
    }
  return { ok: true, record: { move, intent, epoch, saved: parsed.saved } }
}
