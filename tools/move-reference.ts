import type { MigrationStatusReason } from '../src/api/reasons.ts'
import type { CallOutcome, Step, VolumeMigrationStatus } from '../src/api/volume-migration.ts'
import { nextRetypeStep } from '../src/migration/retype/machine.ts'
import type { VolumeSight } from '../src/migration/retype/machine.ts'
import type { MachineInput } from '../src/migration/strategy.ts'
import { ENDS_UNSENT, stepOf } from '../src/migration/unsent.ts'

import { moveMeanings, stayMeanings } from './meanings.ts'
import { table } from './reasons-reference.ts'
import { replacementTransitions } from './replacement-moves.ts'

const AT = Date.UTC(2026, 0, 1)
const iso = (ms: number): string => new Date(ms).toISOString()
const DEADLINE = AT + 3_600_000
const OPEN: readonly Step[] = ['Requested', 'Retyping', 'Verifying', 'Stuck']
const CALLS: readonly (Omit<CallOutcome, 'at'> | undefined)[] = [
  undefined,
  { kind: 'Accepted' },
  { kind: 'NotSent' },
  { kind: 'Unknown' },
  { kind: 'Rejected', httpStatus: 400 },
  { kind: 'Rejected', httpStatus: 401 },
  { kind: 'Rejected', httpStatus: 413, quota: true },
  { kind: 'Rejected', httpStatus: 429 },
]
const CONFIRMING = [undefined, 'verifying', 'unchanged'] as const
const STATUSES = ['available', 'in-use', 'retyping', 'maintenance', 'error']

/**
 * docs/reference-moves.md: the steps of a move and what leads from one to the next, found by asking the machine itself for
 * every combination of what may be saved and what Cinder may show.
 */
export function moveReference(): string {
  const transitions = [...allTransitions()]
  const meanings = { ...stayMeanings(), ...moveMeanings() }
  return [
    '# The steps of a move',
    '',
    'Drawn from the code by `npm run generate`, for each strategy from its machine: each arrow is one that the machine takes for some',
    'combination of what is saved and what one read shows. [concepts.md](concepts.md) and [strategies.md](strategies.md) describe them in words.',
    '',
    '## cinder-retype',
    '',
    ...drawn(transitions, meanings),
    '## snapshot-restore',
    '',
    'Each arrow is taken in a state that the search of its states reaches, or in one that differs in one thing. Before `Holding` it is as above.',
    '',
    ...drawn(replacementTransitions(), meanings),
  ].join('\n')
}

type Arrow = { readonly from: Step; readonly to: Step; readonly reason: MigrationStatusReason }

function drawn(
  transitions: readonly Arrow[],
  meanings: Readonly<Record<MigrationStatusReason, string>>,
): readonly string[] {
  return [
    '```mermaid',
    'stateDiagram-v2',
    '  [*] --> Waiting',
    ...arrows(transitions),
    '  Succeeded --> [*]',
    '  Failed --> [*]',
    '```',
    '',
    ...table(
      ['From', 'To', '`status.reason`', 'When'],
      transitions.map(({ from, to, reason }) => [from, to, `\`${reason}\``, meanings[reason]]),
    ),
  ]
}

/** One arrow for each pair of steps, with all the reasons for taking it. */
function arrows(transitions: readonly Arrow[]): string[] {
  const pairs = Map.groupBy(transitions, ({ from, to }) => `${from} --> ${to}`)
  return [...pairs].map(
    ([pair, taken]) => `  ${pair}: ${taken.map(({ reason }) => reason).join(', ')}`,
  )
}

function* allTransitions(): Generator<Arrow> {
  for (const reason of ENDS_UNSENT)
    yield { from: 'Waiting', to: stepOf({ over: true, reason }), reason }
  for (const from of ['Waiting', ...OPEN] as const) {
    const seen = new Set<string>()
    for (const input of inputs(from)) {
      const next = nextRetypeStep(input)
      // the runner saves the intent of an act before it makes it happen
      const taken =
        next.kind === 'act' ? ({ step: 'Requested', reason: 'IntentSaved' } as const) : next
      if (!('step' in taken) || seen.has(`${taken.step} ${taken.reason}`)) continue
      seen.add(`${taken.step} ${taken.reason}`)
      yield { from, to: taken.step, reason: taken.reason }
    }
  }
}

function* inputs(step: Step): Generator<Input> {
  for (const sight of sights())
    for (const call of CALLS)
      for (const attempt of [1, 3])
        for (const reason of ['Verifying', 'VerifyingRevert'])
          for (const cluster of ['here', 'elsewhere'])
            for (const now of [AT, DEADLINE])
              for (const what of CONFIRMING)
                yield {
                  ...input({ step, sight, call, attempt, reason, cluster, now }),
                  confirming: what && { what, ms: 60_000 },
                }
}

function* sights(): Generator<VolumeSight | undefined> {
  yield undefined
  yield { kind: 'Absent' }
  yield { kind: 'Unreadable', why: 'Cinder does not answer' }
  for (const status of STATUSES)
    for (const typeId of ['old', 'new', 'third'])
      for (const updatedAt of ['before', 'since'])
        for (const availabilityZone of ['nova', 'other'])
          yield {
            kind: 'Seen',
            status,
            typeId,
            updatedAt,
            availabilityZone,
            attached: false,
            sizeGiB: 1,
          }
}

type Input = MachineInput<VolumeSight>

type Case = {
  readonly step: Step
  readonly sight: VolumeSight | undefined
  readonly call: (typeof CALLS)[number]
  readonly attempt: number
  readonly reason: string
  readonly cluster: string
  readonly now: number
}

function input({ step, sight, call, attempt, reason, cluster, now }: Case): Input {
  const status: VolumeMigrationStatus = {
    step,
    reason,
    verifiedOnceAt: iso(AT - 60_000),
    ...(call === undefined ? {} : { call: { ...call, at: iso(AT) } }),
    intent: {
      attempt,
      requestId: 'r',
      clusterId: cluster,
      objectUid: 'u',
      epoch: 1,
      at: iso(AT - 60_000),
      deadline: iso(DEADLINE),
      fromTypeId: 'old',
      toTypeId: 'new',
      volumeUpdatedAt: 'before',
      availabilityZone: 'nova',
      attached: false,
    },
  }
  const timing = { firstPollMs: 2000, longestPollMs: 60_000, verifyMs: 3000, mostAttempts: 3 }
  return { status, sight, now, clusterId: 'here', objectUid: 'u', quietUntil: AT, timing }
}
