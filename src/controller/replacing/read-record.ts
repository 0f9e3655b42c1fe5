import * as z from 'zod'
import type { TieringCheckpoint } from '../../api/tiering-checkpoint.ts'
import type { ReplacementRecord } from '../moving/recorded-strategy.ts'

export type ReadRecord =
  | { readonly ok: true; readonly record: ReplacementRecord }
  | { readonly ok: false; readonly why: string }

const Move = z.looseObject({
  namespace: z.string().min(1),
  name: z.string().min(1),
  uid: z.string().min(1),
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
const Saved = z.looseObject({
  phase: z.string(),
  origin: z.looseObject({}),
  journal: z.array(z.looseObject({})),
  deadline: z.number(),
})
const Record = z.object({ move: Move, intent: Intent, epoch: z.number(), saved: Saved })

/** What is read back is checked: people can edit it, and another version may have written it. */
export function readRecord({ spec }: TieringCheckpoint): ReadRecord {
  const read = Record.safeParse(spec.replacement)
  if (read.success) return { ok: true, record: read.data as unknown as ReplacementRecord }
  const [issue] = read.error.issues
  const path = ['spec', 'replacement', ...(issue?.path ?? [])].join('.')
  return { ok: false, why: `${path}: ${issue?.message ?? 'cannot be read'}` }
}
