import type { Facts } from '../facts.ts'
import { finding, notChecked, ok } from '../finding.ts'
import type { Line } from '../finding.ts'

const SKEWED_MS = 5000

/** Clocks of the services against ours; each is known to about a second. */
export function checkClocks({ clocks, config }: Facts): readonly Line[] {
  if (clocks.length === 0) return [notChecked('clocks', 'clocks', 'no service sent its time')]
  const wrong = config.config.prometheus.lagMs || SKEWED_MS
  const lines = clocks.flatMap(({ service, at, aheadMs }): Line[] => {
    const seconds = Math.abs(aheadMs) / 1000
    const off = `the clock of ${service} (${at}) is ${seconds.toFixed(1)} s ${aheadMs > 0 ? 'ahead of' : 'behind'} this one`
    if (Math.abs(aheadMs) > wrong) return [finding('ClockWrong', off)]
    return Math.abs(aheadMs) > SKEWED_MS ? [finding('ClockSkewed', off)] : []
  })
  if (lines.length > 0) return lines
  const names = [...new Set(clocks.map((c) => c.service))]
  return [ok(`clocks agree: ${names.join(', ')}`)]
}
