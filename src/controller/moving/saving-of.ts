import { monthlyCost } from '../../policy/rank.ts'
import type { Target } from '../view/targets.ts'

/** For the storage alone, as the bill will show it. */
export function savingOf({ from, to, row }: Target): { monthlySaving?: string } {
  if (from === undefined || row === undefined) return {}
  const saving = monthlyCost(from, row.sizeGiB) - monthlyCost(to, row.sizeGiB)
  return { monthlySaving: saving.toFixed(2) }
}
