import { Gauge } from 'prom-client'
import { METRIC_PREFIX } from '../../metrics.ts'
import type { Registry } from '../../metrics.ts'
import type { Phase } from '../../migration/snapshot-restore/saved.ts'

/** A replacement that has not ended. Times in ms since the epoch. */
export type OpenReplacement = {
  /** As `MoveGauges.labelsOf` gives it: a name that a policy has. */
  readonly policy: string
  readonly phase: Phase
  /** When an act was last accepted, or the phase changed. */
  readonly progressedAt: number
  /** It waits for nothing but that users delete the snapshots of the former volume: no stall. */
  readonly keptBySnapshots?: boolean
  /** Since when the claim is Lost or has no PersistentVolume; undefined = neither. */
  readonly gapSince?: number
}

type Work = {
  readonly open: () => Iterable<OpenReplacement>
  /** Ms since the epoch. */
  readonly now: () => number
}

/** The open replacements, read again at each scrape; without any of them there is no series. */
export class ReplacementGauges {
  #work: Work | undefined

  constructor(registry: Registry) {
    const work = () => this.#work
    const registers = [registry]
    new Gauge({
      name: `${METRIC_PREFIX}replacement_stalled_seconds`,
      help: 'Time since the replacement of a PersistentVolume last got on, the longest of each policy and phase; not of those that soak, or only wait for snapshots of users.',
      labelNames: ['policy', 'phase'],
      registers,
      collect() {
        this.reset()
        for (const [{ policy, phase }, ms] of longestStalls(work()))
          this.set({ policy, phase }, ms / 1000)
      },
    })
    new Gauge({
      name: `${METRIC_PREFIX}claims_in_gap_seconds`,
      help: 'How long a claim has been without its PersistentVolume in the middle of a replacement, the longest of them.',
      registers,
      collect() {
        this.remove()
        const known = work()
        const gaps = [...(known?.open() ?? [])].flatMap(({ gapSince }) => gapSince ?? [])
        if (known !== undefined && gaps.length > 0)
          this.set(Math.max(0, known.now() - Math.min(...gaps)) / 1000)
      },
    })
  }

  /** From now on the gauges report these. */
  show(work: Work): void {
    this.#work = work
  }
}

function longestStalls(work: Work | undefined): Iterable<readonly [OpenReplacement, number]> {
  const longest = new Map<string, readonly [OpenReplacement, number]>()
  for (const open of work?.open() ?? []) {
    if (open.phase === 'Soaking' || open.keptBySnapshots === true) continue
    const ms = Math.max(0, work!.now() - open.progressedAt)
    const key = JSON.stringify([open.policy, open.phase])
    if (ms >= (longest.get(key)?.[1] ?? 0)) longest.set(key, [open, ms])
  }
  return longest.values()
}
