import type { StayReason } from '../../api/reasons.ts'
import { isFinished } from '../../api/volume-migration.ts'
import type { VolumeMigration } from '../../api/volume-migration.ts'
import type { Block } from '../../blockers/blocker.ts'
import { approval } from '../../blockers/policy.ts'
import { quota } from '../../blockers/quota.ts'
import { refuse } from '../../controller/moving/admission.ts'
import type { Move, Refusal } from '../../controller/moving/admission.ts'
import type { Judged } from '../../controller/planning/decision-inputs.ts'
import type { ManagedClaim } from '../../controller/view/managed.ts'
import type { ClusterSnapshot } from '../../controller/cluster-snapshot.ts'
import { migrationFor } from '../../controller/planning/plan-writer.ts'
import type { ResolvedPolicy } from '../../controller/view/policies.ts'
import { quotaNeeds, rankedMoves } from '../../controller/planning/ranked-moves.ts'
import type { QuotaNeed } from '../../controller/view/quotas.ts'
import { isTarget } from '../../controller/view/targets.ts'
import type { Target } from '../../controller/view/targets.ts'
import { keptPerDay } from '../../policy/kept-copies.ts'
import { monthlyCost, savingOf } from '../../policy/rank.ts'
import type { Saving } from '../../policy/rank.ts'
import { preflightOf } from '../preflight-of.ts'
import { capacityReport } from './capacity-report.ts'
import { noticesOf } from './notices.ts'
import type { Plan, PlanRow, PolicyPlan } from './plan.ts'
import { chosenText, mannerOf } from '../manner.ts'
import { costsOf } from './plan.ts'

/** Reasons that say when a move happens, and nothing against it: such moves have a place in the queue. */
const WAITS = new Set<StayReason>(['Observe', 'OutsideSchedule'])

/** Moves at the head of the queue for which Cinder itself is asked what stands against them. */
const MOST_PREFLIGHTS = 20

type Placed = Pick<PlanRow, 'action' | 'order' | 'reason' | 'message'>

/** What the controller would do now, claim by claim, in the order in which it would do it. */
export async function buildPlan(snapshot: ClusterSnapshot): Promise<Plan> {
  const placed = await queue(snapshot)
  const rows = [...snapshot.claims].map(([key, managed]) => rowOf(snapshot, key, managed, placed))
  return {
    apiVersion: 'couchestor.io/v1alpha1',
    kind: 'Plan',
    at: new Date(snapshot.now).toISOString(),
    rows: rows.toSorted(inOrder),
    policies: snapshot.policies.all().map((p) => policyPlan(snapshot, p, rows)),
    notices: noticesOf(snapshot, rows),
  }
}

/** Walks through the queue as the controller does: each move that may start counts against the next one's limits. */
async function queue(snapshot: ClusterSnapshot): Promise<ReadonlyMap<string, Placed>> {
  const placed = new Map<string, Placed>()
  const started: Move[] = []
  const planned: QuotaNeed[] = []
  let asked = 0
  for (const { key, judged, to, order } of inTurn(snapshot)) {
    const { verdict } = judged
    const proposal = migrationFor(judged, to, asker(judged), 0, undefined)
    const target = snapshot.targets.of(proposal)
    if (!isTarget(target)) continue
    const input = snapshot.admission.inputFor(proposal, target)
    const full = overQuota(snapshot, target, planned)
    if (full !== undefined) {
      placed.set(key, { action: 'held', order: null, ...full })
      continue
    }
    const refusal =
      holdsBack(snapshot, judged) ?? refuse({ ...input, inFlight: [...input.inFlight, ...started] })
    if (refusal !== undefined) {
      placed.set(key, { action: 'wait', order, ...refusal })
      continue
    }
    const [block] = asked++ < MOST_PREFLIGHTS ? await preflightOf(snapshot, proposal) : []
    if (block !== undefined) {
      placed.set(key, { action: 'held', order: null, ...block })
      continue
    }
    started.push({ ...input.move, startedAt: snapshot.now })
    planned.push({ typeId: target.to.typeId, sizeGiB: input.move.sizeGiB ?? 0 })
    placed.set(key, { action: 'next', order, reason: '', message: verdict.message })
  }
  return placed
}

/** Asked of every wanted move, whatever else it waits for: the quotas of all types come with one read. */
function overQuota(
  { quotas }: ClusterSnapshot,
  { row, to }: Target,
  planned: readonly QuotaNeed[],
): Block | undefined {
  if (row === undefined) return undefined
  return quota({ quotas: quotas.of(to.typeId, { planned }), sizeGiB: row.sizeGiB })
}

