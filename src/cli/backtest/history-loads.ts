import type { ActivitySource } from '../../activity/types.ts'
import { readHistory } from '../../activity/history.ts'
import type { Clock } from '../../clock.ts'
import { UserError } from '../../errors.ts'
import { classify, demandFrom } from '../../policy/demand.ts'
import type { ClusterVolume } from './cluster-volumes.ts'
import type { PolicySetting } from './policy-setting.ts'
import type { Load } from './types.ts'

export type HistoryRequest = {
  readonly source: ActivitySource
  readonly clock: Clock
  readonly days: number
  readonly policy: PolicySetting
  /** Sizes and claims by volume id; undefined = no cluster was asked. */
  readonly volumes: ReadonlyMap<string, ClusterVolume> | undefined
  /** For volumes whose size nobody knows; undefined = they are left out. */
  readonly sizeGiB: number | undefined
  readonly onProgress?: (share: number) => void
  readonly signal?: AbortSignal
}

export type HistoryLoads = {
  readonly loads: readonly Load[]
  /** Wall time of the start of the first window, ms. */
  readonly startMs: number
  readonly notices: readonly string[]
}

const DETACHED = { detachedSinceByKubernetes: undefined, detachedSinceByCinder: undefined }

/**
 * The cluster's own history as loads, one question per window. Windows without numbers are gaps, as live. Volumes that
 * the server knows and the cluster does not are left out. Throws `UserError` when nothing can be replayed.
 */
export async function historyLoads(request: HistoryRequest): Promise<HistoryLoads> {
  const windowSeconds = Math.round(request.policy.effective.metrics.windowMs / 1000)
  const { firstEnd, windows, to } = span(request, windowSeconds)
  const demands = new Map<string, Float64Array>()
  const left = { unknown: new Set<string>(), unsized: new Set<string>() }
  const result = await readHistory(request.source, {
    fromSeconds: firstEnd - windowSeconds,
    toSeconds: to,
    windowSeconds,
    pauseMs: 0,
    clock: request.clock,
    ...(request.signal === undefined ? {} : { signal: request.signal }),
    onWindow(end, { volumes }) {
      const index = (end - firstEnd) / windowSeconds
      for (const [id, activity] of volumes) {
        const sizeGiB = sizeOf(request, id, left)
        if (sizeGiB === undefined) continue
        const demand = demandOfWindow(request, id, sizeGiB, activity)
        let row = demands.get(id)
        if (row === undefined) demands.set(id, (row = new Float64Array(windows).fill(NaN)))
        row[index] = demand
      }
      request.onProgress?.((index + 1) / windows)
    },
  })
  if (result.kind === 'Down')
    throw new UserError('BacktestSourceDown', `${result.why}; nothing can be replayed without it`)
  const loads = [...demands]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([id, demand]) => loadOf(request, id, demand))
  if (loads.length === 0) throw noHistory(request, left)
  const startMs = (firstEnd - windowSeconds) * 1000
  return { loads, startMs, notices: noticesOf(left, loads) }
}

function span({ source, clock, days }: HistoryRequest, windowSeconds: number) {
  const newest =
    Math.floor((clock.now() / 1000 - source.lagSeconds) / windowSeconds) * windowSeconds
  const windows = Math.max(1, Math.floor((days * 86_400) / windowSeconds))
  return { firstEnd: newest - (windows - 1) * windowSeconds, windows, to: newest }
}

type Left = { readonly unknown: Set<string>; readonly unsized: Set<string> }

function sizeOf(request: HistoryRequest, id: string, left: Left): number | undefined {
  const known = request.volumes?.get(id)
  if (request.volumes !== undefined && known === undefined) {
    left.unknown.add(id)
    return undefined
  }
  const size = known?.sizeGiB ?? request.sizeGiB
  if (size === undefined) left.unsized.add(id)
  return size
}

function demandOfWindow(
  request: HistoryRequest,
  id: string,
  sizeGiB: number,
  activity: { operationsPerSecond: number; bytesPerSecond: number; coveragePercent: number },
): number {
  const { policy } = request
  const { minCoveragePercent, ioUnitKiB } = policy.effective.metrics
  const observation = classify(
    {
      answer: { kind: 'Answer', activity },
      attachment: DETACHED,
      windowEnd: 0,
      windowSeconds: 0,
    },
    { minCoveragePercent, ioUnitKiB, detachedGraceSeconds: 0 },
  )
  const tier = policy.tiers[startTierOf(request, id)]
  return demandFrom(observation, tier, sizeGiB, policy.constants) ?? NaN
}

/** The tier of the claim's storage class: the best that Kubernetes knows. Else what `--start` says. */
function startTierOf({ policy, volumes }: HistoryRequest, id: string): number {
  const storageClass = volumes?.get(id)?.storageClass
  const tier = policy.tiers.findIndex((t) => t.storageClass === storageClass)
  return storageClass === undefined || tier < 0 ? policy.setting.startTier : tier
}

function loadOf(request: HistoryRequest, id: string, demand: Float64Array): readonly Load[] {
  const known = request.volumes?.get(id)
  const sizeGiB = known?.sizeGiB ?? request.sizeGiB
  if (sizeGiB === undefined || demand.every((x) => Number.isNaN(x))) return []
  return [{ id: known?.claim ?? id, sizeGiB, demand, startTier: startTierOf(request, id) }]
}

function noHistory({ source, days, policy }: HistoryRequest, left: Left): UserError {
  const [others, fix] =
    left.unsized.size > 0
      ? [`; ${left.unsized.size} volumes have numbers but no known size`, 'give --size']
      : left.unknown.size > 0
        ? [
            `; ${left.unknown.size} volumes have numbers but belong to no claim of this policy`,
            'check its selector, --kubeconfig and --preset',
          ]
        : ['', 'check --preset and --days']
  return new UserError(
    'BacktestNoHistory',
    `${source.name} has no usage numbers of the last ${days} days for the volumes of policy "${policy.policy.metadata.name}"${others}`,
    { fix },
  )
}

function noticesOf({ unknown, unsized }: Left, loads: readonly Load[]): readonly string[] {
  const total = loads.reduce((sum, l) => sum + l.demand.length, 0)
  const gaps = loads.reduce((sum, l) => sum + l.demand.filter((x) => Number.isNaN(x)).length, 0)
  const share = Math.round((100 * gaps) / total)
  return [
    ...(unknown.size > 0
      ? [`${unknown.size} volumes with usage numbers belong to no claim of this policy; left out`]
      : []),
    ...(unsized.size > 0
      ? [`${unsized.size} volumes have no known size; left out (give --size)`]
      : []),
    ...(share > 0
      ? [
          `${share} % of the windows have no usage numbers: nothing is decided in them, and they cost storage only`,
        ]
      : []),
  ]
}
