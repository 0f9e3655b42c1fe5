import type { ActivitySources } from '../activity/types.ts'
import { UserError } from '../errors.ts'
import { medianSizeGiB } from '../policy/rule.ts'
import { AdmissionFacts } from './admission-facts.ts'
import { ApprovalGuard } from './approval-guard.ts'
import type { ControllerDeps } from './deps.ts'
import { Detachments } from './detachments.ts'
import { Feeder } from './feeder.ts'
import { fleetOf } from './fleet.ts'
import { Inventory } from './inventory.ts'
import type { Judged } from './judgement.ts'
import { Judgement } from './judgement.ts'
import { Ledger } from './ledger.ts'
import { Managed } from './managed.ts'
import type { ManagedClaim } from './managed.ts'
import { Memory } from './memory.ts'
import { Migrations } from './migrations.ts'
import { MoveTimes } from './move-times.ts'
import { Policies } from './policies.ts'
import { PolicyHealth } from './policy-health.ts'
import { PreflightGatherer } from './preflight-facts.ts'
import { readOnly } from './read-only.ts'
import type { ReadingDeps } from './read-only.ts'
import { Targets } from './targets.ts'
import { countVolumes } from './volume-counts.ts'
import { listOnce } from './watches.ts'
import type { Watches } from './watches.ts'
import { supportedBy } from './moving/registered.ts'

/**
 * Cluster, Cinder and usage at one moment, judged by the very parts that the controller uses, from the checkpoints
 * that it has saved and the windows since. Nothing is ever written.
 */
export type Picture = {
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
  readonly memory: Memory
  readonly judgement: Judgement
  readonly approvals: ApprovalGuard
  readonly admission: AdmissionFacts
  readonly preflight: PreflightGatherer
  /** By claim key; claims without a usable policy are missing. */
  readonly verdicts: ReadonlyMap<string, Judged>
  /** Every claim, by its key. */
  readonly claims: ReadonlyMap<string, ManagedClaim>
}

/** Throws `UserError` when a role lacks a rule or Cinder does not answer; a source that is down shows in the verdicts. */
export async function readPicture(reading: ReadingDeps, signal: AbortSignal): Promise<Picture> {
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
  const memory = new Memory(deps.kube, deps.log, deps.clock)
  const ledger = new Ledger(deps.kube, fence)
  const health = new PolicyHealth()
  const detachments = new Detachments()
  const sources = deps.sources(fleetOf({ managed, inventory }, 'Gnocchi', deps.processClock))
  const times = new MoveTimes(deps.clock, () => {})
  const approvals = new ApprovalGuard(deps)
  await approvals.refresh()
  const judgement = new Judgement({
    deps,
    watches,
    inventory,
    memory,
    migrations,
    health,
    times,
    approvals,
  })
  policies.refresh()
  await Promise.all([memory.load(), ledger.load()])
  const claims = new Map([...managed.all()].map((m) => [keyOfClaim(m), m]))
  await countVolumes(claims.values(), {
    watches,
    inventory,
    migrations,
    policies,
    detachments,
    now: deps.clock.now(),
  })
  const parts = { deps, sources, watches, inventory, memory, health, detachments }
  await readUsage(new Feeder(parts), { policies, managed, health }, signal)
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
    memory,
    judgement,
    approvals,
    admission: new AdmissionFacts(deps, migrations, policies, ledger, inventory, times),
    preflight: new PreflightGatherer(deps, watches, inventory),
    verdicts: new Map(
      [...claims].flatMap(([key, m]) => {
        const judged = judgement.judge(m)
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
  feeder: Feeder,
  { policies, managed, health }: Pick<Picture, 'policies' | 'managed' | 'health'>,
  signal: AbortSignal,
): Promise<void> {
  for (const policy of policies.all()) {
    if (policy.tiers === undefined) continue
    const bound = await managed.of(policy)
    const sizes = bound.flatMap((m) => m.bound.row?.sizeGiB ?? [])
    if (sizes.length === 0) health.catchingUp(policy.name, false)
    if (sizes.length === 0) continue
    health.noteMedian(policy.name, medianSizeGiB(sizes))
    await feeder.advance(policy, bound, signal)
  }
}
