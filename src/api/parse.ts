import * as z from 'zod'
import { messageOf } from '../errors.ts'
import { flag, integer, number, oneOf, text, tierName, time } from './fields.ts'
import { POLICY_DEFAULTS, policySpec } from './policy-schema.ts'
import { problemsOf } from './problems.ts'
import { createSchedule } from './schedule.ts'
import type { StoragePolicy } from './storage-policy.ts'
import type { ReportedTask, TieringCheckpoint } from './tiering-checkpoint.ts'
import { STEPS } from './volume-migration.ts'
import type { Intent, VolumeMigration } from './volume-migration.ts'

const MINUTE = 60_000
const MOST = 1_000_000_000

const strings = z.record(z.string(), z.string())
const metadata = z.looseObject({
  name: text(),
  labels: strings.optional(),
  annotations: strings.optional(),
})
/** Ours to write; what an older version of us left there must not make the object unreadable. */
const status = z.looseObject({}).optional().catch(undefined)

const storagePolicy = z.looseObject({ metadata, spec: policySpec, status })

/** Numbers and texts that a move goes by. A status of ours that lacks one of them may be acted upon by nobody. */
const intent = z.looseObject({
  attempt: integer(0, MOST),
  requestId: z.string(),
  clusterId: z.string(),
  objectUid: z.string(),
  epoch: integer(0, Number.MAX_SAFE_INTEGER),
  at: z.string(),
  deadline: time(),
  fromTypeId: z.string(),
  toTypeId: z.string(),
  volumeUpdatedAt: z.string(),
  availabilityZone: z.string(),
  attached: flag(),
})

const moveStatus = z.looseObject({
  step: oneOf(...STEPS).optional(),
  volumeId: z.string().optional(),
  intent: intent.optional(),
  call: z.looseObject({ kind: oneOf('Accepted', 'Rejected', 'NotSent', 'Unknown') }).optional(),
})

const volumeMigration = z.looseObject({
  metadata,
  spec: z.looseObject({
    claim: z.looseObject({ name: text(), uid: text(64).optional() }),
    volume: z
      .looseObject({
        pv: text().optional(),
        id: text(64).optional(),
        sizeGiB: number(1, MOST).optional(),
      })
      .optional(),
    from: tierName().optional(),
    to: tierName(),
    // one that this version has no machine for is refused by name, and an unknown act of it is left alone
    strategy: z.string().optional(),
    via: oneOf('clone', 'backup').optional(),
    reason: oneOf('Policy', 'Forced', 'Manual').optional(),
    policy: text(),
    approved: flag().optional(),
    cancel: flag().optional(),
    rollback: flag().optional(),
  }),
  status: moveStatus.optional(),
})

const tieringCheckpoint = z.looseObject({
  metadata,
  spec: z.looseObject({
    policy: text(260),
    shard: integer(0, 9999),
    rule: text(128),
    windowEnd: text(64),
    volumes: integer(0, 1_000_000),
    data: z.string(),
  }),
})

const recorded = {
  namespace: z.string(),
  migration: z.string(),
  volumeId: z.string(),
  fromTypeId: z.string(),
  toTypeId: z.string(),
  at: z.string(),
}

const ledger = z.looseObject({
  metadata,
  spec: z.looseObject({
    inFlight: z.array(z.looseObject(recorded)).optional(),
    unexplained: z
      .array(z.looseObject({ ...recorded, uid: z.string(), policy: z.string() }))
      .optional(),
  }),
})

const taskReport = z.object({
  spec: z.object({
    windowEnd: z.string(),
    // an older CustomResourceDefinition drops them
    tasks: z
      .array(
        z.object({
          name: z.string(),
          every: z.string(),
          runningSince: z.string().optional(),
          lastRun: z.string().optional(),
          durationMs: z.number().optional(),
          lastSuccess: z.string().optional(),
          failures: z.number(),
          lastError: z.string().optional(),
          nextRun: z.string().optional(),
        }),
      )
      .optional(),
  }),
})

