import { describe, expect, it } from 'vitest'
import { prune, validate } from '../sim/apiserver/schema.ts'
import type { Schema } from '../sim/apiserver/schema.ts'
import crds from './crds.json' with { type: 'json' }
import type { CallOutcome, Step, VolumeMigrationStatus } from './volume-migration.ts'

type Full<T> = T extends object ? { readonly [K in keyof T]-?: Full<T[K]> } : T

const AT = '2026-01-20T10:07:00.000Z'

/** Every field that the controller may write: a field added to the type does not compile until it is here. */
const STATUS: Full<VolumeMigrationStatus> = {
  observedGeneration: 1,
  step: 'Requested',
  reason: 'IntentSaved',
  message: 'about to ask Cinder for couchestor-cold',
  conditions: [
    {
      type: 'Progressing',
      status: 'True',
      reason: 'IntentSaved',
      message: 'about to ask Cinder for couchestor-cold',
      lastTransitionTime: AT,
      observedGeneration: 1,
    },
  ],
  intent: {
    act: 'createSnapshot',
    strategy: 'snapshot-restore',
    attempt: 1,
    requestId: 'req-1',
    clusterId: 'c',
    projectId: 'p',
    objectUid: 'u',
    epoch: 1,
    at: AT,
    deadline: AT,
    fromTypeId: 'old',
    toTypeId: 'new',
    volumeUpdatedAt: AT,
    availabilityZone: 'nova',
    attached: false,
    migration: { attached: 'Auto', migrationPolicy: 'on-demand' },
  },
  call: {
    kind: 'Rejected',
    at: AT,
    httpStatus: 413,
    quota: true,
    unaudited: true,
    message: 'VolumeSizeExceedsAvailableQuota',
    cinderRequestId: 'req-2',
  },
  verifiedOnceAt: AT,
  startedAt: AT,
  completedAt: AT,
  elapsed: '12m30s',
  estimatedEnd: AT,
  expiresAt: AT,
  monthlySaving: '1.25',
  volumeId: 'v',
  replacement: {
    record: 'replacement-u',
    formerVolumeId: 'v',
    copyVolumeId: 'c',
    rollbackUntil: AT,
  },
  claimUid: 'claim',
  sizeGiB: 1,
}

const STEPS = {
  Waiting: 1,
  Requested: 1,
  Retyping: 1,
  Verifying: 1,
  Holding: 1,
  Copying: 1,
  Switching: 1,
  Soaking: 1,
  GivingBack: 1,
  CleaningUp: 1,
  Abandoning: 1,
  Stuck: 1,
  Succeeded: 1,
  Failed: 1,
} satisfies Record<Step, 1>
const CALLS = { Accepted: 1, Rejected: 1, NotSent: 1, Unknown: 1 } satisfies Record<
  CallOutcome['kind'],
  1
>

type Crd = {
  readonly metadata: { readonly name: string }
  readonly spec: {
    readonly versions: readonly [{ readonly schema: { readonly openAPIV3Schema: Schema } }]
  }
}

function schema(): Schema {
  const all = crds as unknown as readonly Crd[]
  const crd = all.find((c) => c.metadata.name === 'volumemigrations.couchestor.io')
  return crd?.spec.versions[0].schema.openAPIV3Schema.properties?.['status'] ?? {}
}

function kept(status: unknown, by: Schema) {
  const unknown: string[] = []
  const rest = prune(status, by, 'status', unknown)
  return { unknown, rest, mistakes: validate(status, by, 'status') }
}

describe('the status of a VolumeMigration', () => {
  it('is kept by the CRD with every field that the controller writes', () => {
    expect(kept(STATUS, schema())).toEqual({ unknown: [], rest: STATUS, mistakes: [] })
  })

  it.each(Object.keys(STEPS))('may have step %s', (step) => {
    expect(kept({ ...STATUS, step }, schema()).mistakes).toEqual([])
  })

  it.each(Object.keys(CALLS))('may have a call of kind %s', (kind) => {
    expect(kept({ ...STATUS, call: { ...STATUS.call, kind } }, schema()).mistakes).toEqual([])
  })

  it('would lose a field that the CRD lacks, and this test would show which', () => {
    const whole = schema()
    const intent = whole.properties?.['intent']
    const { strategy: _lacking, ...properties } = intent?.properties ?? {}
    const lacking = { ...whole.properties, intent: { ...intent, properties } }
    expect(kept(STATUS, { ...whole, properties: lacking }).unknown).toEqual([
      'status.intent.strategy',
    ])
  })
})
