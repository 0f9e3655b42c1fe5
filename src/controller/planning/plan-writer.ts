import { createHash } from 'node:crypto'
import { API_VERSION } from '../../api/names.ts'
import type { VolumeMigration, VolumeMigrationSpec } from '../../api/volume-migration.ts'
import type { Judged } from './decision-inputs.ts'

/** DNS label length less our suffix. */
const LONGEST_CLAIM_PART = 45

/** A plan names what differs from what all copies are made by. */
function viaOf({ strategy, policy }: Judged): Pick<VolumeMigrationSpec, 'via'> {
  const { via } = policy.effective.migration
  return strategy === 'snapshot-restore' && via !== 'clone' ? { via } : {}
}

/**
 * The object for a wanted move. Its name is made of what it is about, so that asking twice in one window
 * finds the same object instead of a twin. `after`: when the volume's last move ended, so that the same move
 * can be wanted again before the window ends.
 */
export function migrationFor(
  judged: Judged,
  to: number,
  reason: 'Policy' | 'Forced',
  windowEnd: number,
  after: string | undefined,
): VolumeMigration {
  const { managed, policy, tiers, tier, verdict } = judged
  const { claim, bound } = managed
  if (bound?.row === undefined)
    throw new Error(`claim ${claim.namespace}/${claim.name} has no volume to move`)
  const from = tiers[tier]?.name
  const goal = tiers[to]!.name
  const about = [claim.uid, bound.volume.handle, from, goal, reason, windowEnd]
  const identity = [...about, after].join(' ')
  const hash = createHash('sha256').update(identity).digest('hex').slice(0, 10)
  return {
    apiVersion: API_VERSION,
    kind: 'VolumeMigration',
    metadata: {
      name: `${claim.name.slice(0, LONGEST_CLAIM_PART).replace(/[^a-z0-9]+$/, '')}-${hash}`,
      namespace: claim.namespace,
      labels: { 'app.kubernetes.io/managed-by': 'couchestor' },
      annotations: { 'couchestor.io/verdict': verdict.message.slice(0, 1000) },
    },
    spec: {
      claim: { name: claim.name, uid: claim.uid },
      volume: { pv: bound.volume.name, id: bound.volume.handle, sizeGiB: bound.row.sizeGiB },
      ...(from === undefined ? {} : { from }),
      to: goal,
      strategy: judged.strategy,
      ...viaOf(judged),
      reason,
      policy: policy.name,
    },
  }
}
