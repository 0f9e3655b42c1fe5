import type { Mode } from '../../api/storage-policy.ts'
import { moneyText } from '../../policy/numbers-text.ts'
import { lostTo } from '../../policy/shadow.ts'
import type { Week } from '../../policy/shadow.ts'

type ConditionState = {
  readonly status: 'True' | 'False' | 'Unknown'
  readonly reason: string
  readonly message: string
}

/** The condition Worthwhile: whether a week of the policy has cost more than a week of leaving things alone. */
export function worthwhile(mode: Mode, week: Week | undefined): ConditionState {
  if (mode === 'Observe')
    return { status: 'Unknown', reason: 'Observing', message: 'mode Observe moves nothing' }
  if (week === undefined || week.days < 7)
    return {
      status: 'Unknown',
      reason: 'TooEarly',
      message: `${week?.days ?? 0} of 7 whole days are counted`,
    }
  const [cost, hot, stay] = [week.policy, week.allHot, week.stay].map((c) => moneyText(c))
  const message = `in seven days ${cost} with the moves; ${hot} with all volumes on the fastest tier, ${stay} had none been moved`
  const lost = lostTo(week)
  if (lost === undefined) return { status: 'True', reason: 'Cheaper', message }
  const reason = lost === 'allHot' ? 'DearerThanAllHot' : 'DearerThanStaying'
  return { status: 'False', reason, message }
}
