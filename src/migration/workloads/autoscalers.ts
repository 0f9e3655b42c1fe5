import type {
  AutoscalerObject,
  Scale,
  ScaledObject,
  WorkloadObject,
} from '../../api/workload-objects.ts'

const KEDA = { paused: 'autoscaling.keda.sh/paused', at: 'autoscaling.keda.sh/paused-replicas' }

type Target = { readonly apiVersion?: string; readonly kind?: string; readonly name?: string }

/** Kubernetes leaves a workload with 0 replicas alone, unless the autoscaler itself may go down to 0. */
export function* autoscalerRefusals(
  autoscalers: readonly AutoscalerObject[],
  workload: WorkloadObject,
  after: Scale,
): Generator<string> {
  for (const { metadata, spec } of autoscalers) {
    if (!isTarget(spec.scaleTargetRef, workload)) continue
    const { minReplicas = 1 } = spec
    if (after.replicas > 0)
      yield `HorizontalPodAutoscaler ${metadata.name} would scale it back from ${after.replicas}; remove the autoscaler, or move the volume while it is detached`
    else if (minReplicas <= 0)
      yield `HorizontalPodAutoscaler ${metadata.name} has spec.minReplicas: ${minReplicas}, by which it also scales up from 0; set it to 1`
  }
}

export function* scaledObjectRefusals(
  scaledObjects: readonly ScaledObject[],
  workload: WorkloadObject,
): Generator<string> {
  for (const { metadata, spec } of scaledObjects) {
    if (!isTarget({ kind: 'Deployment', ...spec?.scaleTargetRef }, workload)) continue
    const { [KEDA.paused]: paused, [KEDA.at]: at } = metadata.annotations ?? {}
    if (at !== undefined)
      yield `ScaledObject ${metadata.name} is annotated ${KEDA.at}: "${at}", by which KEDA holds that count; remove it and annotate ${KEDA.paused}: "true"`
    else if (paused !== 'true')
      yield `ScaledObject ${metadata.name} would scale it back; annotate it ${KEDA.paused}: "true" for the time of the move`
  }
}

function isTarget({ apiVersion, kind, name }: Target, workload: WorkloadObject): boolean {
  return (
    kind === workload.kind &&
    name === workload.metadata.name &&
    (apiVersion === undefined || apiVersion === '' || apiVersion.startsWith('apps/'))
  )
}