export type Problems = { readonly ok: false; readonly problems: string[] }

/**
 * A StoragePolicy as it came from the API server. The CRD refuses nearly all of this already; what it cannot know
 * (time zones, cron days) or what an older CRD let through is reported here, one line per mistake. Unknown fields stay.
 */
export function parseStoragePolicy(
  raw: unknown,
): { readonly ok: true; readonly policy: StoragePolicy } | Problems {
  const parsed = storagePolicy.safeParse(raw)
  if (!parsed.success) return { ok: false, problems: problemsOf(parsed.error, raw) }
  // the spec stays as it was written: defaults are filled in by `effectivePolicy`
  const policy = { ...parsed.data, spec: (raw as StoragePolicy).spec } as StoragePolicy
  const problems = [...scheduleProblems(policy), ...poolProblems(policy)]
  return problems.length === 0 ? { ok: true, policy } : { ok: false, problems }
}

/** A VolumeMigration as it came from the API server; unknown fields stay. */
export function parseVolumeMigration(
  raw: unknown,
): { readonly ok: true; readonly migration: VolumeMigration } | Problems {
  const parsed = volumeMigration.safeParse(raw)
  if (!parsed.success) return { ok: false, problems: problemsOf(parsed.error, raw) }
  return { ok: true, migration: parsed.data as unknown as VolumeMigration }
}

/** An intent on its own, out of a status of which something else cannot be read. */
export function parseIntent(raw: unknown): Intent | undefined {
  const parsed = intent.safeParse(raw)
  return parsed.success ? parsed.data : undefined
}

type ParsedCheckpoint = { readonly ok: true; readonly checkpoint: TieringCheckpoint } | Problems

/** A TieringCheckpoint of a policy as it came from the API server; unknown fields stay. */
export function parseTieringCheckpoint(raw: unknown): ParsedCheckpoint {
  return checkpointOf(tieringCheckpoint, raw)
}

/** The TieringCheckpoint that holds moves in flight and halts: its other fields mean nothing. */
export function parseLedger(raw: unknown): ParsedCheckpoint {
  return checkpointOf(ledger, raw)
}

/** The TieringCheckpoint that holds how the scheduled tasks are doing; undefined when it cannot be read. */
export function parseTaskReport(
  raw: unknown,
): { readonly at: string; readonly tasks: readonly ReportedTask[] | undefined } | undefined {
  const parsed = taskReport.safeParse(raw)
  if (!parsed.success) return undefined
  const { windowEnd: at, tasks } = parsed.data.spec
  return { at, tasks: tasks as readonly ReportedTask[] | undefined }
}

function checkpointOf(schema: z.ZodType, raw: unknown): ParsedCheckpoint {
  const parsed = schema.safeParse(raw)
  if (!parsed.success) return { ok: false, problems: problemsOf(parsed.error, raw) }
  return { ok: true, checkpoint: parsed.data as TieringCheckpoint }
}

function scheduleProblems({ spec }: StoragePolicy): string[] {
  const { schedule, timeZone = POLICY_DEFAULTS.migration.timeZone } = spec.migration ?? {}
  if (schedule === undefined) return []
  try {
    createSchedule(schedule, timeZone, MINUTE)
    return []
  } catch (e) {
    return [messageOf(e)]
  }
}

/** A limit that names no tier would bound nothing, and nobody would notice. */
function poolProblems({ spec }: StoragePolicy): string[] {
  const tiers = spec.tiers.map((t) => t.name)
  return (spec.limits?.perPool ?? []).flatMap(({ pool }, i) =>
    tiers.includes(pool)
      ? []
      : [
          `spec.limits.perPool[${i}].pool is "${pool}", which is no tier of this policy: write one of ${tiers.join(', ')}`,
        ],
  )
}
