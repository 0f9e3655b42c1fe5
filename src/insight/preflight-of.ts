import type { VolumeMigration } from '../api/volume-migration.ts'
import type { Block } from '../blockers/blocker.ts'
import type { ClusterSnapshot } from '../controller/cluster-snapshot.ts'
import { isTarget } from '../controller/view/targets.ts'
import { preflight } from '../migration/retype/preflight.ts'

/** All that stands against the first act of a move, asked of Cinder as the controller asks it right before. Throws when Cinder does not answer. */
export async function preflightOf(
  snapshot: ClusterSnapshot,
  proposal: VolumeMigration,
): Promise<readonly Block[]> {
  const target = snapshot.targets.of(proposal)
  if (!isTarget(target)) return []
  const volume = await snapshot.inventory.readVolume(target.volume.handle)
  if (volume === undefined)
    return [{ reason: 'VolumeGone', message: 'Cinder does not know the volume any more' }]
  return preflight(await snapshot.preflight.gather(target, volume))
}
