import type { Clock } from '../../clock.ts'
import { RECORD } from '../../api/names.ts'
import type { EventRecorder, KubeClient } from '../../kube/types.ts'
import type { Terminal } from '../terminal.ts'

/** What the commands that change something by a person's word have. */
export type DecisionDeps = {
  readonly kube: KubeClient
  readonly events: EventRecorder
  readonly clock: Clock
  readonly terminal: Terminal
  /** Where objects are searched without `-n`. */
  readonly namespace: string
  /** The user as the API server knows them. */
  readonly who: string
  /** `--reason`; undefined = none given. */
  readonly why: string | undefined
}

type Kind = 'approved' | 'cancelled' | 'rolledBack' | 'paused'

/** Annotations that keep who decided what, when and why. */
export function recordOf(
  kind: Kind,
  { who, why, clock }: Pick<DecisionDeps, 'who' | 'why' | 'clock'>,
): Readonly<Record<string, string | null>> {
  return {
    [RECORD[`${kind}By`]]: who,
    [RECORD[`${kind}At`]]: new Date(clock.now()).toISOString(),
    [RECORD[`${kind}Reason`]]: why ?? null,
  }
}

/** The same annotations, taken away. */
export function noRecordOf(kind: Kind): Readonly<Record<string, null>> {
  return {
    [RECORD[`${kind}By`]]: null,
    [RECORD[`${kind}At`]]: null,
    [RECORD[`${kind}Reason`]]: null,
  }
}

/** `by NAME: REASON` */
export function byWhom({ who, why }: Pick<DecisionDeps, 'who' | 'why'>): string {
  return why === undefined ? `by ${who}` : `by ${who}: ${why}`
}
