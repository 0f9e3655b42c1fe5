import { ANNOTATION } from '../../api/names.ts'
import type { ObjectMeta } from '../../api/object.ts'
import type { PodObject } from '../../api/workload-objects.ts'
import { refusal } from './refusal.ts'
import type { Refusal } from './refusal.ts'

const KARPENTER = 'karpenter.sh/do-not-disrupt'
const AUTOSCALER = 'cluster-autoscaler.kubernetes.io/safe-to-evict'

/** The owner's own word, on the workload or else on its namespace: "true" and nothing like it. */
export function* consentRefusal(
  workload: string,
  metadata: ObjectMeta,
  namespace: ObjectMeta,
): Generator<Refusal> {
  const key = ANNOTATION.allowRestart
  const own = metadata.annotations?.[key]
  const value = own ?? namespace.annotations?.[key]
  if (value === 'true') return
  const place = own === undefined ? `namespace ${namespace.name}` : workload
  yield refusal(
    'RestartNotAllowed',
    value === undefined
      ? `${workload} may not be stopped for a move; to allow it, annotate it or its namespace ${key}: "true"`
      : `${place} is annotated ${key}: "${value}"; only "true" allows that ${workload} is stopped for a move`,
  )
}

/** What forbids a disruption of a Pod stands, even where its workload has opted in. */
export function* vetoes(pods: readonly PodObject[]): Generator<Refusal> {
  for (const { metadata } of pods) {
    const { [KARPENTER]: doNotDisrupt, [AUTOSCALER]: safeToEvict } = metadata.annotations ?? {}
    // newer versions of Karpenter also take a duration
    if (doNotDisrupt !== undefined && doNotDisrupt !== 'false')
      yield veto(metadata.name, KARPENTER, doNotDisrupt)
    if (safeToEvict === 'false') yield veto(metadata.name, AUTOSCALER, safeToEvict)
  }
}

function veto(pod: string, key: string, value: string): Refusal {
  return refusal(
    'DoNotDisrupt',
    `Pod ${pod} is annotated ${key}: "${value}"; remove that to let moves stop it`,
  )
}
