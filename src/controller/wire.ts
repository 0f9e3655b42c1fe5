import type { VolumeMigration } from '../api/volume-migration.ts'
import type { ControllerDeps } from './deps.ts'
import { AdmissionFacts } from './moving/admission-facts.ts'
import { Ledger } from './moving/ledger.ts'
import type { LedgerSaves } from './moving/ledger.ts'
import { PreflightGatherer } from './moving/preflight-facts.ts'
import { supportedBy } from './moving/registered.ts'
import type { Term } from './view/term.ts'
import { CheckpointStore } from './planning/checkpoint-store.ts'
import { DecisionInputs } from './planning/decision-inputs.ts'
import { PolicyHealth } from './planning/policy-health.ts'
import { ApprovalGuard } from './view/approval-guard.ts'
import { Detachments } from './view/detachments.ts'
import { Inventory } from './view/inventory.ts'
import { Managed } from './view/managed.ts'
import { Migrations } from './view/migrations.ts'
import { MoveTimes } from './view/move-times.ts'
import { Quotas } from './view/quotas.ts'
import { Policies } from './view/policies.ts'
import type { ResolvedPolicy } from './view/policies.ts'
import { Pools } from './view/pools.ts'
import { Targets } from './view/targets.ts'
import type { Watches } from './view/watches.ts'

/** What only a leader has. Who reads writes nothing, and needs none of it. */
export type LeadersPart = {
  readonly term: Term
  readonly onCheckpointSaved: (policy: ResolvedPolicy, e?: unknown) => void
  readonly ledgerSaves: LedgerSaves
  /** A saved time lies in the future. */
  readonly onFutureTime: (text: string) => void
  /** Moves for which a workload is stopped, and that have begun nothing else. */
  readonly held: () => readonly VolumeMigration[]
}

const NO_TERM: Term = { epoch: 0, clusterId: '' }

/** What leader, plan, explain and doctor see and decide by: wired here, the same way for all of them. */
export function wire(deps: ControllerDeps, watches: Watches, leader?: LeadersPart) {
  const fence = () => deps.elector.fence()
  const term = leader?.term ?? NO_TERM
  const inventory = new Inventory(deps)
  const pools = new Pools(deps, inventory)
  const policies = new Policies(deps, watches, inventory)
  const migrations = new Migrations(deps.kube, watches.migrations.store, { term, fence })
  const targets = new Targets(watches, policies, inventory, migrations, supportedBy(deps))
  const managed = new Managed(watches, policies, targets)
  const { kube, log, clock } = deps
  const checkpoints = new CheckpointStore(kube, log, clock, fence, leader?.onCheckpointSaved)
  const ledger = new Ledger(kube, fence, leader?.ledgerSaves)
  const health = new PolicyHealth()
  const times = new MoveTimes(clock, leader?.onFutureTime ?? (() => {}))
  const approvals = new ApprovalGuard(deps)
  const quotas = new Quotas(deps, inventory, migrations)
  return {
    deps,
    watches,
    inventory,
    policies,
    targets,
    managed,
    migrations,
    checkpoints,
    ledger,
    health,
    detachments: new Detachments(),
    times,
    approvals,
    quotas,
    decisionInputs: new DecisionInputs({
      deps,
      watches,
      inventory,
      checkpoints,
      migrations,
      health,
      times,
      approvals,
    }),
    pools,
    admission: new AdmissionFacts(
      deps,
      migrations,
      policies,
      ledger,
      inventory,
      times,
      pools,
      leader?.held,
    ),
    preflight: new PreflightGatherer(deps, watches, inventory, quotas),
  } as const
}

export type Wired = ReturnType<typeof wire>