type Turn = { key: string; judged: Judged; to: number; order: number }

/** What a person asked for first, then each policy's queue. */
function* inTurn({ verdicts, policies, quotas }: ClusterSnapshot): Generator<Turn> {
  for (const [key, judged] of verdicts)
    if (judged.verdict.kind === 'move' && judged.verdict.why === 'Forced')
      yield { key, judged, to: judged.verdict.to, order: 0 }
  const scarce = quotas.shortOf(quotaNeeds(verdicts.values(), WAITS))
  for (const policy of policies.all())
    for (const [i, move] of rankedMoves(verdicts, policy.name, {
      alsoHeldBy: WAITS,
      scarce,
    }).entries())
      yield { ...move, order: i + 1 }
}

function asker({ verdict }: Judged): 'Policy' | 'Forced' {
  return verdict.kind === 'move' ? verdict.why : 'Policy'
}

function holdsBack(snapshot: ClusterSnapshot, { verdict, policy }: Judged): Refusal | undefined {
  if (verdict.kind === 'stay') return { reason: verdict.reason, message: verdict.message }
  const { mode } = policy.effective
  const block = approval({ mode, approved: false, unguarded: snapshot.approvals.refusal })
  return block?.reason === 'AwaitingApproval' ? { ...block, message: verdict.message } : block
}

function rowOf(
  snapshot: ClusterSnapshot,
  key: string,
  managed: ManagedClaim,
  placed: ReadonlyMap<string, Placed>,
): PlanRow {
  const judged = snapshot.verdicts.get(key)
  if (judged === undefined) return unmanagedRow(managed)
  const { tiers, tier, policy } = judged
  const here = tiers[tier]
  const sizeGiB = managed.bound?.row?.sizeGiB ?? 0
  const open = openMoveOf(snapshot, managed)
  const to = open?.spec.to ?? wantedBy(judged)
  return {
    ...(open === undefined ? planned(judged, placed.get(key)) : openPlace(open)),
    policy: policy.name,
    ...named(managed),
    sizeGiB,
    from: here?.name ?? managed.bound?.row?.typeName ?? '',
    to,
    asked: askedBy(judged, open, to),
    ...figures(snapshot, judged, open === undefined ? undefined : to, to !== ''),
    monthlyCost: here === undefined ? 0 : monthlyCost(here, sizeGiB),
    migration: open?.metadata.name ?? '',
    ...mannerTo(snapshot, to, judged, { open, sizeGiB }),
  }
}

const NO_MANNER = { strategy: '', reversible: false, disruptive: false, keptPerDay: 0 } as const

function mannerTo(
  { decisionInputs }: ClusterSnapshot,
  to: string,
  judged: Judged,
  { open, sizeGiB }: { readonly open: VolumeMigration | undefined; readonly sizeGiB: number },
) {
  if (to === '') return NO_MANNER
  const strategy = open?.spec.strategy ?? judged.strategy
  const disruptive = decisionInputs.isDisruptive(judged, to, strategy)
  const kept = open === undefined ? judged.kept : keptByMove(open, judged, sizeGiB)
  return mannerOf(strategy, { disruptive, kept })
}

/** Of a move that is asked for already: in its soak the claim is on the other tier, and its policy may ask for no copy. */
function keptByMove({ status }: VolumeMigration, { tiers, tier }: Judged, sizeGiB: number) {
  const from = tiers.find((t) => t.typeId === status?.intent?.fromTypeId) ?? tiers[tier]
  return from && { perDay: keptPerDay(from, sizeGiB) }
}

/** Why a copy was chosen belongs to what it waits for, but not to what refuses it. */
function planned(judged: Judged, placed: Placed | undefined): Placed {
  const place = placed ?? staying(judged)
  if (place.action === 'stay' || place.reason === 'CopyTooExpensive') return place
  return { ...place, message: place.message + chosenText(judged) }
}

function wantedBy({ verdict, tiers }: Judged): string {
  const goal = verdict.kind === 'move' ? verdict.to : verdict.wants
  return goal === undefined ? '' : (tiers[goal]?.name ?? '')
}

/** `open`: the tier that a move goes to which is asked for already, whatever the verdict compares with now. */
function figures(
  snapshot: ClusterSnapshot,
  judged: Judged,
  open: string | undefined,
  wanted: boolean,
) {
  const { numbers } = judged.verdict
  const { moveCost, meanIops } = numbers
  const isCompared = open === undefined || open === numbers.to
  const { lead, ...saving } = isCompared ? numbers : figuresTo(snapshot, judged, open)
  return {
    monthlySaving: wanted ? saving.monthlySaving : 0,
    worthPerMonth: saving.worthPerMonth,
    paybackDays: Number.isFinite(saving.paybackDays) ? saving.paybackDays : null,
    moveCost,
    lead,
    needed: isCompared ? numbers.needed : 0,
    meanIops,
  }
}

