import type { Strategy as StrategyName } from '../../api/storage-policy.ts'
import type { VolumeMigration } from '../../api/volume-migration.ts'
import { CINDER_RETYPE } from '../../migration/retype/strategy.ts'
import type { BoundStrategy } from './adapter.ts'
import type { Ports, RegisteredStrategy } from './registered.ts'

export type BoundStrategies = ReadonlyMap<StrategyName, BoundStrategy>

export function bindStrategies(
  ports: Ports,
  strategies: readonly RegisteredStrategy[],
): BoundStrategies {
  return new Map(strategies.map(({ name, bind }) => [name, bind(ports)]))
}

/** What a running move is done by, whatever policy and spec say. Objects of 0.1.0 name nothing: they were all retyped. */
export function strategyOf({ status }: VolumeMigration): StrategyName {
  return status?.intent?.strategy ?? CINDER_RETYPE.name
}
