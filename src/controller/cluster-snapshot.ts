import type { ActivitySources } from '../activity/types.ts'
import { UserError } from '../errors.ts'
import { medianSizeGiB } from '../policy/rule.ts'
import { AdmissionFacts } from './moving/admission-facts.ts'
import { ApprovalGuard } from './view/approval-guard.ts'
import type { ControllerDeps } from './deps.ts'
import { Detachments } from './view/detachments.ts'
import { UsageReader } from './planning/usage-reader.ts'
import { fleetOf } from './view/fleet.ts'
import { Inventory } from './view/inventory.ts'
import type { Judged } from './planning/decision-inputs.ts'
import { DecisionInputs } from './planning/decision-inputs.ts'
import { Ledger } from './moving/ledger.ts'
import { Managed } from './view/managed.ts'
import type { ManagedClaim } from './view/managed.ts'
import { CheckpointStore } from './planning/checkpoint-store.ts'
import { Migrations } from './view/migrations.ts'
import { MoveTimes } from './view/move-times.ts'
import { Policies } from './view/policies.ts'
import { PolicyHealth } from './planning/policy-health.ts'
import { PreflightGatherer } from './moving/preflight-facts.ts'
import { readOnly } from './read-only.ts'
import type { ReadingDeps } from './read-only.ts'
import { Targets } from './view/targets.ts'
import { countVolumes } from './view/volume-counts.ts'
import { listOnce } from './view/watches.ts'
import type { Watches } from './view/watches.ts'
import { supportedBy } from './moving/registered.ts'

/**
 * Cluster, Cinder and usage at one moment, judged by the very parts that the controller uses, from the checkpoints
 * that it has saved and the windows since. Nothing is ever written.
 */
export type ClusterSnapshot = {
  readonly now: number
  readonly deps: ControllerDeps
  readonly sources: ActivitySources
  readonly watches: Watches
  readonly inventory: Inventory
  readonly policies: Policies
  readonly managed: Managed
  readonly targets: Targets
  readonly migrations: Migrations
  readonly health: PolicyHealth
  readonly checkpoints: CheckpointStore
  readonly decisionInputs: DecisionInputs
  readonly approvals: ApprovalGuard
  readonly admission: AdmissionFacts
  readonly preflight: PreflightGatherer
  /** By claim key; claims without a usable policy are missing. */
  readonly verdicts: ReadonlyMap<string, Judged>
  /** Every claim, by its key. */
  readonly claims: ReadonlyMap<string, ManagedClaim>
}

/** Throws `UserError` when a role lacks a rule or Cinder does not answer; a source that is down shows in the verdicts. */
export async function readSnapshot(
  reading: ReadingDeps,
  signal: AbortSignal,
): Promise<ClusterSnapshot> {
  const deps = readOnly(reading)
  const watches = await listOnce(deps)
  const inventory = new Inventory(deps)
  if (!(await inventory.sweep(signal)))
    throw new UserError('CINDER', `Cinder could not be read: ${inventory.problem}`)
  const policies = new Policies(deps, watches, inventory)
  const targets = new Targets(watches, policies, inventory, supportedBy(deps))
  const managed = new Managed(watches, policies, targets)
  const fence = () => deps.elector.fence()
  const migrations = new Migrations(deps.kube, watches.migrations.store, {
    epoch: 0,
    clusterId: '',
    fence,
  })
  const checkpoints = new CheckpointStore(deps.kube, deps.log, deps.clock)
  const ledger = new Ledger(deps.kube, fence)
  const health = new PolicyHealth()
  const detachments = new Detachments()
  const sources = deps.sources(fleetOf({ managed, inventory }, 'Gnocchi', deps.processClock))
  const times = new MoveTimes(deps.clock, () => {})
  const approvals = new ApprovalGuard(deps)
  await approvals.refresh()
  const decisionInputs = new DecisionInputs({
    deps,
    watches,
    inventory,
    checkpoints,
    migrations,
    health,
    times,
    approvals,
  })
  policies.refresh()
  await Promise.all([checkpoints.load(), ledger.load()])
  const claims = new Map([...managed.all()].map((m) => [keyOfClaim(m), m]))
  await countVolumes(claims.values(), {
    watches,
    inventory,
    migrations,
    policies,
    detachments,
    now: deps.clock.now(),
  })
  const parts = { deps, sources, watches, inventory, checkpoints, health, detachments }
  await readUsage(new UsageReader(parts), { policies, managed, health }, signal)
  return {
    now: deps.clock.now(),
    deps,
    sources,
    watches,
    inventory,
    policies,
    managed,
    targets,
    migrations,
    health,
    checkpoints,
    decisionInputs,
    approvals,
    admission: new AdmissionFacts(deps, migrations, policies, ledger, inventory, times),
    preflight: new PreflightGatherer(deps, watches, inventory),
    verdicts: new Map(
      [...claims].flatMap(([key, m]) => {
        const judged = decisionInputs.judge(m)
        return judged === undefined ? [] : [[key, judged] as const]
      }),
    ),
    claims,
  }
}

function keyOfClaim({ claim }: ManagedClaim): string {
  return `${claim.namespace}/${claim.name}`
}

async function readUsage(
  usageReader: UsageReader,
  { policies, managed, health }: Pick<ClusterSnapshot, 'policies' | 'managed' | 'health'>,
  signal: AbortSignal,
): Promise<void> {
  for (const policy of policies.all()) {
    if (policy.tiers === undefined) continue
    const bound = await managed.of(policy)
    const sizes = bound.flatMap((m) => m.bound.row?.sizeGiB ?? [])
    if (sizes.length === 0) health.catchingUp(policy.name, false)
    if (sizes.length === 0) continue
    health.noteMedian(policy.name, medianSizeGiB(sizes))
    await usageReader.advance(policy, bound, signal)
  }
}
