import { yieldToEventLoop } from '../../clock.ts'
import { renderFamilies, renderLabels } from '../../exposition.ts'
import type { Family, Sample } from '../../exposition.ts'
import { METRIC_PREFIX } from '../../metrics.ts'
import { monthlyCost } from '../../policy/rank.ts'
import type { Judged } from '../planning/decision-inputs.ts'

/** Not metrics of prom-client, which would keep each series twice and write all of them in one turn. */
const FAMILIES = {
  info: 'Always 1; the tier that the volume is on, the one that is wanted, and the reason of the last verdict (Move when it is to move).',
  demand_iops: 'Operations per second in the last window, as the rule counts them.',
  coverage_ratio: 'Share of the samples of the last window that arrived.',
  monthly_cost: 'Cost of storage per month in the unit of the prices.',
  lead_ratio:
    'What the best other tier would have saved, as a share of what a move needs: from 1 on the rule wants the move.',
} as const

type Name = keyof typeof FAMILIES
const LABELS = ['volume_id', 'pvc_namespace', 'pvc']
const INFO_LABELS = [...LABELS, 'policy', 'tier', 'wanted_tier', 'reason']

/** Every series that a volume may have. */
export const VOLUME_SERIES = (Object.keys(FAMILIES) as Name[]).map((name) => ({
  name: `${METRIC_PREFIX}volume_${name}`,
  type: 'gauge' as const,
  help: FAMILIES[name],
  labels: name === 'info' ? INFO_LABELS : LABELS,
}))
type Page = Record<Name, Sample[]>

/** Volumes written between two turns: some milliseconds. */
const SLICE = 500

/** Series per volume, for those who switch them on (`metrics.per_volume` of config.yaml). */
export class VolumeMetrics {
  #verdicts: () => Iterable<Judged> = () => []

  /** From now on the page reports these. */
  show(verdicts: () => Iterable<Judged>): void {
    this.#verdicts = verdicts
  }

  /** In Prometheus' text format; built again each time, so that a volume that is gone leaves nothing behind. */
  async page(): Promise<string> {
    const page: Page = {
      info: [],
      demand_iops: [],
      coverage_ratio: [],
      monthly_cost: [],
      lead_ratio: [],
    }
    let seen = 0
    for (const judged of this.#verdicts()) {
      if (++seen % SLICE === 0) await yieldToEventLoop()
      add(page, judged)
    }
    const parts: string[] = []
    for (const name of Object.keys(FAMILIES) as Name[]) {
      parts.push(renderFamilies([familyOf(name, page[name])]))
      await yieldToEventLoop()
    }
    return parts.join('')
  }
}

function familyOf(name: Name, samples: readonly Sample[]): Family {
  return {
    name: `${METRIC_PREFIX}volume_${name}`,
    type: 'gauge',
    help: FAMILIES[name],
    samples,
  }
}

function add(page: Page, { managed, policy, tiers, tier, verdict }: Judged): void {
  const { claim, bound } = managed
  if (bound?.row === undefined) return
  const own = { volume_id: bound.volume.handle, pvc_namespace: claim.namespace, pvc: claim.name }
  const labels = renderLabels(own)
  const here = tiers[tier]
  const wanted = verdict.kind === 'move' ? verdict.to : (verdict.wants ?? tier)
  page.info.push([
    renderLabels({
      ...own,
      policy: policy.name,
      tier: here?.name ?? '',
      wanted_tier: tiers[wanted]?.name ?? '',
      reason: verdict.kind === 'move' ? 'Move' : verdict.reason,
    }),
    1,
  ])
  const { iops, coveragePercent, lead, needed, historyHours, limitIops } = verdict.numbers
  if (iops !== undefined) page.demand_iops.push([labels, rounded(iops)])
  if (coveragePercent !== undefined)
    page.coverage_ratio.push([labels, rounded(coveragePercent / 100)])
  if (here !== undefined)
    page.monthly_cost.push([labels, rounded(monthlyCost(here, bound.row.sizeGiB))])
  if (historyHours > 0 && needed > 0 && limitIops === undefined)
    page.lead_ratio.push([labels, rounded(lead / needed)])
}

/** Six digits say all there is to say and make short lines. */
function rounded(value: number): number {
  return Number(value.toPrecision(6))
}
