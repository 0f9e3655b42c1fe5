import { seconds } from './container.ts'
import type { Condition, ContainerStatus, Pod, PodStatus } from './types.ts'

export type Progress = {
  readonly initialized: boolean
  readonly init: readonly ContainerStatus[]
  readonly containers: readonly ContainerStatus[]
  readonly podIP: string
  readonly hostIP: string
  readonly startTime: Date
}

/** The status of a pod as its containers are now. Times of conditions that have not changed stay. */
export function podStatus(pod: Pod, now: Progress): PodStatus {
  const { containers } = now
  const ready = containers.length > 0 && containers.every((c) => c.ready)
  const kept = pod.status?.conditions ?? []
  const condition = (type: string, good: boolean, reason?: string): Condition => {
    const before = kept.find((c) => c.type === type)
    const status = good ? 'True' : 'False'
    const since = before?.status === status ? before.lastTransitionTime : undefined
    const lastTransitionTime = since ?? seconds(new Date())
    return { type, status, lastTransitionTime, ...(good || !reason ? {} : { reason }) }
  }
  const phase = phaseOf(pod, now)
  const why = phase === 'Succeeded' ? 'PodCompleted' : 'ContainersNotReady'
  return {
    phase,
    conditions: [
      ...kept.filter((c) => c.type === 'PodScheduled'),
      condition('PodReadyToStartContainers', true),
      condition('Initialized', now.initialized, 'ContainersNotInitialized'),
      condition('ContainersReady', ready, why),
      condition('Ready', ready, why),
    ],
    initContainerStatuses: now.init,
    containerStatuses: containers,
    podIP: now.podIP,
    podIPs: [{ ip: now.podIP }],
    hostIP: now.hostIP,
    hostIPs: [{ ip: now.hostIP }],
    startTime: seconds(now.startTime),
  }
}

function phaseOf(pod: Pod, { containers, init }: Progress): NonNullable<PodStatus['phase']> {
  const policy = pod.spec.restartPolicy ?? 'Always'
  const failed = (c: ContainerStatus): boolean => (c.state.terminated?.exitCode ?? 0) !== 0
  if (policy === 'Never' && init.some(failed)) return 'Failed'
  if (containers.length > 0 && containers.every((c) => c.state.terminated)) {
    if (policy === 'Always' && pod.metadata.deletionTimestamp === undefined) return 'Running'
    return containers.some(failed) ? 'Failed' : 'Succeeded'
  }
  const started = containers.some((c) => c.state.running || c.lastState.terminated)
  return started ? 'Running' : 'Pending'
}
