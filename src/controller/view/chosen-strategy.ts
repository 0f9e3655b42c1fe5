import type { PolicyStrategy, Strategy } from '../../api/storage-policy.ts'

/**
 * What a volume moves by. `Auto`: by retype, which costs nothing and leaves the volume in its place; by a copy where
 * snapshots keep Cinder from retyping it.
 */
export function chosenStrategy(
  strategy: PolicyStrategy,
  { hasSnapshots }: { readonly hasSnapshots: boolean },
): Strategy {
  if (strategy !== 'Auto') return strategy
  return hasSnapshots ? 'snapshot-restore' : 'cinder-retype'
}
