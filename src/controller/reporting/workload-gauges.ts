import { Gauge } from 'prom-client'
import { METRIC_PREFIX } from '../../metrics.ts'
import type { Registry } from '../../metrics.ts'

/** A workload that is stopped for a move, or is to be. Times in ms since the epoch. */
export type StoppedWorkload = {
  /** As `MoveGauges.labelsOf` gives it: a name that a policy has. */
  readonly policy: string
  /** Of the first call; undefined before. */
  readonly stoppedAt?: number
  /** Since when it should be up again. */
  readonly overdueSince?: number
}

type Work = {
  readonly open: () => Iterable<StoppedWorkload>
  /** Records that cannot be read, or are gone: what they stopped is not restored. */
  readonly unreadable: () => number
  /** Ms since the epoch. */
  readonly now: () => number
}

/** The stopped workloads, read again at each scrape; without any of them there is no series of a policy. */
export class WorkloadGauges {
  #work: Work | undefined

  constructor(registry: Registry) {
    const work = () => this.#work
    const gauge = (name: string, help: string, collect: (g: Gauge, work: Work) => void) =>
      new Gauge({
        name: `${METRIC_PREFIX}${name}`,
        help,
        labelNames: ['policy'],
        registers: [registry],
        collect() {
          this.reset()
          const known = work()
          if (known !== undefined) collect(this, known)
        },
      })
    gauge(
      'workloads_stopped',
      'Workloads that are stopped for a move now, by its policy.',
      (g, { open }) => {
        for (const { policy, stoppedAt } of open()) if (stoppedAt !== undefined) g.inc({ policy })
      },
    )
    gauge(
      'workload_stopped_seconds',
      'Time since a workload was stopped for a move, the longest of each policy.',
      (g, { open, now }) => setLongest(g, open(), now(), (w) => w.stoppedAt),
    )
    gauge(
      'workload_restore_overdue_seconds',
      'For how long a workload that was stopped for a move should be up again and is not, the longest of each policy.',
      (g, { open, now }) => setLongest(g, open(), now(), (w) => w.overdueSince),
    )
    const unreadable = new Gauge({
      name: `${METRIC_PREFIX}workload_stops_unreadable`,
      help: 'Records of stopped workloads that cannot be read, or are gone: whatever they stopped is not restored.',
      registers: [registry],
      collect() {
        this.remove()
        const known = work()
        if (known !== undefined) this.set(known.unreadable())
      },
    })
    unreadable.remove()
  }

  /** From now on the gauges report these. */
  show(work: Work): void {
    this.#work = work
  }
}

function setLongest(
  gauge: Gauge,
  workloads: Iterable<StoppedWorkload>,
  now: number,
  since: (w: StoppedWorkload) => number | undefined,
): void {
  const longest = new Map<string, number>()
  for (const w of workloads) {
    const at = since(w)
    if (at === undefined) continue
    const ms = Math.max(0, now - at)
    longest.set(w.policy, Math.max(longest.get(w.policy) ?? 0, ms))
  }
  for (const [policy, ms] of longest) gauge.set({ policy }, ms / 1000)
}
