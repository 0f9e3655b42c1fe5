import * as z from 'zod'
import { CINDER_DRIVER } from '../../api/names.ts'
import { flag, integer, number, oneOf, text, time } from '../../api/fields.ts'
import { problemsOf } from '../../api/problems.ts'
import { entryOfIntent, isMaker } from './saved.ts'
import type { JournalEntry, Origin, ReplaceAct, Saved } from './saved.ts'

const MOST = Number.MAX_SAFE_INTEGER
const LONGEST_ID = 64

/** Ids become parts of paths and of names. */
const id = () =>
  z.custom<string>((v) => typeof v === 'string' && /^[\w.:-]{1,253}$/.test(v), {
    error: 'write an id of letters, digits and -',
  })
const string = () => z.string()
const strings = z.record(z.string(), z.string())
const ms = () => number(0, MOST)

/** Keys of a type, all of them: one that is not read here would be lost. */
type Shape<T> = Readonly<Record<keyof T, z.ZodType>>

const act = oneOf(
  'createSnapshot',
  'cloneVolume',
  'retype',
  'createBackup',
  'restoreBackup',
  'markVolume',
  'markTakenOver',
  'deleteBackup',
  'deleteSnapshot',
  'deleteVolume',
  'setReclaimPolicy',
  'deletePersistentVolume',
  'releasePersistentVolume',
  'createPersistentVolume',
  'deleteVolumeAttachment',
)

type ActShapes = {
  readonly [A in ReplaceAct['act']]: Shape<Omit<Extract<ReplaceAct, { readonly act: A }>, 'act'>>
}

const ACTS = {
  createSnapshot: {},
  cloneVolume: {},
  retype: { id: id(), updatedAt: text(64) },
  createBackup: {},
  restoreBackup: {},
  markVolume: { id: id() },
  markTakenOver: { id: id(), updatedAt: text(64) },
  deleteBackup: { id: id() },
  deleteSnapshot: { id: id() },
  deleteVolume: { id: id() },
  setReclaimPolicy: { uid: id(), policy: oneOf('Delete', 'Retain') },
  deletePersistentVolume: { uid: id() },
  releasePersistentVolume: {
    uid: id(),
    resourceVersion: text(LONGEST_ID),
    finalizers: z.array(text()),
    keep: z.array(text()),
  },
  createPersistentVolume: { shape: oneOf('original', 'held', 'copy') },
  deleteVolumeAttachment: { name: text(), uid: id() },
} as const satisfies ActShapes

/** Of an act that is not known only that is reported. */
const intent = z.looseObject({ act }).superRefine((raw, context) => {
  const parsed = z.strictObject({ act, ...ACTS[raw.act] }).safeParse(raw)
  for (const issue of parsed.error?.issues ?? []) context.addIssue({ ...issue })
})

const answer = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('Accepted'), id: id().optional() }),
  z.strictObject({
    kind: z.literal('Rejected'),
    httpStatus: integer(100, 599),
    message: string(),
    quota: flag().optional(),
    retryAfterMs: ms().optional(),
  }),
  z.strictObject({
    kind: z.literal('NotSent'),
    message: string(),
    unaudited: z.literal(true).optional(),
  }),
  z.strictObject({
    kind: z.literal('Unknown'),
    message: string(),
    retryAfterMs: ms().optional(),
  }),
])

const entry = z.strictObject({
  act,
  of: text().optional(),
  state: oneOf('Asked', 'Done', 'None', 'Gone'),
  attempts: integer(0, MOST),
  open: z.literal(true).optional(),
  requestId: text(),
  at: string(),
  name: text().optional(),
  id: id().optional(),
} satisfies Shape<JournalEntry>)

/** What the PersistentVolume is put back from; what is not named here goes back as it is. */
const manifest = z.looseObject({
  metadata: z.looseObject({
    name: text(),
    labels: strings.optional(),
    annotations: strings.optional(),
    ownerReferences: z.array(z.looseObject({})).optional(),
    finalizers: z.array(z.string()).optional(),
  }),
  spec: z.looseObject({
    persistentVolumeReclaimPolicy: z.string().optional(),
    claimRef: z.looseObject({ namespace: text(), name: text(), uid: id() }),
    csi: z.looseObject({ driver: text(), volumeHandle: id() }),
  }),
})

