import type { StayReason } from '../api/reasons.ts'
import { withFacts } from '../blockers/blocker.ts'
import type { Block, Blocker, Meanings, Stated } from '../blockers/blocker.ts'
import { directionOf, paused, resizing, terminating } from '../blockers/claim.ts'
import { observing, policyPaused, schedule, stopped } from '../blockers/policy.ts'
import { attached, busy, encrypted, group, multiattach, snapshots } from '../blockers/volume.ts'
import type { Candidate, VolumeFacts, Want } from './candidate.ts'
import {
  inFlight,
  noUsablePolicy,
  optedOut,
  shared,
  unbound,
  unmanagedType,
  volumeGone,
} from './guards-claim.ts'
import { forceUnguarded, forceUnknown, heldByForce } from './guards-force.ts'
import { coolingDown, retention, young } from './guards-history.ts'
import { copyTooExpensive } from './kept-copies.ts'
import { backingOff, frozen, noData, sourceDown, wantsNothing } from './guards-usage.ts'

/** One reason to stay: pure, and undefined when it does not hold. */
export type Guard = {
  readonly name: string
  readonly reasons: readonly StayReason[]
  readonly meanings: Meanings
  /** A forced move skips what is about usage and pace, never what protects the volume. */
  readonly skippedByForce: boolean
  readonly check: (c: Candidate, want: Want) => Block | undefined
}

/** Asked in this order; the first that holds is what is reported to people. */
export const GUARDS: readonly Guard[] = [
  guard('opted out', optedOut),
  guard('no usable policy', noUsablePolicy),
  guard('unbound', unbound),
  guard('shared', shared),
  guard(
    'terminating',
    withFacts(terminating, (c) => c.claim),
  ),
  guard('volume gone', volumeGone),
  guard(
    'stop switch',
    withFacts(stopped, (c) => c.policy),
  ),
  guard(
    'policy paused',
    withFacts(policyPaused, (c) => c.policy),
  ),
  guard(
    'claim paused',
    withFacts(paused, ({ claim, tier }, want) => ({
      paused: claim.paused,
      direction: directionOf(tier, want.to),
    })),
  ),
  guard('in flight', inFlight),
  guard('held by force', heldByForce),
  guard('forced tier unknown', forceUnknown),
  guard('force not guarded', forceUnguarded),
  guard('unmanaged type', unmanagedType),
  skippedByForce(guard('source down', sourceDown)),
  skippedByForce(guard('no data', noData)),
  skippedByForce(guard('demotion frozen', frozen)),
  guard('wants nothing', wantsNothing),
  skippedByForce(guard('young', young)),
  skippedByForce(guard('retention', retention)),
  skippedByForce(guard('cooling down', coolingDown)),
  guard('backing off', backingOff),
  guard('busy', askedOfVolume(busy)),
  guard(
    'resizing',
    withFacts(resizing, (c) => c.claim),
  ),
  guard('snapshots', askedOfVolume(snapshots)),
  skippedByForce(guard('kept copies', copyTooExpensive)),
  guard('group', askedOfVolume(group)),
  guard('multiattach', askedOfVolume(multiattach)),
  guard('encrypted', askedOfVolume(encrypted)),
  guard(
    'attached',
    // as last seen: whether that is still so is asked right before the call
    withFacts(
      attached,
      (c, want) =>
        c.volume && {
          attached: c.volume.attached,
          attachedSafety: () => c.attachedSafety(want.to),
        },
    ),
  ),
  skippedByForce(
    guard(
      'schedule',
      withFacts(schedule, ({ policy, schedule: { open, opensAt } }) => ({
        name: policy.name,
        schedule: opensAt === undefined ? { open } : { open, opensAt: opensAt * 1000 },
      })),
    ),
  ),
  guard(
    'only observing',
    withFacts(observing, ({ policy, tiers }, want) => ({
      name: policy.name,
      mode: policy.mode,
      to: tiers[want.to]?.name ?? 'no tier',
    })),
  ),
]

type Check = Stated<[c: Candidate, want: Want]>

function guard(name: string, check: Check): Guard {
  const { meanings } = check
  const reasons = Object.keys(meanings) as StayReason[]
  return { name, reasons, meanings, skippedByForce: false, check }
}

function skippedByForce(g: Guard): Guard {
  return { ...g, skippedByForce: true }
}

function askedOfVolume(blocker: Blocker<VolumeFacts>): Check {
  return withFacts(blocker, (c) => c.volume)
}
