import type { Shown } from './annotator.ts'
import type { ManagedClaim } from '../view/managed.ts'
import type { Migrations } from '../view/migrations.ts'

/** What the claim's annotations should say; undefined = nothing, because no policy manages it. */
export function claimAnnotations(
  managed: ManagedClaim | undefined,
  migrations: Migrations,
): Shown | undefined {
  const policy = managed?.match.policy
  const bound = managed?.bound
  if (policy?.tiers === undefined || bound?.row === undefined) return undefined
  const tier = policy.tiers.find((t) => t.typeId === bound.row?.typeId)
  const last = migrations
    .ofVolume(bound.volume.handle)
    .flatMap((m) =>
      m.status?.step === 'Succeeded' && m.status.startedAt !== undefined
        ? (m.status.completedAt ?? [])
        : [],
    )
    .toSorted()
    .at(-1)
  const before = managed?.claim.annotations['couchestor.io/last-migration']
  const lastMigration = last ?? before
  return {
    tier: tier?.name ?? 'unmanaged',
    policy: policy.name,
    ...(lastMigration === undefined ? {} : { lastMigration }),
  }
}