const origin = z.strictObject({
  strategy: oneOf('snapshot-restore'),
  clusterId: id(),
  projectId: id(),
  moveUid: id(),
  claim: z.strictObject({ namespace: text(), name: text(), uid: id() } satisfies Shape<
    Origin['claim']
  >),
  volume: z.strictObject({
    id: id(),
    typeId: id(),
    sizeGiB: number(0, MOST),
    availabilityZone: string(),
    bootable: flag(),
    encrypted: flag(),
    metadata: strings,
  } satisfies Shape<Origin['volume']>),
  toTypeId: id(),
  via: oneOf('backup').optional(),
  migrationPolicy: oneOf('never', 'on-demand'),
  manifest,
} satisfies Shape<Origin>)

const saved = z.strictObject({
  phase: oneOf(
    'Holding',
    'Copying',
    'Switching',
    'Soaking',
    'GivingBack',
    'CleaningUp',
    'Abandoning',
    'Succeeded',
    'Failed',
  ),
  origin,
  journal: z.array(entry),
  intent: intent.optional(),
  answer: answer.optional(),
  unclear: z.literal(true).optional(),
  deadline: ms(),
  sourceUpdatedAt: time().optional(),
  keeps: oneOf('original', 'copy').optional(),
  soak: z.strictObject({ since: ms(), mountedMs: ms(), mountedSince: ms().optional() }).optional(),
  restored: id().optional(),
  policy: oneOf('Delete', 'Retain').optional(),
  reason: oneOf(
    'ClaimNeeded',
    'Cancelled',
    'WorkloadFoughtBack',
    'RolledBack',
    'ClaimDeleted',
    'CopyVoid',
    'VolumeError',
    'Reverted',
    'Rejected',
    'QuotaExceeded',
    'OutcomeUnknown',
    'AttemptsExhausted',
    'DeadlinePassed',
    'Disappeared',
    'Unverified',
    'HeldVolumeGone',
    'ForeignIntent',
    'Verified',
  ).optional(),
  message: string().optional(),
} satisfies Shape<Saved>)

export type ParsedSaved =
  | { readonly ok: true; readonly saved: Saved }
  | { readonly ok: false; readonly problems: readonly string[] }

/**
 * What is saved of a replacement, as it came back from the API server. Strict: of a field that this version does not know,
 * or that is not as this version writes it, nothing may be concluded, and what is behind it could be lost. One line per
 * problem, with field, value and fix.
 */
export function parseSaved(value: unknown): ParsedSaved {
  const parsed = saved.safeParse(value)
  if (!parsed.success) return { ok: false, problems: problemsOf(parsed.error, value, newer) }
  const whole = parsed.data as unknown as Saved
  const problems = [...contradictions(whole)]
  return problems.length === 0 ? { ok: true, saved: whole } : { ok: false, problems }
}

function newer(path: readonly string[], key: string): string {
  return `${[...path, key].join('.')} is unknown: run the version of CoucheStor that wrote it, or a newer one`
}

const RESTORE = 'put back what CoucheStor wrote, from a backup of the cluster'

/** What fits its field, and not the rest. */
function* contradictions(whole: Saved): Generator<string> {
  const { origin: of, journal, intent: next } = whole
  const { claimRef, csi } = of.manifest.spec
  if (claimRef?.uid !== of.claim.uid)
    yield `origin.manifest.spec.claimRef.uid is "${claimRef?.uid}", and origin.claim.uid is "${of.claim.uid}": ${RESTORE}`
  if (csi?.volumeHandle !== of.volume.id || csi.driver !== CINDER_DRIVER)
    yield `origin.manifest.spec.csi is "${csi?.volumeHandle}" of ${csi?.driver}, and origin.volume.id is "${of.volume.id}" of ${CINDER_DRIVER}: ${RESTORE}`
  const keys = journal.map((e) => `${e.act} ${e.of ?? ''}`.trim())
  for (const [i, key] of keys.entries())
    if (keys.indexOf(key) < i) yield `journal[${i}] is a second entry of "${key}": ${RESTORE}`
  for (const [i, { act: made, state, id: madeId }] of journal.entries())
    if (isMaker(made) && state === 'Done' && madeId === undefined)
      yield `journal[${i}].id is missing: ${made} is Done; ${RESTORE}`
  if (next !== undefined && entryOfIntent(whole) === undefined)
    yield `intent.act is "${next.act}", which is not in journal: ${RESTORE}`
  if (next === undefined && whole.answer !== undefined)
    yield `answer is there without intent: ${RESTORE}`
}
