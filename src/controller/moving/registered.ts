import type { Strategy as StrategyName } from '../../api/storage-policy.ts'
import type { ControllerDeps } from '../deps.ts'
import type { Inventory } from '../view/inventory.ts'
import type { PreflightGatherer } from './preflight-facts.ts'
import type { BoundStrategy } from './adapter.ts'

/** What an adapter may be made of. */
export type Ports = {
  readonly deps: ControllerDeps
  readonly inventory: Inventory
  readonly gatherer: PreflightGatherer
}

/** A strategy that there is a machine for, and how it is bound to its adapter. */
export type RegisteredStrategy = {
  readonly name: StrategyName
  readonly bind: (ports: Ports) => BoundStrategy
}

/** Names of the strategies that there are machines for. */
export function supportedBy({
  strategies,
}: {
  readonly strategies: readonly RegisteredStrategy[]
}): readonly StrategyName[] {
  return strategies.map((s) => s.name)
}
