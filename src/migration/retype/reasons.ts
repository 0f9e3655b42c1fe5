import type { MoveReason } from '../../api/reasons.ts'

/** What the machine of a retype says, and what it means: docs/reference-reasons.md is made of these. */
export const RETYPE_REASONS = {
  NotSent:
    'Waiting: the call provably started nothing (it was not sent, or there were too many calls at once) and is repeated after a fresh admission.',
  Accepted: 'Retyping: Cinder accepted the call. That alone means nothing yet.',
  Adopted: 'Retyping: an earlier leader made the call, this one watches its end.',
  OutcomeUnknown:
    'The call got no answer; Cinder is observed, nothing is repeated. Failed: the volume rests on its old type, and it is not known whether the call ran. Of a copy: it is given up, and the claim keeps its volume.',
  Verifying: 'Verifying: a first read shows the target type; a second one must agree.',
  VerifyingRevert: 'Verifying: a first read shows the old type again; a second one must agree.',
  VerifiedInOtherZone:
    'Succeeded: two reads show the target type, but the availability zone of the volume changed.',
  Verified: 'Succeeded: two reads show the target type, and the volume is usable.',
  DeadlinePassed:
    'Stuck: past its deadline Cinder still works on the volume, or it cannot be read. Nothing more is done; an administrator must check it. Of a copy: it is given up, and the claim keeps its volume.',
  VolumeError:
    'Stuck: the volume ended in an error status. Nothing more is done; an administrator must check it. Of a copy: it is given up, and the claim keeps its volume.',
  Reverted: 'Failed: Cinder accepted the move, then silently left the volume on its old type.',
  Rejected:
    'Failed: Cinder itself refused the call. Requested: the volume is read once more first.',
  Unexplained: 'Failed: what Cinder shows fits nothing that was asked for. All moves halt.',
  Disappeared: 'Failed: the volume is gone from Cinder; two reads agree.',
  StaleIntent: 'Failed: the intent is too old to be acted on (a restored backup).',
  AttemptsExhausted: 'Failed: the call was repeated as often as is allowed.',
} as const satisfies Partial<Record<MoveReason, string>>