/** What that tier would have cost and saved. Nothing can be said of a tier that the policy does not have. */
function figuresTo(
  { checkpoints }: ClusterSnapshot,
  { managed, policy, tiers, tier, verdict }: Judged,
  name: string,
): Saving & { readonly lead: number } {
  const cost = checkpoints.of(policy).states.get(managed.bound?.volume.handle ?? '')?.cost ?? []
  const to = tiers.findIndex((t) => t.name === name)
  const [here, there] = [tiers[tier], tiers[to]]
  if (here === undefined || there === undefined)
    return { monthlySaving: 0, worthPerMonth: 0, paybackDays: Infinity, lead: 0 }
  const lead = (cost[tier] ?? 0) - (cost[to] ?? 0)
  const sizeGiB = managed.bound?.row?.sizeGiB ?? 0
  return { ...savingOf({ ...verdict.numbers, lead }, here, there, sizeGiB), lead }
}

function askedBy(
  { verdict, forced }: Judged,
  open: VolumeMigration | undefined,
  to: string,
): PlanRow['asked'] {
  if (open !== undefined) return open.spec.reason ?? 'Manual'
  if (to === '') return ''
  if (verdict.kind === 'move') return verdict.why
  return forced ? 'Forced' : 'Policy'
}

function staying({ verdict }: Judged): Placed {
  if (verdict.kind === 'move')
    return { action: 'held', order: null, reason: 'InFlight', message: verdict.message }
  const action = verdict.wants === undefined ? 'stay' : 'held'
  return { action, order: null, reason: verdict.reason, message: verdict.message }
}

function openPlace({ metadata, status }: VolumeMigration): Placed {
  const { step = 'Waiting', reason = 'Planned', message } = status ?? {}
  return {
    action: 'open',
    order: null,
    reason: step === 'Waiting' ? reason : step,
    message: message ?? `VolumeMigration ${metadata.name} is ${step}`,
  }
}

function openMoveOf(
  { migrations }: ClusterSnapshot,
  { claim, bound }: ManagedClaim,
): VolumeMigration | undefined {
  if (bound === undefined) return undefined
  return migrations.ofVolume(bound.volume.handle, claim).find((m) => !isFinished(m))
}

function named({ claim, bound }: ManagedClaim) {
  return { namespace: claim.namespace, claim: claim.name, volumeId: bound?.volume.handle ?? '' }
}

function unmanagedRow(managed: ManagedClaim): PlanRow {
  const { match, bound } = managed
  const why =
    match.policy === undefined
      ? match
      : { reason: 'TiersUnresolved', message: match.policy.problems.join('; ') }
  return {
    action: 'unmanaged',
    order: null,
    policy: match.policy?.name ?? '',
    ...named(managed),
    sizeGiB: bound?.row?.sizeGiB ?? 0,
    from: bound?.row?.typeName ?? '',
    to: '',
    asked: '',
    reason: why.reason,
    message: why.message,
    monthlySaving: 0,
    worthPerMonth: 0,
    paybackDays: null,
    moveCost: 0,
    lead: 0,
    needed: 0,
    meanIops: 0,
    monthlyCost: 0,
    migration: '',
    ...NO_MANNER,
  }
}

function policyPlan(
  snapshot: ClusterSnapshot,
  p: ResolvedPolicy,
  rows: readonly PlanRow[],
): PolicyPlan {
  const own = rows.filter((r) => r.policy === p.name && r.action !== 'unmanaged')
  return {
    name: p.name,
    mode: p.effective.mode,
    pricesAssumed: p.pricesAssumed,
    ...costsOf(p.name, rows),
    maxMonthlyCost: p.effective.maxMonthlyCost ?? null,
    problems: p.problems,
    capacity: capacityReport(snapshot, p, own),
  }
}

const ORDER = { open: 0, next: 1, wait: 2, held: 3, stay: 4, unmanaged: 5 } as const

function inOrder(a: PlanRow, b: PlanRow): number {
  return (
    ORDER[a.action] - ORDER[b.action] ||
    compare(a.policy, b.policy) ||
    (a.order ?? 0) - (b.order ?? 0) ||
    b.worthPerMonth - a.worthPerMonth ||
    compare(`${a.namespace}/${a.claim}`, `${b.namespace}/${b.claim}`)
  )
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b)
}
