import { ANNOTATION } from '../../api/names.ts'
import { quantityToGiB } from '../../api/quantity.ts'
import { isEmptySelector, matchesSelector } from '../../api/selector.ts'
import type { StoragePolicy } from '../../api/storage-policy.ts'
import { projectClaim, projectVolume } from '../../controller/view/projections.ts'
import type { Claim } from '../../controller/view/projections.ts'
import { NAMESPACE, PERSISTENT_VOLUME, PERSISTENT_VOLUME_CLAIM } from '../../kube/resources.ts'
import type { KubeClient, KubeObject, Resource } from '../../kube/types.ts'

/** A Cinder volume that a claim uses. */
export type ClusterVolume = {
  /** Cinder's id. */
  readonly id: string
  /** Namespace and name of the claim. */
  readonly claim: string
  readonly sizeGiB: number
  readonly storageClass: string
}

export type ClusterVolumes = {
  readonly volumes: readonly ClusterVolume[]
  /** True when the policy selects nothing by itself, so that all volumes of the cluster are taken. */
  readonly all: boolean
}

const PAGE = 500

type SizedVolume = KubeObject & { spec?: { capacity?: { storage?: string } } }

/** The Cinder volumes whose claims this policy would manage, as far as selectors say. Only reads. */
export async function clusterVolumes(
  kube: Pick<KubeClient, 'list'>,
  { metadata, spec }: StoragePolicy,
): Promise<ClusterVolumes> {
  const claims = new Map<string, Claim>()
  for await (const raw of everything(kube, PERSISTENT_VOLUME_CLAIM)) {
    const claim = projectClaim(raw)
    if (claim !== undefined) claims.set(`${claim.namespace}/${claim.name}`, claim)
  }
  const bySelector = !isEmptySelector(spec.selector)
  const byClass = (spec.storageClassNames ?? []).length > 0
  const all = !bySelector && !byClass
  const inNamespaces = await namespaceTest(kube, spec.namespaceSelector)
  const selects = (claim: Claim): boolean => {
    const named = claim.annotations[ANNOTATION.policy]
    if (named === 'none' || !inNamespaces(claim.namespace)) return false
    if (named !== undefined) return named === metadata.name
    if (bySelector && !matchesSelector(spec.selector, claim.labels)) return false
    return !byClass || (spec.storageClassNames ?? []).includes(claim.storageClass)
  }
  const volumes: ClusterVolume[] = []
  for await (const raw of everything(kube, PERSISTENT_VOLUME)) {
    const volume = projectVolume(raw)
    const claim = volume && claims.get(volume.claimKey)
    const sizeGiB = sizeOf(raw)
    if (!volume || !claim || sizeGiB === undefined || !selects(claim)) continue
    const { claimKey, handle: id } = volume
    volumes.push({ id, claim: claimKey, sizeGiB, storageClass: claim.storageClass })
  }
  return { volumes, all }
}

function sizeOf(raw: SizedVolume): number | undefined {
  try {
    return quantityToGiB(raw.spec?.capacity?.storage ?? '')
  } catch {
    return undefined
  }
}

async function namespaceTest(
  kube: Pick<KubeClient, 'list'>,
  selector: StoragePolicy['spec']['namespaceSelector'],
): Promise<(namespace: string) => boolean> {
  if (isEmptySelector(selector)) return () => true
  const matching = new Set<string>()
  for await (const { metadata } of everything(kube, NAMESPACE))
    if (matchesSelector(selector, metadata.labels)) matching.add(metadata.name)
  return (namespace) => matching.has(namespace)
}

async function* everything(
  kube: Pick<KubeClient, 'list'>,
  resource: Resource,
): AsyncGenerator<KubeObject> {
  let token: string | undefined
  do {
    const page = await kube.list<KubeObject>(resource, {
      limit: PAGE,
      ...(token === undefined ? {} : { continue: token }),
    })
    yield* page.items
    token = page.continue === '' ? undefined : page.continue
  } while (token !== undefined)
}
