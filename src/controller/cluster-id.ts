import type { OptionalRight } from '../kube/missing-right.ts'
import { NAMESPACE } from '../kube/resources.ts'
import type { ControllerDeps } from './deps.ts'

export type ClusterIdParts = {
  readonly deps: Pick<ControllerDeps, 'kube' | 'elector'>
  readonly right: OptionalRight
  /** Ids under which open moves were begun. Resolves when all of them are known. */
  readonly begunUnder: () => Promise<ReadonlySet<string>>
}

/**
 * By what this cluster is distinguished from others: the uid of kube-system; with a smaller role, the uid of our own Lease.
 * Throws where that is not known: under another id our own moves would look like those of another cluster, and what they
 * have made would be left behind.
 */
export async function clusterIdOf({ deps, right, begunUnder }: ClusterIdParts): Promise<string> {
  const { kube, elector } = deps
  try {
    return (await kube.get(NAMESPACE, 'kube-system')).metadata.uid ?? ''
  } catch (e) {
    if (!right.isMissing(e)) throw e
    const ofLease = elector.leaseUid ?? ''
    const other = [...(await begunUnder())].find((id) => id !== ofLease)
    if (other === undefined) return ofLease
    throw new Error(
      `Namespace kube-system cannot be read any more, and open moves were begun in cluster ${other}, which may be this one: give the role "get" of Namespace kube-system back; if they came from another cluster, delete their VolumeMigrations`,
      { cause: e },
    )
  }
}
