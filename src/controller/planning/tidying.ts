import type { ControllerDeps } from '../deps.ts'
import type { Watches } from '../view/watches.ts'
import type { CheckpointStore } from './checkpoint-store.ts'
import type { CounterfactualCosts } from './counterfactual-costs.ts'
import type { PolicyHealth } from './policy-health.ts'
import type { UsageReader } from './usage-reader.ts'

export type TidyingParts = {
  readonly deps: Pick<ControllerDeps, 'clock'>
  readonly watches: Pick<Watches, 'policies'>
  readonly checkpoints: CheckpointStore
  readonly counterfactuals: CounterfactualCosts
  readonly usageReader: UsageReader
  readonly health: PolicyHealth
}

/** What is kept of policies that are gone goes a day after them. Seldom: it reads all checkpoints. */
export async function tidy(parts: TidyingParts): Promise<void> {
  const { deps, watches, checkpoints, counterfactuals, usageReader, health } = parts
  const names = new Set(Array.from(watches.policies.store.values(), (p) => p.policy.metadata.name))
  await checkpoints.tidy(names, deps.clock.now())
  const isKept = (policy: string) => names.has(policy) || checkpoints.holds(policy)
  for (const part of [counterfactuals, usageReader]) part.forget(isKept)
  health.forgetPolicies(isKept)
}
