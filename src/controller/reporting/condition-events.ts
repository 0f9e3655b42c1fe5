import type { Condition } from '../../api/object.ts'
import type { EventReason } from '../../api/event-reasons.ts'

export type ConditionNews = { readonly event: EventReason; readonly message: string }

/** What a change of a policy's conditions is worth an event. */
export function conditionNews(
  before: readonly Condition[],
  after: readonly Condition[],
): readonly ConditionNews[] {
  return after.flatMap((now) => {
    const was = before.find((c) => c.type === now.type)
    if (was?.reason === now.reason) return []
    const news = [BEGUN[now.reason], was === undefined ? undefined : ENDED[was.reason]]
    return news.flatMap((event) => (event === undefined ? [] : [{ event, message: now.message }]))
  })
}

const BEGUN: Readonly<Record<string, EventReason>> = {
  Invalid: 'PolicyInvalid',
  StrategyUnsupported: 'PolicyInvalid',
  NoVolumeType: 'TiersUnresolved',
  VolumeTypeNotFound: 'TiersUnresolved',
  VolumeTypeAmbiguous: 'TiersUnresolved',
  SameVolumeType: 'TiersUnresolved',
  PricesInvalid: 'TiersUnresolved',
  TiersInvalid: 'TiersUnresolved',
  SourceDown: 'MetricsDown',
  NoSeries: 'MetricsDown',
  CoverageDropped: 'DemotionFrozen',
  BreakerOpen: 'BreakerOpened',
  Thrashing: 'Thrashing',
  DearerThanAllHot: 'NotWorthwhile',
  DearerThanStaying: 'NotWorthwhile',
  Halted: 'Halted',
  NoAdmissionPolicy: 'NoAdmissionPolicy',
}

const ENDED: Readonly<Record<string, EventReason>> = {
  CoverageDropped: 'DemotionThawed',
  BreakerOpen: 'BreakerClosed',
  Thrashing: 'BreakerClosed',
}
