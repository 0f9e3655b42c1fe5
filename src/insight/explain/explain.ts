import { RECORD } from '../../api/names.ts'
import { isFinished } from '../../api/volume-migration.ts'
import type { VolumeMigration } from '../../api/volume-migration.ts'
import type { Judged } from '../../controller/planning/decision-inputs.ts'
import type { ManagedClaim } from '../../controller/view/managed.ts'
import type { ClusterSnapshot } from '../../controller/cluster-snapshot.ts'
import { attributesClassNote } from '../../controller/reporting/verdict-events.ts'
import { deciderOf } from '../../policy/algorithm.ts'
import type { Candidate } from '../../policy/candidate.ts'
import { HOURS_PER_MONTH } from '../../policy/cost.ts'
import { durationText, iopsText } from '../../policy/numbers-text.ts'
import { monthlyCost } from '../../policy/rank.ts'
import { whatIf } from '../../policy/what-if.ts'
import type { WhatIfInput } from '../../policy/what-if.ts'
import type { Explanation, LastMove, Level, TierCost } from './explanation.ts'
import { mannerText } from '../manner.ts'
import { guardLines } from './guard-lines.ts'
import { sentence } from './sentence.ts'
import { startLines } from './start-lines.ts'

const LAST_MOVES = 5

/** Why the volume of one claim is where it is. `history` and `usage` are shown, and decide nothing. */
export async function explain(
  snapshot: ClusterSnapshot,
  managed: ManagedClaim,
  { history, usage }: Pick<Explanation, 'history' | 'usage'>,
): Promise<Explanation> {
  const key = `${managed.claim.namespace}/${managed.claim.name}`
  const judged = snapshot.verdicts.get(key)
  const candidate = snapshot.decisionInputs.candidate(managed)
  const base = { ...about(snapshot, managed), history, usage }
  if (judged === undefined || candidate === undefined) return { ...base, ...unmanaged(managed) }
  const { verdict, tiers, tier, policy } = judged
  const goal = verdict.kind === 'move' ? verdict.to : verdict.wants
  const wants = goal === undefined ? undefined : tiers[goal]?.name
  const costs = costsOf(candidate)
  const compared = costs.find((c) => c.tier === verdict.numbers.to)
  return {
    ...base,
    policy: policy.name,
    tier: tiers[tier]?.name ?? managed.bound?.row?.typeName ?? '',
    wants: wants ?? '',
    notes: [
      ...base.notes,
      ...(wants === undefined
        ? []
        : [mannerText(judged, snapshot.decisionInputs.isDisruptive(judged, wants))]),
    ],
    reason: verdict.kind === 'move' ? '' : verdict.reason,
    sentence: sentence({
      claim: managed.claim.name,
      sizeGiB: base.sizeGiB,
      verdict,
      wants,
      throttlingThere: compared?.throttling ?? 0,
    }),
    guards: [...guardLines(candidate), ...(await startLines(snapshot, judged))],
    costs,
    wouldChange: goal === undefined ? changesOf(snapshot, judged, candidate) : [],
    levels: levelsOf(candidate),
  }
}

function about(snapshot: ClusterSnapshot, managed: ManagedClaim) {
  const moves = movesOf(snapshot, managed)
  return {
    apiVersion: 'couchestor.io/v1alpha1',
    kind: 'Explanation',
    at: new Date(snapshot.now).toISOString(),
    namespace: managed.claim.namespace,
    claim: managed.claim.name,
    volumeId: managed.bound?.volume.handle ?? '',
    sizeGiB: managed.bound?.row?.sizeGiB ?? 0,
    notes:
      managed.claim.attributesClass === undefined
        ? []
        : [attributesClassNote(managed.claim.attributesClass)],
    lastMoves: moves.filter(isFinished).slice(0, LAST_MOVES).map(lastMove),
    openMove: moves.filter((m) => !isFinished(m)).map(lastMove)[0] ?? null,
  } as const
}

function unmanaged({ match, bound }: ManagedClaim) {
  const why =
    match.policy === undefined
      ? match
      : { reason: 'TiersUnresolved', message: match.policy.problems.join('; ') }
  return {
    policy: match.policy?.name ?? '',
    tier: bound?.row?.typeName ?? '',
    wants: '',
    reason: why.reason,
    sentence: `Nothing is decided about it: ${why.message}.`,
    guards: [],
    costs: [],
    wouldChange: [],
    levels: [],
  }
}

function costsOf({ tiers, sizeGiB, state }: Candidate): readonly TierCost[] {
  return tiers.map((t, i) => {
    const storage = monthlyCost(t, sizeGiB)
    const rate = state.hours > 0 ? ((state.cost[i] ?? 0) / state.hours) * HOURS_PER_MONTH : null
    const limit = t.limitIops(sizeGiB)
    return {
      tier: t.name,
      storage,
      throttling: rate === null ? null : Math.max(0, rate - storage),
      total: rate === null ? null : Math.max(rate, storage),
      serves: Number.isFinite(limit) ? limit : null,
    }
  })
}

/** Limits of all tiers that have one: what separates them. */
function levelsOf({ tiers, sizeGiB }: Candidate): readonly Level[] {
  return tiers.flatMap((t) => {
    const iops = t.limitIops(sizeGiB)
    return Number.isFinite(iops) ? [{ name: t.name, iops }] : []
  })
}

function changesOf(snapshot: ClusterSnapshot, judged: Judged, c: Candidate): readonly string[] {
  const { policy } = judged
  const median = snapshot.health.medianSizeGiB(policy.name)
  const decide = deciderOf(policy.effective.decision.algorithm)
  const input: WhatIfInput = {
    state: c.state,
    tier: c.tier,
    sizeGiB: c.sizeGiB,
    tiers: c.tiers,
    constants: policy.constants,
    windowHours: c.policy.windowSeconds / 3600,
    decide: (s) => decide(s, c.tier, c.sizeGiB, median, c.tiers, policy.constants),
  }
  const slower = c.tiers[c.tier + 1]?.limitIops(c.sizeGiB)
  const here = c.tiers[c.tier]?.limitIops(c.sizeGiB)
  return [
    ...changeAt(input, slower, 'at or below'),
    ...(here !== undefined && Number.isFinite(here) ? changeAt(input, 2 * here, 'at') : []),
  ]
}

function changeAt(input: WhatIfInput, iops: number | undefined, how: string): readonly string[] {
  if (iops === undefined || !Number.isFinite(iops)) return []
  const change = whatIf(input, iops)
  if (change === undefined) return []
  return [
    `${how} ${iopsText(iops)} operations per second for ${durationText(change.hours * 3600)} more: the rule would want ${input.tiers[change.to]?.name}`,
  ]
}

function movesOf(snapshot: ClusterSnapshot, { bound }: ManagedClaim): readonly VolumeMigration[] {
  if (bound === undefined) return []
  return snapshot.migrations
    .ofVolume(bound.volume.handle, bound.claim)
    .toSorted((a, b) => (timeOf(a) < timeOf(b) ? 1 : -1))
}

function timeOf({ status, metadata }: VolumeMigration): string {
  return status?.completedAt ?? status?.startedAt ?? metadata.creationTimestamp ?? ''
}

function lastMove(m: VolumeMigration): LastMove {
  const { step = 'Waiting', reason = 'Planned' } = m.status ?? {}
  return {
    name: m.metadata.name,
    from: m.spec.from ?? '',
    to: m.spec.to,
    asked: m.spec.reason ?? 'Manual',
    step,
    reason,
    at: timeOf(m),
    approvedBy: m.metadata.annotations?.[RECORD.approvedBy] ?? '',
  }
}
