type ConditionMeaning = {
  readonly meaning: string
  readonly reasons: Readonly<Record<string, string>>
}

/** Conditions of a StoragePolicy with their reasons. */
export const POLICY_CONDITIONS = {
  Ready: {
    meaning: 'True when the policy is acted on as it stands.',
    reasons: {
      Ready: 'True: nothing is in the way.',
      Invalid: 'False: the spec has mistakes; the message lists them.',
      StrategyUnsupported:
        'False: this version has no such spec.migration.strategy; the message says which it has.',
      TiersUnresolved: 'False: see TiersResolved.',
      MetricsDown: 'False: see MetricsHealthy. Nothing moves without usage numbers.',
      Paused: 'False: spec.paused is true.',
      Stopped: 'False: the global stop switch is on.',
      Halted: 'False: an outcome that nothing explains; a person must check it.',
      MissingPermission:
        'False: a move waits because the OpenStack credential lacks a right that it needs. A rule that the role lacks is named in the message of Ready=True.',
      BreakerOpen: 'False: moves between two tiers fail again and again and are held back.',
      NoAdmissionPolicy:
        'False: mode Approve, and the API server offers no ValidatingAdmissionPolicy that checks who approves.',
      Thrashing:
        'False: too many volumes were moved and moved back within a day; moves are held back.',
      CinderDown: 'False: Cinder or Keystone does not answer.',
      AuditUnavailable: 'False: no line can be written to the audit, so that no move starts.',
      Starting:
        'False: a new leader cannot read all that it needs; it follows running moves and starts none.',
      CatchingUp: 'Unknown: the controller has just started and reads history.',
    },
  },
  TiersResolved: {
    meaning: 'True when each tier has a volume type that Cinder knows, and prices make sense.',
    reasons: {
      Resolved: 'True: each tier has its volume type.',
      NoVolumeType: 'False: a tier has no volume type in policy, config.yaml or StorageClass.',
      VolumeTypeNotFound:
        'False: Cinder does not know the volume type, or the project may not use it.',
      VolumeTypeAmbiguous: 'False: more than one volume type has the name.',
      SameVolumeType: 'False: two tiers have the same volume type.',
      TiersInvalid:
        'False: two tiers have one name, a tier has no limit, or they are not listed fastest first.',
      PricesInvalid:
        'False: prices are given for some tiers only, or do not fall from tier to tier.',
      CinderDown: 'Unknown: Cinder does not answer.',
    },
  },
  MetricsHealthy: {
    meaning: 'True when usage numbers arrive for the volumes of the policy.',
    reasons: {
      Healthy: 'True: usage numbers arrive.',
      NoWindowYet: 'Unknown: no window has been read from the source yet.',
      SourceDown: 'False: the source does not answer; the message says what it said.',
      NoSeries: 'False: the source answers, but has no series for any volume.',
      CoverageDropped: 'False: the number of covered volumes dropped; demotion is frozen.',
    },
  },
  WithinBudget: {
    meaning: 'True when the monthly cost is within budget.maxMonthlyCost.',
    reasons: {
      NoBudget: 'True: no budget is set.',
      WithinBudget: 'True: the cost is within the budget.',
      OverBudget: 'False: the cost is over the budget.',
      NotPriced: 'Unknown: tiers have no prices, so that there is nothing to compare.',
    },
  },
  Worthwhile: {
    meaning:
      'True when the policy, moves included, has cost no more over the last seven days than leaving things alone.',
    reasons: {
      Cheaper:
        'True: it cost no more than all volumes on the fastest tier would have, nor than moving none.',
      TooEarly: 'Unknown: there are not yet seven whole days to compare.',
      Observing: 'Unknown: mode Observe moves nothing, so that there is nothing to judge.',
      DearerThanAllHot: 'False: all volumes on the fastest tier would have cost less.',
      DearerThanStaying: 'False: it would have cost less had no volume been moved.',
    },
  },
} as const satisfies Record<string, ConditionMeaning>
export type PolicyCondition = keyof typeof POLICY_CONDITIONS

/** Conditions of a VolumeMigration; their reason is `status.reason`. */
export const MIGRATION_CONDITIONS = {
  Validated: {
    meaning:
      'True when claim, volume, policy and tiers of the object belong together and preflight found no block.',
    reasons: {},
  },
  Progressing: {
    meaning:
      'True while a call to Cinder may be running; False while it waits and when it is over.',
    reasons: {},
  },
  Succeeded: {
    meaning: 'True or False when the move is over, Unknown until then.',
    reasons: {},
  },
} as const satisfies Record<string, ConditionMeaning>
export type MigrationCondition = keyof typeof MIGRATION_CONDITIONS
