import { Gauge } from 'prom-client'
import { isFinished, isInFlight, isWaiting } from '../../api/volume-migration.ts'
import type { VolumeMigration } from '../../api/volume-migration.ts'
import { METRIC_PREFIX } from '../../metrics.ts'
import type { Registry } from '../../metrics.ts'

/** Moves take longer than their estimate all the time; this many times as long, and so many ms, is news. */
const LATE_FACTOR = 3
const LATE_MARGIN_MS = 600_000

type Work = {
  readonly all: () => Iterable<VolumeMigration>
  readonly unreadable: () => number
  readonly now: () => number
  /** The tiers of each policy there is. */
  readonly tiers: () => ReadonlyMap<string, ReadonlySet<string>>
}

/** In place of a name that no policy has: the author of a VolumeMigration must not be able to create series. */
const OTHER = 'other'

export type MoveLabels = {
  readonly policy: string
  readonly from: string
  readonly to: string
  readonly strategy: string
}

/** The open moves, counted again at each scrape: a move grows late without anything being written. */
export class MoveGauges {
  #work: Work | undefined

  constructor(registry: Registry) {
    this.#gauge(
      registry,
      'migrations_in_flight',
      'Migrations that may be running in Cinder, by step; Stuck ones wait for a person.',
      ['policy', 'strategy', 'step'],
      (gauge, m) => {
        const { policy, strategy } = this.labelsOf(m)
        if (!isWaiting(m) && !isFinished(m))
          gauge.inc({ policy, strategy, step: m.status?.step ?? '' })
      },
    )
    const work = () => this.#work
    new Gauge({
      name: `${METRIC_PREFIX}migrations_unreadable`,
      help: 'VolumeMigrations that cannot be read as they stand, so that nothing is done with them.',
      registers: [registry],
      collect() {
        this.set(work()?.unreadable() ?? 0)
      },
    })
    this.#gauge(
      registry,
      'migrations_waiting',
      'Migrations that wait, by what they wait for.',
      ['policy', 'reason'],
      (gauge, m) => {
        if (isWaiting(m))
          gauge.inc({
            policy: this.labelsOf(m).policy,
            reason: m.status?.reason ?? 'Planned',
          })
      },
    )
    this.#gauge(
      registry,
      'migrations_late',
      'Migrations that have run three times as long as earlier ones suggest, and ten minutes more.',
      ['policy'],
      (gauge, m, now) => {
        if (isInFlight(m)) gauge.inc({ policy: this.labelsOf(m).policy }, isLate(m, now) ? 1 : 0)
      },
    )
  }

  /** From now on the gauges report these; `now` in ms. */
  show(work: Work): void {
    this.#work = work
  }

  /** Names of policies and tiers that there are; anything else is one and the same. */
  labelsOf({ spec }: VolumeMigration): MoveLabels {
    const tiers = this.#work?.tiers().get(spec.policy)
    const policy = this.policyOf({ spec })
    const tier = (name: string) => (tiers?.has(name) ? name : OTHER)
    return {
      policy,
      from: spec.from === undefined ? '' : tier(spec.from),
      to: tier(spec.to),
      strategy: spec.strategy ?? 'cinder-retype',
    }
  }

  policyOf({ spec }: { readonly spec: { readonly policy: string } }): string {
    return this.#work?.tiers().has(spec.policy) === true ? spec.policy : OTHER
  }

  isPolicy(name: string): boolean {
    return name === OTHER || this.#work?.tiers().has(name) === true
  }

  isTier(name: string): boolean {
    if (name === OTHER || name === '') return true
    return [...(this.#work?.tiers().values() ?? [])].some((tiers) => tiers.has(name))
  }

  #gauge(
    registry: Registry,
    name: string,
    help: string,
    labelNames: string[],
    count: (gauge: Gauge, m: VolumeMigration, now: number) => void,
  ): void {
    const work = () => this.#work
    new Gauge({
      name: METRIC_PREFIX + name,
      help,
      labelNames,
      registers: [registry],
      collect() {
        this.reset()
        const known = work()
        if (known === undefined) return
        const now = known.now()
        for (const m of known.all()) count(this, m, now)
      },
    })
  }
}

/** False as long as no earlier move shows how long it should take. */
function isLate({ status }: VolumeMigration, now: number): boolean {
  const started = Date.parse(status?.startedAt ?? '')
  const estimate = Date.parse(status?.estimatedEnd ?? '') - started
  return now - started > LATE_FACTOR * estimate + LATE_MARGIN_MS
}
