import type { ActivitySources } from '../activity/types.ts'
import { messageOf, UserError } from '../errors.ts'
import { medianSizeGiB } from '../policy/rule.ts'
import { UsageReader } from './planning/usage-reader.ts'
import { fleetOf } from './view/fleet.ts'
import type { Judged } from './planning/decision-inputs.ts'
import type { ManagedClaim } from './view/managed.ts'
import { readOnly } from './read-only.ts'
import type { ReadingDeps } from './read-only.ts'
import { countVolumes } from './view/volume-counts.ts'
import { listOnce } from './view/watches.ts'
import { wire } from './wire.ts'
import type { Wired } from './wire.ts'

/**
 * Cluster, Cinder and usage at one moment, judged by the very parts that the controller uses, from the checkpoints
 * that it has saved and the windows since. Nothing is ever written.
 */
export type ClusterSnapshot = Wired & {
  readonly now: number
  readonly sources: ActivitySources
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
  const wired = wire(deps, watches)
  const { inventory, policies, managed, migrations, checkpoints, health, detachments } = wired
  await inventory.sweep(signal).catch((cause: unknown) => {
    const why = inventory.problem ?? messageOf(cause)
    throw new UserError('CinderUnreachable', `Cinder could not be read: ${why}`, { cause })
  })
  // what cannot be read now is asked again by those who need it, and reported there
  await wired.quotas.read(0).catch(() => {})
  // what could not be read holds back what it concerns, and says so
  await wired.pools.read(signal).catch(() => {})
  const sources = deps.sources(fleetOf({ managed, inventory }, 'Gnocchi', deps.processClock))
  // why it could not be read is what it then refuses with
  await wired.approvals.refresh().catch(() => {})
  policies.refresh()
  await Promise.all([checkpoints.load(), wired.ledger.load()])
  const claims = new Map([...managed.all()].map((m) => [keyOfClaim(m), m]))
  await countVolumes(claims.values(), {
    watches,
    inventory,
    migrations,
    policies,
    detachments,
    now: deps.clock.now(),
  })
  const parts = { deps, sources, watches, inventory, checkpoints, health, detachments, migrations }
  await readUsage(new UsageReader(parts), { policies, managed, health }, signal)
  return {
    ...wired,
    now: deps.clock.now(),
    sources,
    verdicts: new Map(
      [...claims].flatMap(([key, m]) => {
        const judged = wired.decisionInputs.judge(m)
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
