import type { ActivitySources, NamedFleet } from '../activity/types.ts'
import type { Config } from '../api/config.ts'
import type { Audit, AuditSink } from '../audit/audit.ts'
import type { Change } from '../audit/change.ts'
import type { Clock } from '../clock.ts'
import type { Elector, EventRecorder, KubeClient } from '../kube/types.ts'
import type { Log } from '../log.ts'
import type { Registry } from '../metrics.ts'
import type { MachineTiming } from '../migration/strategy.ts'
import type { CopyService } from '../openstack/cinder-copies.ts'
import type { RetypeAnswer, RetypeRequest, VolumeService } from '../openstack/types.ts'
import type { RegisteredStrategy } from './moving/registered.ts'

/** Every call that changes something has its lines in the audit, or is not made. */
export type AuditedKube = KubeClient & {
  readonly audit: Audit
  /** The same, whose lines have in them what only the caller knows of a call: the claim and the move that it is for. */
  about(known: Known): KubeClient
  /** The same for calls that give back what somebody is without: they do not wait for an audit that cannot be written. */
  givingBack(known: Known): KubeClient
}
export type Known = Partial<Change>

export type AuditedVolumes = Omit<VolumeService, 'retype'> & {
  readonly audit: Audit
  /** Never throws. `changed` is asked once the line is written, which may take seconds: what it answers is not sent. */
  retype(
    request: RetypeRequest,
    change: Change,
    changed: () => Promise<RetypeAnswer | undefined>,
  ): Promise<RetypeAnswer>
}

type CopyCall =
  'createSnapshot' | 'createFromSnapshot' | 'deleteSnapshot' | 'deleteVolume' | 'setMetadata'

/** Calls never throw. */
export type AuditedCopies = Omit<CopyService, CopyCall> & { readonly audit: Audit } & {
  readonly [C in CopyCall]: (
    request: Parameters<CopyService[C]>[0],
    change: Change,
  ) => ReturnType<CopyService[C]>
}

/** All that reaches the controller from outside; main.ts makes real ones, tests and the demo their own. */
export type OutsideDeps = Omit<ControllerDeps, 'kube' | 'volumes' | 'copies' | 'audit'> & {
  readonly kube: KubeClient
  readonly volumes: VolumeService
  readonly copies: CopyService
  readonly auditSink: AuditSink
}

/** What the controller works with: its clients know no way around the audit. */
export type ControllerDeps = {
  readonly kube: AuditedKube
  readonly volumes: AuditedVolumes
  readonly copies: AuditedCopies
  readonly audit: Audit
  /** Asked once per term; a source that is not configured answers that it is down, and why. */
  readonly sources: (fleet: NamedFleet) => ActivitySources
  /** Time of the decisions: windows, cooldowns, deadlines. The demo runs it fast. */
  readonly clock: Clock
  /** Time of the process: watches, leases, back-off. */
  readonly processClock: Clock
  /** [0, 1). */
  readonly random: () => number
  readonly uuid: () => string
  readonly log: Log
  readonly metrics: Registry
  /** The configuration as last read from its file. */
  readonly config: () => Config
  readonly elector: Elector
  readonly events: EventRecorder
  /** Namespace of the controller itself. */
  readonly namespace: string
  /** Name of its own Pod, where it runs in one. */
  readonly pod?: string
  readonly timing: ControllerTiming
  /** The strategies that there are machines for. */
  readonly strategies: readonly RegisteredStrategy[]
}

/** Milliseconds, on `clock` unless said otherwise. */
export type ControllerTiming = MachineTiming & {
  /** Longest a retype call may be under way; what an earlier leader sent has arrived or is lost after it. */
  readonly callMs: number
  /** How often a blocked or waiting move asks again. */
  readonly recheckMs: number
  /** An open planned move that nobody approved, or that never found its turn, ends after this. */
  readonly expireMs: number
  /** Finished VolumeMigrations are removed after this. */
  readonly keepMs: number
  /** After a revert or refusal the volume is left alone this long; doubles per failure up to a day. */
  readonly backOffMs: number
  /** Pause after Cinder refused for lack of quota. */
  readonly quotaPauseMs: number
  /** Time left on the lease that a call to Cinder needs (process clock). */
  readonly fenceMarginMs: number
  /** How long all of a day of detachment counts as measured zero only after. */
  readonly detachGraceMs: number
  /** Least time between two writes of a message that only counts down. */
  readonly reportIntervalMs: number
  /** Least time between two writes of progress to one object. */
  readonly progressMs: number
}

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

export const DEFAULT_TIMING: ControllerTiming = {
  firstPollMs: 2 * SECOND,
  longestPollMs: MINUTE,
  verifyMs: 3 * SECOND,
  mostAttempts: 3,
  callMs: 30 * SECOND,
  recheckMs: 30 * SECOND,
  expireMs: DAY,
  keepMs: 8 * DAY,
  backOffMs: 2 * HOUR,
  quotaPauseMs: 10 * MINUTE,
  fenceMarginMs: SECOND,
  detachGraceMs: HOUR,
  reportIntervalMs: 10 * MINUTE,
  progressMs: 15 * SECOND,
}
